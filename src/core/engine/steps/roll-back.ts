/** Rollback of a failed change from this machine: runs the script armed on the host, over any connection. */

import { DockerTlsError, interrupted } from '../../../errors/errors.ts';
import { kindOf } from '../../domain/plan/host-kind.ts';
import { repairHints } from '../../domain/plan/preflight.ts';
import { asBefore } from '../../domain/plan/transaction.ts';
import type { HostSpec } from '../../domain/settings.ts';
import { type Ending, endTransaction } from '../host-transaction.ts';
import type { HostChange } from '../intent.ts';
import { sshOptions } from './open-host.ts';

/** Rolls the change back at once, over the old connection or a new one; returns the error with the outcome. */
export async function rollBackHost(
  change: HostChange,
  cause: unknown,
  /** Progress of the change. `starting`: it may not have begun; `confirming`: the host may have received the confirmation. */
  stage: 'starting' | 'switched' | 'confirming',
): Promise<unknown> {
  const confirming = stage === 'confirming';
  const { id, spec, session, reach, progress } = change;
  progress.phase('roll back');
  let ending: Ending | 'unreachable' = 'unreachable';
  let remark = '';
  for (const open of [
    async () => session,
    async () => reach.runtime.connect({ ...sshOptions(spec, reach), signal: new AbortController().signal }),
  ]) {
    try {
      const other = await open();
      ({ ending, remark } = await endTransaction(other, { id, kind: kindOf(change.facts) }, 'undo'));
      if (other !== session) await other.close();
      break;
    } catch {
      // Try a new connection; otherwise the host's own timer rolls back.
    }
  }
  // After the host: it must not wait for a run that holds the store.
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
    return new DockerTlsError('E_ROLLBACK', `${why}; rolling back failed as well`, {
      where: spec.name,
      hints: repairHints(session.login, kindOf(change.facts)),
      details: [...(original?.details ?? []), ...unwritten],
      cause,
    });
  }
  const unclear = confirming && ending !== 'unreachable' && ending !== 'undone';
  const back =
    ending === 'unreachable'
      ? `the host cannot be reached; it ${confirming ? 'has kept the change, or ' : ''}rolls back by itself within ${spec.confirmWithin} s`
      : unclear
        ? 'the host may have kept the change'
        : ending === 'nothing'
          ? stage === 'starting'
            ? 'the host has no such change: it had not begun, or was rolled back already'
            : 'the host had already rolled back'
          : asBefore(remark);
  if (reach.runtime.signal.aborted) {
    const hints = unclear ? ['run the same command again'] : [];
    return interrupted(`interrupted; ${back}`, { where: spec.name, hints, details: unwritten, cause });
  }
  if (ending === 'nothing' && original?.code === 'E_VERIFY') {
    // Verified too late: the connections reached the old state again.
    return notConfirmed(spec, `the host had already rolled back: nothing was confirmed within ${spec.confirmWithin} s`);
  }
  return new DockerTlsError(original?.code ?? 'E_APPLY', `${why}; ${back}`, {
    where: spec.name,
    // The error's own hint is the rollback that has just been done.
    hints:
      unclear || (original?.code === 'E_UNANSWERED' && ending !== 'unreachable')
        ? ['run the same command again']
        : (original?.hints ?? []),
    details: [...(original?.details ?? []), ...unwritten],
    cause,
  }).afterRollback();
}

export function notConfirmed(spec: HostSpec, message: string): DockerTlsError {
  return new DockerTlsError('E_NOT_CONFIRMED', message, {
    where: spec.name,
    hints: ['run the same command again', `give it more time: --confirm-within ${spec.confirmWithin * 2}s`],
  });
}
