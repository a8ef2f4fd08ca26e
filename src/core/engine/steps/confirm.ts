/** Confirmation step: the question about the plan, before any change. */

import { hasChanges } from '../../domain/plan/plan-host.ts';
import type { ChangeContext, Planned } from '../intent.ts';

/** Whether a host may change. Without plans yet (several hosts, approved beforehand), each may. */
export function mayChange({ hosts }: Pick<ChangeContext, 'hosts'>): boolean {
  return hosts.length === 0 || hosts.some((one) => one.kind === 'done' && hasChanges(one.value.plan));
}

/** Asks the intent's question, if it has one. Fails with E_DECLINED if the person declines, and with E_INTERRUPTED. */
export async function confirm(planned: Planned, { intent, run }: Pick<ChangeContext, 'intent' | 'run'>): Promise<void> {
  run.runtime.signal.throwIfAborted();
  const changing = planned.hosts.filter((one) => one.kind === 'done' && hasChanges(one.value.plan)).length;
  const question = intent.question?.(planned.wanted, changing);
  if (question !== undefined) await run.confirm(planned, question);
}
