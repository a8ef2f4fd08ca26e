/** Owns `apply` and `plan`: hosts as the store or the fleet file describes them. */

import type { StoreState } from '../adapters/store/records.ts';
import { contextName } from '../domain/fleet/specs.ts';
import { CA_DEFAULTS, type HostSpec } from '../domain/settings.ts';
import type { Run } from '../engine/intent.ts';
import type { DockerTlsError } from '../errors/errors.ts';
import { dockerConfigDirectory, ownClientName } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { checkContexts, giveContexts } from './context.ts';
import { contextHere } from './contexts-of-host.ts';
import { clientSpec, runFlags } from './flags.ts';
import { fleetCaToStore } from './fleet-ca.ts';
import { unknownName } from './resolve-target.ts';
import type { Changed } from './results.ts';
import { openRun, type RunOptions } from './run.ts';
import { type SelectionOptions, selectSpecs } from './selection.ts';
import { storeOf } from './store.ts';
import { type ApplyRequest, apply, clientsFor, wantedHosts } from './wanted-hosts.ts';

export type HostsOptions = RunOptions &
  SelectionOptions & {
    readonly client?: string | undefined;
    readonly takeOver: boolean;
    readonly rejectOtherClients: boolean;
  };

/** The hosts that HOST, the fleet file, an inventory or the store name, as `apply` takes them. */
export async function openHosts(
  context: ActionContext,
  hosts: readonly string[],
  options: HostsOptions,
): Promise<{
  readonly run: Run;
  readonly state: StoreState;
  readonly request: Omit<ApplyRequest, 'reason'> & { reason: 'apply' };
}> {
  const { global, runtime } = context;
  const state = await storeOf(context).read();
  const selection = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const { client } = options;
  const known = [...new Set([...state.clients.keys(), ...selection.clients.map(({ name }) => name)])];
  // Which client verifies the hosts is said, not made: a slip of the hand would be accepted. `setup` and `client add` make clients.
  if (client !== undefined && !known.includes(client))
    throw unknownName('client', 'E_CLIENT_UNKNOWN', client, known, '--client');
  const name = client ?? ownClientName();
  const run = await openRun(context, options, selection);
  const { signer } = run;
  const none = options.noCaPassphrase === true || selection.secrets.caPassphrase === 'none';
  return {
    state,
    run,
    request: {
      ownCa: signer && (await fleetCaToStore(signer, run, state, none)),
      reason: 'apply',
      hosts: selection.specs,
      clients: selection.clients,
      ca: selection.ca ?? CA_DEFAULTS,
      client: { spec: clientSpec(name, {}), named: client !== undefined },
      takeOver: options.takeOver,
      rejectOthers: options.rejectOtherClients,
      // Only a fleet file says which fixes there are not.
      addHardening: global.file === undefined,
    },
  };
}

export type Applied = {
  readonly changed: Changed;
  readonly hosts: readonly HostSpec[];
  /** Docker contexts that could not be made; the hosts are done all the same. */
  readonly contexts: readonly DockerTlsError[];
  /** The first host that changed, and the docker context that leads there; neither: none. */
  readonly first?: { readonly spec: HostSpec; readonly context: string | undefined };
};

export async function applyHosts(
  context: ActionContext,
  names: readonly string[],
  options: HostsOptions,
): Promise<Applied> {
  const { runtime } = context;
  const { run, request, state } = await openHosts(context, names, options);
  const { hosts } = request;
  const dockerConfig = dockerConfigDirectory(runtime);
  if (hosts.some((spec) => contextName(spec) !== undefined)) {
    const wanted = wantedHosts(request, state, runtime.now());
    await checkContexts(hosts, clientsFor(wanted, state), state, dockerConfig);
  }
  const changed = await apply(request, run);
  const done = new Set(changed.results.flatMap(({ kind, host }) => (kind === 'done' ? [host] : [])));
  const contexts = await giveContexts(
    hosts.filter(({ name }) => done.has(name)),
    clientsFor({ ...changed.wanted, credentials: [] }, changed.state),
    { store: run.store, dockerConfig, now: runtime.now },
  );
  const name = changed.results.find((one) => one.kind === 'done' && one.value.changed)?.host;
  const spec = hosts.find((one) => one.name === name);
  if (spec === undefined) return { changed, hosts, contexts };
  const here = contextName(spec) ?? (await contextHere(spec.name, await run.store.read(), dockerConfig));
  return { changed, hosts, contexts, first: { spec, context: here } };
}

/** What applyHosts would change. */
export async function planHosts(
  context: ActionContext,
  names: readonly string[],
  options: HostsOptions,
): Promise<Changed> {
  const { run, request } = await openHosts(context, names, options);
  return apply({ ...request, reason: 'plan' }, { ...run, dryRun: true });
}
