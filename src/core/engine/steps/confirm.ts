/** The question to a person: what was planned, before anything is changed. */

import { hasChanges } from '../../domain/plan/plan.ts';
import type { Intent } from '../../domain/trust/changes.ts';
import type { Planned, Run } from '../intent.ts';

/** Fails as the person decides (E_DECLINED), and with E_INTERRUPTED. */
export async function confirm(intent: Intent, planned: Planned, run: Run): Promise<void> {
  run.runtime.signal.throwIfAborted();
  const changing = planned.hosts.filter((one) => one.kind === 'done' && hasChanges(one.value.plan)).length;
  const question = intent.question?.(planned.wanted, changing);
  if (question !== undefined) await run.confirm(planned, question);
}
