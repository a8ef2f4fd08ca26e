/** Transaction on a host: start, confirmation, rollback, and the host's answers. */

import { DockerTlsError, printable, printableLines } from '../../errors/errors.ts';
import { LISTENER_SERVICE } from '../domain/dockerd/paths.ts';
import { isLimited, limitHint } from '../domain/login-limits.ts';
import type { HostKind } from '../domain/plan/host-kind.ts';
import type { HostState } from '../domain/plan/host-state.ts';
import { diskFullError, lockedError, repairHints, rollbackByHand } from '../domain/plan/preflight.ts';
import { asBefore, renderEnding, renderHold, type Transaction } from '../domain/plan/transaction.ts';
import { type Login, sudoCommand } from '../domain/quote.ts';
import { CONTAINERS_STOPPED, type HostScriptResult, OPEN, parseResult, parseWarnings } from '../host/protocol.ts';
import type { HostSession } from '../runtime.ts';

/**
 * Runs a transaction up to the restarted daemon, and returns the host's warnings. The host then waits for `endTransaction(…, 'commit')` and
 * rolls back without it. Fails with E_HOST_LOCKED, E_HOST_CHANGED, E_STALE_CHANGE, E_DISK_FULL, E_DAEMON_CONFIG (nothing changed),
 * E_DAEMON_START (rolled back at once, with the daemon's own lines), E_CONTAINERS_STOPPED, E_APPLY, E_ROLLBACK (exit 6), E_UNANSWERED (the
 * script on the host died, so the outcome is unknown: roll back), and the session's errors when the connection is lost.
 */
export async function startTransaction(
  session: HostSession,
  transaction: Transaction,
  options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
    readonly onStep?: (step: string) => void;
    readonly onOpen?: () => void;
  },
): Promise<readonly string[]> {
  const result = await session.run({
    phase: 'apply',
    script: transaction.script,
    input: transaction.input,
    asRoot: true,
    timeoutMs: options.timeoutMs,
    onLine: (line) => {
      if (line.startsWith('@ ')) options.onStep?.(printable(line.slice(2), 40));
      else if (line === OPEN) options.onOpen?.();
    },
    signal: options.signal,
  });
  const stdout = result.stdout.toString('utf8');
  const last = parseResult(stdout);
  if (last?.kind === 'switched') return parseWarnings(stdout).map((text) => printable(text, 500));
  throw translate(session, transaction, last, result.stderr);
}

/**
 * Locks the host for a coming change, or extends the lock; `endTransaction(…, 'undo')` releases it. Fails with E_HOST_LOCKED,
 * E_STALE_CHANGE, E_ROLLBACK, E_APPLY, E_UNANSWERED.
 */
export async function holdHost(
  session: HostSession,
  change: Pick<Transaction, 'id' | 'kind'>,
  { signal, ...hold }: { readonly who: string; readonly seconds: number; readonly signal?: AbortSignal },
): Promise<void> {
  const script = renderHold(change, hold);
  const result = await session.run({ phase: 'hold', script, asRoot: true, timeoutMs: 240_000, signal });
  const last = parseResult(result.stdout.toString('utf8'));
  if (last?.kind !== 'held') throw translate(session, { kind: change.kind, wasActive: true }, last, result.stderr);
}

/** Outcome of a commit or undo. `nothing`: the host knows no such change; `full`: its disk had no room to keep it. */
export type Ending = 'committed' | 'undone' | 'nothing' | 'stuck' | 'full';

/** `remark`: what differs from before although the files are restored, or why the change could not be kept; otherwise empty. */
export type EndingResult = { readonly ending: Ending; readonly remark: string };

/** Confirms a change (with `record` in its records) or rolls it back, over any session with the host. */
export async function endTransaction(
  session: HostSession,
  change: Pick<Transaction, 'id' | 'kind'>,
  verb: 'commit' | 'undo',
  record?: HostState,
): Promise<EndingResult> {
  const script = renderEnding(verb, change, record);
  const result = await session.run({ phase: verb, script, asRoot: true, timeoutMs: 240_000 });
  const last = parseResult(result.stdout.toString('utf8'));
  switch (last?.kind) {
    case 'undone':
      return { ending: 'undone', remark: printable(last.remark, 600) };
    case 'committed':
    case 'nothing':
      return { ending: last.kind, remark: '' };
    case 'uncommitted':
      return { ending: NO_SPACE.test(last.why) ? 'full' : 'stuck', remark: printable(last.why, 600) };
    default:
      return { ending: 'stuck', remark: '' };
  }
}

