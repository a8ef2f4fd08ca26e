/** `remove HOST…`: restores hosts to their state before the first setup. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { RESTORE_OPTIONS } from '../../cli/host-options.ts';
import type { DockerTlsError } from '../../errors/errors.ts';
import type { ActionContext } from '../actions/action-context.ts';
import type { Changed } from '../actions/results.ts';
import { openRestore, restore } from '../actions/return-hosts.ts';
import type { RunOptions } from '../actions/run.ts';
import { listWords } from '../domain/words.ts';
import type { ChangeDocument } from '../render/change-document.ts';
import { type RenderContext, renderChange } from '../render/change-result.ts';
import { COPIES, copiesCode } from '../seams/copies.ts';
import { offeredWords } from '../seams/seam.ts';

/** `contexts`: docker contexts of this machine that were removed. */
export type RemoveDocument = ChangeDocument & { readonly contexts: readonly string[] };

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about: `The host's credentials go from the store as well${offeredWords(COPIES, ', and so do docker contexts of ours that point to it')}. The CA and the clients stay.\nWhere the configuration from before setup had a TCP port without TLS, it opens again: --allow-plain-tcp says yes to that.`,
  examples: ['docker-tls remove build-1'],
  args: { hosts: { summary: 'hosts', required: true, many: true, completes: 'host' } },
  options: {
    ...RESTORE_OPTIONS,
    allowPlainTcp: { kind: 'flag', summary: 'also where a TCP port opens again that accepts every client without TLS' },
  },
  run: async (context) => {
    const removed = await removeHosts(context, context.args.hosts, context.options);
    return renderRemoved(removed, context);
  },
});

type Removed = {
  readonly changed: Changed;
  /** Docker contexts that were removed or, in a dry run, would be. */
  readonly contexts: readonly string[];
  readonly errors: readonly DockerTlsError[];
  /** Hosts that were in the store. */
  readonly stored: ReadonlySet<string>;
};

async function removeHosts(
  context: ActionContext,
  names: readonly string[],
  options: RunOptions & { readonly allowPlainTcp: boolean },
): Promise<Removed> {
  const { run, hosts, state } = await openRestore(context, names, options);
  // A dry run shows it as a warning, together with all other changes.
  const allowPlainTcp = options.allowPlainTcp || run.dryRun;
  const changed = await restore(hosts, { to: 'none', allowRevoked: false, allowPlainTcp }, run);
  const stored = new Set(state.hosts.keys());
  const copies = await copiesCode();
  const contexts = new Map(
    await Promise.all(hosts.map(async ({ name }) => [name, (await copies?.contextsOf(name, state)) ?? []] as const)),
  );
  if (changed.planned !== undefined)
    return { changed, stored, contexts: [...contexts.values()].flat().map(({ name }) => name), errors: [] };
  const places = changed.results.flatMap(({ kind, host }) => (kind === 'done' ? (contexts.get(host) ?? []) : []));
  if (copies === undefined || places.length === 0) return { changed, stored, contexts: [], errors: [] };
  const { gone, errors } = await run.store.withLock('docker-tls remove', () =>
    copies.remove(places, { store: run.store, now: run.runtime.now }),
  );
  return { changed, stored, contexts: gone, errors };
}

function renderRemoved(
  { changed, contexts, errors, stored }: Removed,
  around: RenderContext,
): CommandResult<RemoveDocument> {
  const { result, text, ...rest } = renderChange(changed, around);
  const words = `docker ${contexts.length === 1 ? 'context' : 'contexts'} ${listWords(contexts, 12)}`;
  const ending = changed.planned ? `\n\nwould also be removed: ${words}` : `\n  also removed: ${words}`;
  return {
    ...rest,
    result: { ...result, contexts },
    text: contexts.length > 0 ? `${text}${ending}` : text,
    errors: [...(rest.errors ?? []).map((error) => offeringForget(error, stored)), ...errors],
  };
}

/**
 * Errors of a host that may no longer exist, or whose address another host has now. A host that rolled back a change (exit status 5)
 * exists.
 */
const GONE = [
  'E_SSH_TIMEOUT',
  'E_SSH_UNREACHABLE',
  'E_SSH_REFUSED',
  'E_SSH_NAME',
  'E_SSH_LOST',
  'E_SSH_HOST_KEY_UNKNOWN',
  'E_SSH_HOST_KEY_CHANGED',
];

export function offeringForget(error: DockerTlsError, stored: ReadonlySet<string>): DockerTlsError {
  if (!GONE.includes(error.code) || error.exit === 5 || error.where === undefined || !stored.has(error.where))
    return error;
  return error.hinting([...error.hints, `if the host no longer exists: docker-tls forget ${error.where}`]);
}
