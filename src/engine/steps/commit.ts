/** Owns confirming a change to its host, also where the connection breaks meanwhile. */

import { kindOf } from '../../domain/plan/host-kind.ts';
import type { HostSession } from '../../runtime.ts';
import { gather } from '../gather.ts';
import { type Ending, endTransaction } from '../host-transaction.ts';
import type { HostChange } from '../intent.ts';
import { sshOptions } from './connect.ts';

/** How the change ended. Over a session that was opened after the change: a host that no longer accepts logins must not keep it. */
export function commit(change: HostChange, fresh: HostSession): Promise<Ending> {
  return endTransaction(fresh, { id: change.id, kind: kindOf(change.facts) }, 'commit').then(
    ({ ending }) => ending,
    (error: unknown) => settle(change, error),
  );
}

/** The connection broke while the change was confirmed: asks over another one how it ended. */
async function settle(change: HostChange, cause: unknown): Promise<Ending> {
  const session = await change.reach.runtime.connect(sshOptions(change.spec, change.reach)).catch(() => undefined);
  if (session === undefined) throw cause;
  try {
    const { ending } = await endTransaction(session, { id: change.id, kind: kindOf(change.facts) }, 'commit');
    if (ending !== 'nothing') return ending;
    // Nothing under way: either it was kept, or it went back. The host's records know.
    const { facts } = await gather(session, { now: change.reach.runtime.now });
    const kept =
      change.plan.generation === 'none'
        ? facts.state === undefined
        : facts.state?.generation === change.plan.generation;
    return kept ? 'committed' : 'nothing';
  } finally {
    await session.close();
  }
}
