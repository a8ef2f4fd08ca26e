/** Requests that HAProxy logged, from the journals of hosts. */

import { LISTENER_SERVICE } from '../../../core/domain/dockerd/paths.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import { shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { plural } from '../../../core/domain/words.ts';
import type { Reach } from '../../../core/engine/intent.ts';
import { type FleetOptions, overHosts } from '../../../core/engine/pool.ts';
import { sshOptions } from '../../../core/engine/steps/open-host.ts';
import type { HostSession } from '../../../core/runtime.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { type LoggedRequest, parseLogLine } from '../domain/log-lines.ts';

export type JournalRequest = LoggedRequest & { readonly at: Date };

/** Lines that are read of a journal, the newest ones. */
const MAX_LINES = 50_000;

/** `sinceMs`: age of the oldest request. */
export async function readLogs(
  specs: readonly HostSpec[],
  {
    sinceMs,
    runtime,
    progress,
    parallel,
    ...reach
  }: Reach & Pick<FleetOptions, 'parallel' | 'progress'> & { readonly sinceMs: number },
): Promise<HostResult<readonly JournalRequest[]>[]> {
  return overHosts(specs, { runtime, progress, parallel }, async (spec, line) => {
    line.phase('connect');
    await using session = await runtime.connect(sshOptions(spec, { runtime, ...reach }));
    line.phase('facts');
    const requests = await readJournal(session, sinceMs, runtime.signal);
    if (requests.length === 0 && spec.listener !== 'haproxy')
      throw new DockerTlsError('E_LISTENER', 'dockerd itself accepts clients there, and logs no requests', {
        where: spec.name,
        hints: [`docker-tls setup ${shellQuote(spec.name)} --listener haproxy`],
      });
    line.done(plural(requests.length, 'request'));
    return requests;
  });
}

async function readJournal(session: HostSession, sinceMs: number, signal: AbortSignal): Promise<JournalRequest[]> {
  const user = session.login.rootless ? ['--user'] : [];
  const seconds = Math.ceil(sinceMs / 1000);
  const command = [
    ...['journalctl', ...user, '-u', LISTENER_SERVICE, '--since', `-${seconds} seconds`, '-n', `${MAX_LINES}`],
    ...['-o', 'json', '--output-fields=MESSAGE', '--no-pager'],
  ];
  const { status, stdout, stderr } = await session.run({
    phase: 'journal',
    script: command.map(shellQuote).join(' '),
    asRoot: true,
    timeoutMs: 120_000,
    signal,
  });
  if (status !== 0)
    throw new DockerTlsError(
      'E_LISTENER',
      `the journal cannot be read: ${printable(stderr.trim() || `journalctl ended with ${status}`)}`,
      {
        where: session.host,
        hints: [sudoCommand(session.login, 'journalctl', ...user, '-u', LISTENER_SERVICE, '-n', '20')],
      },
    );
  return stdout.toString('utf8').split('\n').flatMap(entryOf);
}

/** journalctl's JSON is one object in a line; a message that is not UTF-8 is an array of numbers. */
function entryOf(line: string): JournalRequest[] {
  let entry: { MESSAGE?: unknown; __REALTIME_TIMESTAMP?: unknown };
  try {
    entry = JSON.parse(line);
  } catch {
    return [];
  }
  const { MESSAGE: message, __REALTIME_TIMESTAMP: micros } = entry;
  const request = typeof message === 'string' ? parseLogLine(message) : undefined;
  if (request === undefined || !/^[0-9]{1,17}$/.test(String(micros))) return [];
  return [{ ...request, at: new Date(Number(micros) / 1000) }];
}