/** Whether the host reports, at the confirmation, containers that the change has stopped (src/core/host/rollback/containers.sh). */
export function saysContainersStopped(remark: string): boolean {
  return remark.includes(CONTAINERS_STOPPED);
}

/** Error for containers that a change has stopped: the host differs from before. */
export function containersStopped(
  { host, login }: HostLogin,
  { commands }: HostKind,
  message: string,
  details: readonly string[] = [],
): DockerTlsError {
  return new DockerTlsError('E_CONTAINERS_STOPPED', message, {
    where: host,
    hints: [`see which run: ${sudoCommand(login, 'docker', 'ps', '-a')}`, sudoCommand(login, ...commands.log)],
    details,
  });
}

/** C-locale messages of ENOSPC and EDQUOT; the scripts set that locale. */
const NO_SPACE = /No space left on device|Disk quota exceeded/;

type HostLogin = Pick<HostSession, 'host' | 'login'>;

function translate(
  session: HostLogin,
  { kind, wasActive }: Pick<Transaction, 'kind' | 'wasActive'>,
  last: HostScriptResult | undefined,
  stderr: string,
): DockerTlsError {
  const { host, login } = session;
  switch (last?.kind) {
    case 'locked':
      return lockedBy(session, kind, last.lock, last.now);
    case 'again':
      return new DockerTlsError(
        'E_STALE_CHANGE',
        'an earlier, unconfirmed change was rolled back just now; the new one was not started',
        { where: host, hints: ['run the same command again'] },
      );
    case 'blocked':
      return new DockerTlsError(
        'E_ROLLBACK',
        'the rollback of an earlier change failed, and does so again; nothing further was changed',
        { where: host, hints: repairHints(login, kind) },
      );
    case 'changed':
      return new DockerTlsError(
        'E_HOST_CHANGED',
        `${printable(last.path, 500)} was changed since the plan was made; nothing was changed`,
        { where: host, hints: ['run the same command again'] },
      );
    case 'failed':
      return failed(session, kind, last.step, last.why);
    case 'rolled-back':
      return rolledBack(session, kind, wasActive, last);
    case 'stuck':
      return new DockerTlsError(
        'E_ROLLBACK',
        `the change failed (${printable(last.step)}), and rolling back failed as well: ${reason(last.why)}`,
        {
          where: host,
          hints: repairHints(login, kind),
          details: printableLines(last.journal, 15),
        },
      );
    default:
      return new DockerTlsError('E_UNANSWERED', 'the host did not say how the change ended', {
        where: host,
        hints: [rollbackByHand(login, kind)],
        details: printableLines(stderr, 10),
      });
  }
}

function lockedBy({ host, login }: HostLogin, kind: HostKind, lock: string, now: string): DockerTlsError {
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(lock)?.[1] ?? '';
  return lockedError({ host, login }, kind, {
    who: printable(value('who') || 'another run', 200),
    since: new Date(Number(value('since') || Number.NaN) * 1000),
    // By the host's own clock; an unreadable lock expires soon.
    expiresInS: Math.max(1, Number(value('expires')) - Number(now)) || 1,
    // Unknown. The run that takes the lock next rolls back what had begun.
    begun: false,
  });
}

