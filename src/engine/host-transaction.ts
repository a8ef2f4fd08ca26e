/** Owns the carrying out of a transaction on a host: start, confirm, take back, and what the host answered. */

import { diskFullError, lockedError, rollbackByHand } from '../domain/plan/preflight.ts';
import { asBefore, renderEnding, type Transaction } from '../domain/plan/transaction.ts';
import { sudoCommand } from '../domain/quote.ts';
import { DockerTlsError, printable, printableLines } from '../errors/errors.ts';
import type { HostSession } from '../runtime.ts';

/**
 * Runs a transaction up to the restarted daemon, and gives what the host has to say beside that; the host then waits for `endTransaction(…, 'commit')` and goes back on its own
 * without it. Fails with E_HOST_LOCKED, E_HOST_CHANGED, E_STALE_CHANGE, E_DISK_FULL, E_DAEMON_CONFIG (nothing changed),
 * E_DAEMON_START (rolled back at once, with the daemon's own lines), E_APPLY, E_ROLLBACK (exit 6), E_UNANSWERED (the script on the host
 * died, so nobody knows how it ended: take the change back), and the session's errors when the connection is lost.
 */
export async function startTransaction(
  session: HostSession,
  transaction: Transaction,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal; readonly onStep?: (step: string) => void },
): Promise<readonly string[]> {
  const result = await session.run({
    phase: 'apply',
    script: transaction.script,
    input: transaction.input,
    asRoot: true,
    timeoutMs: options.timeoutMs,
    onLine: (line) => {
      if (line.startsWith('@ ')) options.onStep?.(printable(line.slice(2), 40));
    },
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const last = lastResult(result.stdout.toString('utf8'));
  if (last[0] === 'switched') return warnings(result.stdout.toString('utf8'));
  throw translate(session, last, result.stderr);
}

/** What an ending came to: `nothing` when the host knows no such change (any more), `full` when its disk had no room to keep it. */
export type Ending = 'committed' | 'undone' | 'nothing' | 'stuck' | 'full';

/** `remark`: what is not as it was although the files are; empty otherwise. */
export type EndingResult = { readonly ending: Ending; readonly remark: string };

/** Keeps a change, or takes it back, over any session with the host. */
export async function endTransaction(session: HostSession, id: string, verb: 'commit' | 'undo'): Promise<EndingResult> {
  const result = await session.run({ phase: verb, script: renderEnding(verb, id), asRoot: true, timeoutMs: 240_000 });
  const [word, why] = lastResult(result.stdout.toString('utf8'));
  if (word === 'uncommitted' && NO_SPACE.test(decode(why))) return { ending: 'full', remark: '' };
  return word === 'committed' || word === 'undone' || word === 'nothing'
    ? { ending: word, remark: printable(decode(why), 600) }
    : { ending: 'stuck', remark: '' };
}

function warnings(stdout: string): readonly string[] {
  return Array.from(stdout.matchAll(/^@warning (\S+)$/gm), (found) => printable(decode(found[1]), 500));
}

/** The C locale's words of ENOSPC and EDQUOT: the scripts set it. */
const NO_SPACE = /No space left on device|Disk quota exceeded/;

function lastResult(stdout: string): string[] {
  const line = stdout
    .split('\n')
    .filter((text) => text.startsWith('@result '))
    .at(-1);
  return (line ?? '').split(' ').slice(1);
}

function decode(text: string | undefined): string {
  return text === undefined || text === '-' ? '' : Buffer.from(text, 'base64').toString('utf8');
}

function translate(
  { host, login }: Pick<HostSession, 'host' | 'login'>,
  [kind, step = '', words, journal, remark]: readonly string[],
  stderr: string,
): DockerTlsError {
  if (kind === 'locked') {
    const text = decode(step);
    const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? '';
    return lockedError(
      { host, login },
      printable(value('who') || 'another run', 200),
      new Date(Number(value('since') || Number.NaN) * 1000),
      // The host's own present; a lock that nobody could read is gone soon.
      Math.max(1, Number(value('expires')) - Number(words)) || 1,
    );
  }
  if (kind === 'again') {
    return new DockerTlsError({
      code: 'E_STALE_CHANGE',
      where: host,
      message: 'an earlier change that nobody had confirmed was taken back just now; the new one was not begun',
      hints: ['run the same command again'],
    });
  }
  if (kind === 'blocked') {
    return new DockerTlsError({
      code: 'E_ROLLBACK',
      where: host,
      message: 'an earlier change is half done and could not be taken back; nothing further was changed',
      hints: [rollbackByHand(login), sudoCommand(login, 'journalctl', '-t', 'docker-tls', '-n', '20', '--no-pager')],
    });
  }
  const said = printableLines(decode(words), 20);
  const message = said.join('; ') || 'the host gave no reason';
  if (kind === 'failed') {
    const changed = /^changed: (.+)/.exec(said[0] ?? '')?.[1];
    if (changed !== undefined) {
      return new DockerTlsError({
        code: 'E_HOST_CHANGED',
        where: host,
        message: `${changed} was changed by somebody else since the plan was made; nothing was changed`,
        hints: ['run the same command again: it plans anew'],
      });
    }
    if (NO_SPACE.test(message) || / 100% /.test(message)) {
      return diskFullError({ host, login }, "the host's disk is full; nothing was changed", said);
    }
    if (step === 'validate') {
      return new DockerTlsError({
        code: 'E_DAEMON_CONFIG',
        where: host,
        message: 'dockerd refuses the configuration that it would get; nothing was changed',
        hints: ['fix what it names, then run the same command again'],
        details: said,
      });
    }
    return new DockerTlsError({
      code: 'E_APPLY',
      where: host,
      message: `the change could not be prepared (${printable(step)}): ${message}; nothing was changed`,
    });
  }
  const lines = printableLines(decode(journal), 15);
  if (kind === 'back') {
    const started = step === 'restart' || step === 'reload';
    const left = printable(decode(remark), 600);
    const back = left === '' ? 'the host was rolled back' : asBefore(left);
    const units = step.endsWith('-sshd') ? ['ssh.service', 'sshd.service'] : ['docker.service', 'docker-tls.socket'];
    return new DockerTlsError({
      code: started ? 'E_DAEMON_START' : 'E_APPLY',
      where: host,
      message: started
        ? `the daemon did not start with the new configuration; ${left === '' ? `${back} and runs as before` : back}`
        : `the change failed (${printable(step)}): ${message}; ${back}`,
      hints: [sudoCommand(login, 'journalctl', ...units.flatMap((unit) => ['-u', unit]), '-n', '50', '--no-pager')],
      details: [...(started ? said : []), ...lines],
    });
  }
  if (kind === 'stuck') {
    return new DockerTlsError({
      code: 'E_ROLLBACK',
      where: host,
      message: `the change failed (${printable(step)}), and rolling back failed as well: ${message}`,
      hints: [
        rollbackByHand(login),
        sudoCommand(login, 'journalctl', '-u', 'docker.service', '-n', '50', '--no-pager'),
      ],
      details: lines,
    });
  }
  return new DockerTlsError({
    code: 'E_UNANSWERED',
    where: host,
    message: 'the host did not say how the change ended',
    hints: [rollbackByHand(login)],
    details: printableLines(stderr, 10),
  });
}
