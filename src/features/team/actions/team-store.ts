/** `store check`, `store restore` and `log`: checks, restoration of lost content, and history of a shared store. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { agree } from '../../../core/actions/prompts.ts';
import type { LogEntry } from '../engines/engine.ts';
import { commitWords } from '../store/refusals.ts';
import { type CheckedStore, checkTeamStore, newestSeen, restoreTeamStore } from '../store/restore.ts';
import { sharedStoreOf } from './team-session.ts';

export type StoreCheck = CheckedStore & { readonly store: string };

/** `accept`: accept the present state as the newest, although this machine has seen a newer one. */
export async function checkStore(context: ActionContext, accept: boolean): Promise<StoreCheck> {
  const session = sharedStoreOf(context);
  if (accept)
    await agree(
      context.prompts,
      `Accept the current state of ${session.url}, although this computer has seen a newer one?`,
    );
  return { store: session.url, ...(await checkTeamStore(session, accept && !context.global.dryRun)) };
}

/** Number of the new commit; undefined if nothing was lost. `replaceUnseen`: also undo changes that this machine has not seen. */
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

/** One commit of a shared store. */
export type StoreLogEntry = LogEntry;

export async function storeLog(context: ActionContext, limit = 20): Promise<readonly StoreLogEntry[]> {
  const session = sharedStoreOf(context);
  // Verify the store before trusting its history.
  await session.read();
  return session.engine.log(limit);
}
