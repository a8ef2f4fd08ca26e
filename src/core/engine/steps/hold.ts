/** Host lock while an external CA signs, so that of concurrent runs on a host only one asks the CA. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { kindOf } from '../../domain/plan/host-kind.ts';
import { endTransaction, holdHost } from '../host-transaction.ts';
import type { Base, PlannedHost, Run } from '../intent.ts';
import { latestOf, sameHost } from './record.ts';

/** Maximum time that a killed run leaves the host locked. */
const HOLD_S = 120;
const RENEW_MS = 40_000;

/**
 * Runs `work` under the host's lock, if the host's record has not changed since the plan. The change `id` takes the lock over; if `work`
 * fails, the lock is released. Fails with E_HOST_LOCKED, E_STALE_CHANGE, and as `work` does.
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
  // A person may take a while to sign, so the lock is renewed. The host would mistake a renewal during the change for another run.
  let renewed: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewed = renewed.then(hold).catch(() => undefined);
  }, RENEW_MS);
  try {
    await hold();
    // A previous run writes the host's record before it releases the lock.
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
