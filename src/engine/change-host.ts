/** Owns the carrying out of one change: start, verification over new connections, store, confirmation; and the rollback from anywhere in between. */

import { randomBytes } from 'node:crypto';
import type { Ending, EndingResult } from '../adapters/ssh/transaction.ts';
import type { Credentials } from '../domain/plan/desired.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import type { HostPlan } from '../domain/plan/plan.ts';
import { diskFullError, rollbackByHand } from '../domain/plan/preflight.ts';
import { asBefore, renderTransaction } from '../domain/plan/transaction.ts';
import { type HostSpec, keptOf } from '../domain/settings.ts';
import { DockerTlsError, type ExitStatus, interrupted } from '../errors/errors.ts';
import type { HostProgress, HostSession, SshOptions } from '../runtime.ts';
import type { RunContext } from './host-run.ts';
import { type CheckResult, requireVerified, type VerifiedAt } from './verify-host.ts';

/** How a host of the spec is dialled. */
export function sshOptions(
  spec: HostSpec,
  context: Pick<RunContext, 'runtime' | 'sudoPassword' | 'sudoPasswords' | 'ask'>,
): SshOptions {
  const sudoPassword = context.sudoPasswords?.get(spec.name) ?? context.sudoPassword;
  return {
    ...spec.ssh,
    host: spec.name,
    ...(sudoPassword ? { sudoPassword } : {}),
    ...(context.ask ? { ask: context.ask } : {}),
    signal: context.runtime.signal,
  };
}

/** Errors with which the host itself says how a change ended. */
const ENDED = new Set([
  'E_HOST_LOCKED',
  'E_HOST_CHANGED',
  'E_STALE_CHANGE',
  'E_DISK_FULL',
  'E_DAEMON_CONFIG',
  'E_DAEMON_START',
  'E_APPLY',
  'E_ROLLBACK',
]);

export type HostChange = {
  readonly plan: HostPlan;
  readonly facts: HostFacts;
  readonly credentials: Credentials | undefined;
  /** What is asked for; the host keeps it with the generation. */
  readonly spec: HostSpec;
  readonly session: HostSession;
  readonly context: Pick<RunContext, 'runtime' | 'sudoPassword' | 'sudoPasswords' | 'ask' | 'reason'>;
  readonly progress: HostProgress;
  /** Real connections after the change; empty when there is nothing to verify over TLS. */
  readonly verify: () => Promise<CheckResult[]>;
  /** Where it is verified, if the store does not know the host yet. */
  readonly first?: VerifiedAt;
  /** Writes our own records, just before the host is told to keep the change. */
  readonly save: () => Promise<void>;
  readonly unsave: () => Promise<void>;
};

export type ChangeOutcome = {
  readonly checks: readonly CheckResult[];
  /** What the host had to say while it was changed. */
  readonly warnings: readonly string[];
};

/**
 * One transaction (docs/how-it-works.md): start, verify over new connections, write the store, confirm over a new ssh connection.
 * Whatever goes wrong leads to the rollback that lies on the host; the error says whether it was taken.
 */
export async function changeHost(change: HostChange): Promise<ChangeOutcome> {
  const { plan, spec, session, context, progress } = change;
  const { runtime } = context;
  const { startTransaction, endTransaction } = await import('../adapters/ssh/transaction.ts');
  const id = randomBytes(6).toString('hex');
  const transaction = renderTransaction(plan, change.facts, change.credentials, {
    id,
    who: runtime.operator,
    now: runtime.now(),
    confirmWithin: spec.confirmWithin,
    keep: spec.keep,
    reason: context.reason,
    settings: keptOf(spec),
  });
  let warnings: readonly string[];
  try {
    runtime.signal.throwIfAborted();
    warnings = await startTransaction(session, transaction, {
      timeoutMs: (spec.confirmWithin + 60) * 1000,
      signal: runtime.signal,
      onStep: (step) => progress.phase(step),
    });
  } catch (error) {
    // The host itself said how it ended: nothing is left to take back.
    if (error instanceof DockerTlsError && ENDED.has(error.code)) throw error;
    throw await rollBackHost(change, id, error, endTransaction);
  }
  let confirmation: HostSession | undefined;
  let confirming = false;
  /** The host has gone back by itself: nothing is left to take back. */
  let rolledBack = false;
  try {
    runtime.signal.throwIfAborted();
    progress.phase('verify');
    const opening = runtime.connect(sshOptions(spec, context));
    // Both are needed; whichever fails first must not leave the other unwatched.
    const [checks, fresh] = await Promise.all([change.verify(), opening.then((value) => (confirmation = value))]);
    requireVerified(spec.name, checks, 'the host was rolled back', change.first);
    runtime.signal.throwIfAborted();
    await change.save();
    progress.phase('confirm');
    confirming = true;
    const { ending } = await endTransaction(fresh, id, 'commit').catch((error: unknown) =>
      settle(change, id, error, endTransaction),
    );
    if (ending !== 'committed') {
      rolledBack = ending === 'nothing';
      if (rolledBack) await change.unsave();
      if (ending === 'full') throw diskFullError(fresh, 5, "the host's disk was too full to keep the change");
      throw notConfirmed(
        spec,
        rolledBack
          ? `the host had already gone back: the change was not confirmed within ${spec.confirmWithin} s`
          : 'the host could not keep the change',
      );
    }
    return { checks, warnings };
  } catch (error) {
    if (rolledBack) throw error;
    throw await rollBackHost(change, id, error, endTransaction, confirming);
  } finally {
    await confirmation?.close();
  }
}

