/** Owns `log`: what was changed in a shared store, when and by whom. */

import type { LogEntry } from '../adapters/store/engine.ts';
import type { ActionContext } from './action-context.ts';
import { sharedStoreOf } from './operators.ts';

/** One change of a shared store. */
export type StoreLogEntry = LogEntry;

export async function storeLog(context: ActionContext, limit = 20): Promise<readonly StoreLogEntry[]> {
  const session = sharedStoreOf(context);
  // What is not genuine is refused before its history is believed.
  await session.read();
  return session.engine.log(limit);
}
