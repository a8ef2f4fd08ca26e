/** The host's lock while an external CA is asked: of runs that have the same host at the same time, one asks. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { kindOf } from '../../domain/plan/host-kind.ts';
import { endTransaction, holdHost } from '../host-transaction.ts';
import type { Base, PlannedHost, Run } from '../intent.ts';
import { latestOf, sameHost } from './record.ts';

/** A run that is killed meanwhile leaves the host locked for no longer. */
const HOLD_S = 120;
const RENEW_MS = 40_000;

/**
 * Does `work` while the host is locked, and only if the host is what it was planned from. The change of this `id` takes the lock over; where
 * `work` fails it is released. Fails with E_HOST_LOCKED, E_STALE_CHANGE and as `work` does.
 */
export async function whileHeld<T>(
  planned: PlannedHost,
  id: string,
  base: Pick<Base, 'state'>,
  { runtime, store }: Pick<Run, 'runtime' | 'store'>,
  work: () => Promise<T>,
): Promise<T> {
  const { session, spec, latest } = planned;
  const change = { id, kind: kindOf(planned.facts) };
  const hold = () => holdHost(session, change, { who: runtime.operator, seconds: HOLD_S, signal: runtime.signal });
  // A person may take a while to sign. A renewal that came after the change had begun would be taken for another run.
  let renewed: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewed = renewed.then(hold).catch(() => undefined);
  }, RENEW_MS);
  try {
    await hold();
    // The run that had the host before recorded what it became before it released the lock.
    const now = await latestOf(spec.name, base, store, { fresh: true });
    if (!sameHost(now.hosts.get(spec.name), latest.hosts.get(spec.name))) throw changedMeanwhile(spec.name);
    const done = await work();
    clearInterval(timer);
    await renewed;
    return done;
  } catch (error) {
    clearInterval(timer);
    await renewed;
    await endTransaction(session, change, 'undo').catch(() => undefined);
    throw error;
  }
}

export function changedMeanwhile(host: string): DockerTlsError {
  return new DockerTlsError('E_STALE_CHANGE', 'another run has changed this host since the plan was made', {
    where: host,
    hints: ['run the same command again'],
  });
}
