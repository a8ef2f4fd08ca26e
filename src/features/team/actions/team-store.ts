/** `store check`, `store restore` and `log`: looking through a shared store, putting back what was lost, and who changed what. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { agree } from '../../../core/actions/prompts.ts';
import type { LogEntry } from '../engines/engine.ts';
import { commitWords } from '../store/refusals.ts';
import { type CheckedStore, checkTeamStore, newestSeen, restoreTeamStore } from '../store/restore.ts';
import { sharedStoreOf } from './team-session.ts';

export type StoreCheck = CheckedStore & { readonly store: string };

/** `accept`: what is there counts as the newest from now on, though this computer has seen a newer state. */
export async function checkStore(context: ActionContext, accept: boolean): Promise<StoreCheck> {
  const session = sharedStoreOf(context);
  if (accept)
    await agree(context.prompts, `Accept what is in ${session.url} now, though this computer has seen a newer state?`);
  return { store: session.url, ...(await checkTeamStore(session, accept && !context.global.dryRun)) };
}

/**
 * The number of the new commit; undefined where nothing was lost. `replaceUnseen`: also where the store holds changes that this computer has
 * not seen, which are undone.
 */
export async function restoreStore(
  context: ActionContext,
  replaceUnseen: boolean,
): Promise<{ readonly store: string; readonly sequence?: number }> {
  const session = sharedStoreOf(context);
  if (context.global.dryRun) {
    await newestSeen(session);
    return { store: session.url };
  }
  const undoing = replaceUnseen ? ', and undo all changes that do not lead to it' : '';
  const sequence = await restoreTeamStore(session, replaceUnseen, (newest) =>
    agree(context.prompts, `Put ${commitWords(newest)} back into ${session.url}${undoing}?`),
  );
  return { store: session.url, sequence };
}

/** One change of a shared store. */
export type StoreLogEntry = LogEntry;

export async function storeLog(context: ActionContext, limit = 20): Promise<readonly StoreLogEntry[]> {
  const session = sharedStoreOf(context);
  // What is not genuine is refused before its history is believed.
  await session.read();
  return session.engine.log(limit);
}
