/** Owns `remove HOST…`: restores hosts as they were before the first setup. */

import { contextsOf, takeContextsAway } from '../../actions/contexts-of-host.ts';
import { restore } from '../../actions/restore.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { listWords } from '../../domain/words.ts';
import type { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { renderChange } from '../render/change.ts';
import { openRestore, RESTORE_OPTIONS } from '../restore.ts';

export const command = defineCommand({
  name: 'remove',
  summary: "Undo: the host's files, units and socket as they were before setup",
  about:
    "The host's credentials go from the store as well, and so do docker contexts of ours that point to it. The CA and the clients stay.\nWhere the configuration from before setup had a TCP port without TLS, it opens again: --allow-plain-tcp says yes to that.",
  examples: ['docker-tls remove build-1'],
  args: { hosts: { summary: 'hosts', required: true, many: true, completes: 'host' } },
  options: {
    ...RESTORE_OPTIONS,
    allowPlainTcp: { kind: 'flag', summary: 'also where a TCP port opens again that accepts every client without TLS' },
  },
  async run(context) {
    const { args, options, runtime } = context;
    const { run, hosts, state } = await openRestore(context, args.hosts, options);
    const contexts = new Map(
      await Promise.all(hosts.map(async ({ name }) => [name, await contextsOf(name, state)] as const)),
    );
    // A dry run shows it as a warning, among all that would change.
    const allowPlainTcp = options.allowPlainTcp || context.global.dryRun;
    const changed = await restore({ hosts, to: 'none', allowRevoked: false, allowPlainTcp }, run);
    const rendered = renderChange(changed, context);
    const result = { ...rendered, errors: (rendered.errors ?? []).map((error) => offeringForget(error, state)) };
    const done = changed.results.flatMap(({ kind, host }) => (kind === 'done' ? (contexts.get(host) ?? []) : []));
    if (changed.planned !== undefined || done.length === 0) {
      const names = [...contexts.values()].flat().map(({ name }) => name);
      const text =
        changed.planned && names.length > 0
          ? `${result.text}\n\nwould also be removed: ${contextWords(names)}`
          : result.text;
      return { ...result, text, result: { ...(result.result as object), contexts: changed.planned ? names : [] } };
    }
    const { gone, errors } = await run.store.withLock('docker-tls remove', () =>
      takeContextsAway(done, { store: run.store, now: runtime.now }),
    );
    return {
      ...result,
      result: { ...(result.result as object), contexts: gone },
      text: gone.length > 0 ? `${result.text}\n  also removed: ${contextWords(gone)}` : result.text,
      errors: [...result.errors, ...errors],
    };
  },
});

function contextWords(names: readonly string[]): string {
  return `docker ${names.length === 1 ? 'context' : 'contexts'} ${listWords(names, 12)}`;
}

/** Errors of a host that may be gone, or whose address another one has by now. */
const GONE = [
  'E_SSH_TIMEOUT',
  'E_SSH_UNREACHABLE',
  'E_SSH_REFUSED',
  'E_SSH_NAME',
  'E_SSH_LOST',
  'E_SSH_HOST_KEY_UNKNOWN',
  'E_SSH_HOST_KEY_CHANGED',
];

function offeringForget(error: DockerTlsError, { hosts }: StoreState): DockerTlsError {
  if (!GONE.includes(error.code) || error.where === undefined || !hosts.has(error.where)) return error;
  return error.hinting([...error.hints, `if the host is gone for good: docker-tls forget ${error.where}`]);
}
