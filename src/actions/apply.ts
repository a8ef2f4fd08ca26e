/** Owns `apply` and `plan`, and what `setup` and `harden` do as they do: hosts as their specs say, with the CA and the clients that this takes. */

import type { StoredCa, StoredClient, StoreState } from '../adapters/store/records.ts';
import { contextName } from '../domain/fleet/specs.ts';
import type { Wanted } from '../domain/plan/wanted.ts';
import { Secret } from '../domain/secret.ts';
import { CA_DEFAULTS, type CaSpec, type ClientSpec, type HostSpec } from '../domain/settings.ts';
import { accessOf } from '../domain/trust/access.ts';
import { firstCa, namedCa, preview } from '../domain/trust/changes.ts';
import { fleetClients, verifierOf } from '../domain/trust/clients.ts';
import { unknownName } from '../domain/trust/resolve.ts';
import { viewOf } from '../domain/trust/view.ts';
import { plural } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run } from '../engine/intent.ts';
import { usableClients } from '../engine/steps/verify.ts';
import type { DockerTlsError } from '../errors/errors.ts';
import { dockerConfigDirectory, ownClientName } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { checkContexts, giveContexts } from './context.ts';
import { contextHere } from './contexts-of-host.ts';
import { clientSpec, runFlags } from './flags.ts';
import { fleetCaToStore } from './fleet-ca.ts';
import { openRun, type RunOptions } from './run.ts';
import { type SelectionOptions, selectSpecs } from './selection.ts';
import { storeOf } from './store.ts';

export type ApplyRequest = {
  readonly reason: 'setup' | 'plan' | 'apply' | 'harden';
  readonly hosts: readonly HostSpec[];
  /** Those of a fleet file. */
  readonly clients?: readonly ClientSpec[];
  /** For a CA that has to be made. */
  readonly ca: CaSpec;
  /** The CA of one's own that the fleet file names. */
  readonly ownCa?: StoredCa | undefined;
  /** The client to verify hosts with; without `named` another one will do, and is made only where there is none. */
  readonly client: { readonly spec: ClientSpec; readonly named: boolean };
  readonly takeOver?: boolean;
  /** Clients of a CA that a host accepts now, and that this store does not know, may lose it. */
  readonly rejectOthers?: boolean;
  readonly addHardening?: boolean;
};

/** Fails with what prevents the whole run; hosts that fail are in the result. */
export function apply(request: ApplyRequest, run: Run): Promise<Changed> {
  const { reason, hosts } = request;
  const question = (_: Wanted, changing: number) =>
    changing === 0
      ? undefined
      : `Make these changes${hosts.length === 1 ? '' : ` on ${changing} of ${plural(hosts.length, 'host')}`}?`;
  return change({ reason, want: (state, now) => wantedHosts(request, state, now), question }, run);
}

export function wantedHosts(request: ApplyRequest, state: StoreState, now: Date): Wanted {
  const { hosts, ca, ownCa, client, takeOver = false, rejectOthers = false, addHardening = false } = request;
  const clients = fleetClients(request.clients ?? [], state, now);
  const inFile = clients.accepted[0];
  const named = client.named || inFile !== undefined;
  const spec = client.named || inFile === undefined ? client.spec : { ...client.spec, name: inFile };
  const known = clients.accepted.includes(spec.name);
  const verifier = known
    ? { name: spec.name, changes: [] }
    : verifierOf(state, spec, { named, without: clients.revoked, now });
  const credentials = [
    ...(ownCa === undefined ? firstCa(state.ca, ca) : namedCa(state.ca, ownCa)),
    ...clients.changes,
    ...verifier.changes,
  ];
  // Fails before anything is issued where this CA cannot do it.
  const asking = { rejectOthers, now, changed: hosts };
  const view = preview(viewOf(state, now), credentials);
  const notes = clients.changes.length > 0 ? accessOf(state, view, asking).notes : [];
  return {
    hosts,
    credentials,
    target: { kind: 'desired', takeOver, rejectOthers, addHardening },
    notes: [...clients.notes, ...notes],
    verifyAs: [verifier.name, ...clients.accepted],
    mustReject: clients.revoked,
    // Changed settings of existing clients stay, whatever becomes of the hosts.
    temporary: credentials.every(({ kind }) => kind !== 'record'),
  };
}

/** Clients whose files docker on this computer may get: those that are there, and those to come, with nothing in their files yet. */
export function clientsFor({ credentials, verifyAs }: Wanted, state: StoreState): StoredClient[] {
  const coming = credentials.flatMap((one): StoredClient[] =>
    one.kind === 'client' ? [{ record: one.record, ca: '', cert: '', key: new Secret('') }] : [],
  );
  const all = [...usableClients(state, verifyAs), ...coming];
  const first = (verifyAs ?? []).flatMap((name) => all.filter(({ record }) => record.name === name));
  return [...new Set([...first, ...all])];
}

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
): Promise<{ readonly run: Run; readonly state: StoreState; readonly request: ApplyRequest }> {
  const { global, runtime } = context;
  const state = await storeOf(context).read();
  const selection = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const { client } = options;
  const known = [...new Set([...state.clients.keys(), ...selection.clients.map(({ name }) => name)])];
  // --client never creates one: a typo would become a client that is accepted. `setup` and `client add` create clients.
  if (client !== undefined && !known.includes(client)) throw unknownName('client', client, known, '--client');
  const name = client ?? ownClientName();
  const run = await openRun(context, options, selection);
  return {
    state,
    run,
    request: {
      ownCa: await fleetCaToStore(run, state),
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
