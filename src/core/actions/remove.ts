/** `remove`: restores hosts to their state before the first setup, and removes our docker contexts that point to them. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { contextsOf, takeContextsAway } from './contexts-of-host.ts';
import { openRestore, restore } from './restore.ts';
import type { Changed } from './results.ts';
import type { RunOptions } from './run.ts';

export type Removed = {
  readonly changed: Changed;
  /** Docker contexts that were removed or, in a dry run, would be. */
  readonly contexts: readonly string[];
  readonly errors: readonly DockerTlsError[];
  /** Hosts that were in the store. */
  readonly stored: ReadonlySet<string>;
};

export async function removeHosts(
  context: ActionContext,
  names: readonly string[],
  options: RunOptions & { readonly allowPlainTcp: boolean },
): Promise<Removed> {
  const { run, hosts, state } = await openRestore(context, names, options);
  // A dry run shows it as a warning, together with all other changes.
  const allowPlainTcp = options.allowPlainTcp || run.dryRun;
  const changed = await restore(hosts, { to: 'none', allowRevoked: false, allowPlainTcp }, run);
  const stored = new Set(state.hosts.keys());
  const contexts = new Map(
    await Promise.all(hosts.map(async ({ name }) => [name, await contextsOf(name, state)] as const)),
  );
  if (changed.planned !== undefined)
    return { changed, stored, contexts: [...contexts.values()].flat().map(({ name }) => name), errors: [] };
  const places = changed.results.flatMap(({ kind, host }) => (kind === 'done' ? (contexts.get(host) ?? []) : []));
  if (places.length === 0) return { changed, stored, contexts: [], errors: [] };
  const { gone, errors } = await run.store.withLock('docker-tls remove', () =>
    takeContextsAway(places, { store: run.store, now: run.runtime.now }),
  );
  return { changed, stored, contexts: gone, errors };
}
