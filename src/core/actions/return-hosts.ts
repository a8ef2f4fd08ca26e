/** `rollback` and `remove`: return hosts to an earlier generation, or to their state before the first setup. */

import type { StoreState } from '../adapters/store/records.ts';
import { specFor } from '../domain/hosts/specs.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Target } from '../domain/trust/changes.ts';
import { listWords } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run } from '../engine/intent.ts';
import type { ActionContext } from './action-context.ts';
import { openFleetFile } from './fleet-files.ts';
import { runFlags } from './host-flags.ts';
import { storeOf } from './open-store.ts';
import { openRun, type RunOptions } from './run.ts';

type Restoring = { readonly run: Run; readonly state: StoreState; readonly hosts: readonly HostSpec[] };

/** The named hosts in their last recorded state. One set up by another store may still be in the fleet file. */
export async function openRestore(
  context: ActionContext,
  names: readonly string[],
  options: RunOptions,
): Promise<Restoring> {
  const state = await storeOf(context).read();
  const flags = runFlags(options, context.runtime.cwd);
  const fleet = await openFleetFile(context);
  const hosts = names.map((host) =>
    state.hosts.has(host) ? specFor(host, state, flags) : (fleet ?? { specFor }).specFor(host, state, flags),
  );
  return {
    run: await openRun(
      context,
      options,
      { specs: hosts, secrets: fleet?.secretsOf(hosts) ?? {}, ca: fleet?.ca },
      { state },
    ),
    state,
    hosts,
  };
}

export function restore(
  hosts: readonly HostSpec[],
  target: Omit<Extract<Target, { kind: 'generation' }>, 'kind'>,
  run: Run,
): Promise<Changed> {
  const { to } = target;
  const names = listWords(
    hosts.map(({ name }) => name),
    12,
  );
  const question = () =>
    to === 'none'
      ? `Remove docker-tls from ${names} and restore the original configuration?`
      : `Roll ${names} back to ${to === 'previous' ? 'the generation before' : `generation ${to}`}?`;
  const brought = hosts.map((spec) => ({ spec }));
  const want = () => ({ hosts: brought, credentials: [], target: { kind: 'generation', ...target } }) as const;
  return change({ reason: to === 'none' ? 'remove' : 'rollback', want, question }, run);
}