function failed({ host, login }: HostLogin, kind: HostKind, step: string, why: string): DockerTlsError {
  const hostLines = printableLines(why, 20);
  const message = reason(why);
  if (NO_SPACE.test(message) || / 100% /.test(message)) {
    return diskFullError({ host, login }, "the host's disk is full; nothing was changed", hostLines);
  }
  // Stopped by its time limit (src/core/domain/dockerd/validate.ts), as on an overloaded host.
  if (step === 'validate' && why.trim() === '') {
    return new DockerTlsError(
      'E_DAEMON_CONFIG',
      'dockerd did not say in time whether it accepts its new configuration; nothing was changed',
      {
        where: host,
        hints: [
          `see what keeps the host busy: ${sudoCommand(login, 'top', '-b', '-n', '1')}`,
          'run the same command again',
        ],
      },
    );
  }
  if (step === 'validate' && isLimited(why))
    return new DockerTlsError(
      'E_APPLY',
      'limits of the login kept dockerd from validating its new configuration; nothing was changed',
      { where: host, hints: [limitHint(login)], details: hostLines },
    );
  const gone = /^env: .*?(\/[^'’"\s]+).*No such file or directory/m.exec(why)?.[1];
  if (step === 'validate' && gone !== undefined)
    return new DockerTlsError('E_DAEMON_CONFIG', `${gone} is no longer there; nothing was changed`, {
      where: host,
      hints: ['run the same command again'],
      details: hostLines,
    });
  if (step === 'validate') {
    return new DockerTlsError(
      'E_DAEMON_CONFIG',
      // So does HAProxy begin its lines.
      `${/^\[(?:ALERT|WARNING|NOTICE)\]/m.test(why) ? 'the listener' : 'dockerd'} refuses the configuration that it would get; nothing was changed`,
      { where: host, hints: ['fix what it names, then run the same command again'], details: hostLines },
    );
  }
  return new DockerTlsError(
    'E_APPLY',
    `the change could not be prepared (${printable(step)}): ${message}; nothing was changed`,
    { where: host, hints: lookHints(login, kind, message) },
  );
}

/** Commands to inspect the path that a failure names. */
function lookHints(login: Login, { places }: HostKind, message: string): string[] {
  const named = /(\/(?:etc|home|root|run|var)\/[^\s':]*)/.exec(message)?.[1]?.replace(/\.docker-tls-[a-z-]+$/, '');
  if (named === undefined) return [`list the obstacles: ${sudoCommand(login, 'ls', '-la', places.tls, places.state)}`];
  const paths = [named.slice(0, named.lastIndexOf('/')), named];
  return message.includes('Operation not permitted')
    ? [
        `see whether it is immutable (i, a): ${sudoCommand(login, 'lsattr', '-d', ...paths)}`,
        `if it is: ${sudoCommand(login, 'chattr', '-ia', ...paths)}`,
      ]
    : [`list the obstacles: ${sudoCommand(login, 'ls', '-ld', ...paths)}`];
}

function rolledBack(
  session: HostLogin,
  kind: HostKind,
  wasActive: boolean,
  { step, why, journal, remark }: Extract<HostScriptResult, { kind: 'rolled-back' }>,
): DockerTlsError {
  const { host, login } = session;
  const { commands, service } = kind;
  const left = printable(remark, 600);
  if (step === 'containers') {
    const files = left === '' ? "the host's files are restored" : asBefore(left);
    return containersStopped(session, kind, `${reason(why)}; ${files}`, printableLines(journal, 15)).afterRollback();
  }
  const started = step === 'restart' || step === 'reload';
  const stopped = `the host was rolled back, with ${service} stopped as before`;
  const back = left !== '' ? asBefore(left) : wasActive ? 'the host was rolled back' : stopped;
  const runs = left === '' && wasActive ? ' and runs as before' : '';
  return new DockerTlsError(
    started ? 'E_DAEMON_START' : 'E_APPLY',
    started
      ? `the daemon did not start with the new configuration; ${back}${runs}`
      : `the change failed (${printable(step)}): ${reason(why)}; ${back}`,
    {
      where: host,
      hints: [
        sudoCommand(
          login,
          ...(step.endsWith('-sshd') ? commands.sshdLog : step === 'listener' ? listenerLog(kind, why) : commands.log),
        ),
        // The daemon's own settings may be to blame: it has never started with them.
        ...(started && !wasActive
          ? [`see whether it starts without the change: ${sudoCommand(login, ...commands.start)}`]
          : []),
      ],
      details: [...(started ? printableLines(why, 20) : []), ...printableLines(journal, 15)],
    },
  ).afterRollback();
}

/** The log of the listener, and of the sockets that a failure names. */
function listenerLog({ systemctl }: HostKind, why: string): string[] {
  const units = [LISTENER_SERVICE, ...new Set(why.match(/docker-tls-role@[a-z0-9-]+\.socket/g))];
  return ['journalctl', ...systemctl.slice(1), ...units.flatMap((unit) => ['-u', unit]), '-n', '20', '--no-pager'];
}

function reason(why: string): string {
  // Without the shell's position in our script.
  return (
    printableLines(why, 20)
      .map((line) => line.replace(/^\S*sh: (?:line )?\d+: (?:eval: )?/, ''))
      .join('; ') || 'the host gave no reason'
  );
}
