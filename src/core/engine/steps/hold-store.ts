/** Store lock from issuing to the last host, for a first setup that fails without a trace. */

import type { StoreState } from '../../adapters/store/records.ts';
import { caAfter, type Wanted } from '../../domain/trust/changes.ts';
import { asksExternalCa } from '../../domain/trust/view.ts';
import type { ChangeContext, Run } from '../intent.ts';

/**
 * Whether the store stays locked: a failed first setup leaves no store behind, and only the lock of the write allows undoing it completely.
 * Other runs do not wait for several hosts, nor for an external CA. A shared store has no lock.
 */
export function holdsStore(wanted: Wanted, { ca }: StoreState, { shared, store }: Run): boolean {
  const alone = wanted.hosts.length === 1 && !shared && !store.shared;
  return wanted.temporary === true && alone && !asksExternalCa({ ca: caAfter(ca, wanted.credentials) });
}

/** Takes the steps, one after the other. */
export async function holdStore(
  context: ChangeContext,
  steps: readonly ((context: ChangeContext) => Promise<void>)[],
): Promise<void> {
  const { held, intent, run } = context;
  const take = async () => {
    for (const step of steps) await step(context);
  };
  await (held ? run.store.withLock(`docker-tls ${intent.reason}`, take) : take());
}