/** The connection broke while the host was being told to keep the change: ask again, over another one, how it ended. */
async function settle(
  change: HostChange,
  id: string,
  cause: unknown,
  endTransaction: typeof import('../adapters/ssh/transaction.ts').endTransaction,
): Promise<EndingResult> {
  const session = await change.context.runtime.connect(sshOptions(change.spec, change.context)).catch(() => undefined);
  if (session === undefined) throw cause;
  try {
    const result = await endTransaction(session, id, 'commit');
    if (result.ending !== 'nothing') return result;
    // Nothing under way: either it was kept, or it went back. The host's records know.
    const { gather } = await import('../adapters/ssh/gather.ts');
    const { facts } = await gather(session, { now: change.context.runtime.now });
    const kept =
      change.plan.generation === 'none'
        ? facts.state === undefined
        : facts.state?.generation === change.plan.generation;
    return { ending: kept ? 'committed' : 'nothing', remark: '' };
  } finally {
    await session.close();
  }
}

function notConfirmed(spec: HostSpec, message: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_NOT_CONFIRMED',
    exit: 5,
    where: spec.name,
    message,
    hints: ['run the same command again', `give it more time: --confirm-within ${spec.confirmWithin * 2}s`],
  });
}

/** Takes the change back at once, over the old connection or a new one; says what came of it. */
async function rollBackHost(
  change: HostChange,
  id: string,
  cause: unknown,
  endTransaction: typeof import('../adapters/ssh/transaction.ts').endTransaction,
  /** The host may have heard that it should keep the change. */
  confirming = false,
): Promise<unknown> {
  const { spec, session, context, progress } = change;
  progress.phase('roll back');
  let ending: Ending | 'unreachable' = 'unreachable';
  let remark = '';
  for (const open of [
    async () => session,
    async () => context.runtime.connect({ ...sshOptions(spec, context), signal: new AbortController().signal }),
  ]) {
    try {
      const other = await open();
      ({ ending, remark } = await endTransaction(other, id, 'undo'));
      if (other !== session) await other.close();
      break;
    } catch {
      // The next way, or the host's own timer.
    }
  }
  // After the host, which must not wait for whoever holds the store.
  const unwritten =
    ending === 'committed'
      ? []
      : await change.unsave().then(
          () => [],
          (error: unknown) => [
            `the store still has the change: ${error instanceof Error ? error.message : String(error)}`,
          ],
        );
  const why = cause instanceof Error ? cause.message : String(cause);
  const original = cause instanceof DockerTlsError ? cause : undefined;
  if (ending === 'stuck') {
    return new DockerTlsError({
      code: 'E_ROLLBACK',
      exit: 6,
      where: spec.name,
      message: `${why}; rolling back failed as well`,
      hints: [rollbackByHand(session.login)],
      details: [...(original?.details ?? []), ...unwritten],
      cause,
    });
  }
  const back =
    ending === 'unreachable'
      ? `the host cannot be reached; it ${confirming ? 'has kept the change, or ' : ''}goes back on its own within ${spec.confirmWithin} s`
      : confirming && ending !== 'undone'
        ? 'the host may have kept the change: run the same command again'
        : asBefore(remark);
  if (context.runtime.signal.aborted) {
    return interrupted(`interrupted; ${back}`, { where: spec.name, details: unwritten, cause });
  }
  if (ending === 'nothing' && original?.code === 'E_VERIFY') {
    // It was verified too late: what was connected at was the old state again.
    return notConfirmed(spec, `the host had already gone back: nothing was confirmed within ${spec.confirmWithin} s`);
  }
  const exit: ExitStatus = original?.code === 'E_VERIFY' ? 7 : 5;
  return new DockerTlsError({
    code: original?.code ?? 'E_APPLY',
    exit,
    where: spec.name,
    message: `${why.replace(/; the host was rolled back$/, '')}; ${back}`,
    // Its hint is the rollback, which has just been taken.
    hints:
      original?.code === 'E_UNANSWERED' && ending !== 'unreachable'
        ? ['run the same command again']
        : (original?.hints ?? []),
    details: [...(original?.details ?? []), ...unwritten],
    cause,
  });
}
