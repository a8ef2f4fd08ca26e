/** The run of `apply`, `plan` and `harden`: hosts from HOST, the fleet file, an inventory or the store, and the store's state. */

import type { StoreState } from '../adapters/store/records.ts';
import { CA_DEFAULTS } from '../domain/settings.ts';
import { unknownName } from '../domain/trust/resolve.ts';
import { listsClients } from '../domain/trust/trust.ts';
import { type ApplyRequest, hostsIntent } from '../domain/trust/wanted-hosts.ts';
import { change } from '../engine/change.ts';
import type { Run } from '../engine/intent.ts';
import { ownClientName } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { clientSpec, runFlags } from './host-flags.ts';
import { storeOf } from './open-store.ts';
import type { Changed } from './results.ts';
import { openRun, type RunOptions } from './run.ts';
import { type SelectionOptions, selectSpecs } from './select-hosts.ts';

export type HostsOptions = RunOptions &
  SelectionOptions & {
    readonly client?: string | undefined;
    readonly takeOver: boolean;
    /** `--install`: a listener where it is missing, on hosts that have one. */
    readonly installs?: boolean | undefined;
    readonly rejectOtherClients: boolean;
  };

/** The hosts in the form that `apply` needs. Fails with E_CLIENT_UNKNOWN (exit 2), and as opening its parts does. */
export async function openHosts(
  context: ActionContext,
  hosts: readonly string[],
  options: HostsOptions,
): Promise<{ readonly run: Run; readonly state: StoreState; readonly request: ApplyRequest }> {
  const { global, runtime } = context;
  const state = await storeOf(context).read();
  const selection = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const { client } = options;
  const known = [...new Set([...state.clients.keys(), ...(selection.clients?.names ?? [])])];
  // --client never creates a client: a typo would become an accepted one. `setup` and `client add` create clients.
  if (client !== undefined && !known.includes(client)) throw unknownName('client', client, known, context.again);
  const name = client ?? ownClientName();
  const run = await openRun(context, options, selection, { state });
  return {
    state,
    run,
    request: {
      ownCa: await run.signer?.changes(state, run),
      reason: 'apply',
      hosts: selection.specs.map((spec) =>
        options.installs && listsClients(spec) ? { ...spec, install: true } : spec,
      ),
      clients: selection.clients,
      ca: selection.ca ?? CA_DEFAULTS,
      client: { spec: clientSpec(name, {}), named: client !== undefined },
      takeOver: options.takeOver,
      rejectOthers: options.rejectOtherClients,
      // Only a fleet file can drop fixes.
      addHardening: global.file === undefined,
    },
  };
}

/** The changes that applyHosts would make. */
export async function planNamedHosts(
  context: ActionContext,
  names: readonly string[],
  options: HostsOptions,
): Promise<Changed> {
  const { run, request } = await openHosts(context, names, options);
  return change(hostsIntent({ ...request, reason: 'plan' }), { ...run, dryRun: true });
}
