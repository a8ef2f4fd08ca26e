/** Shared store sessions for commands about the store itself, and a store's whole content. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { type Attended, storeOf, storeOptions } from '../../../core/actions/open-store.ts';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import { usage } from '../../../errors/errors.ts';
import { openTeamSession } from '../store/open-team-store.ts';
import type { Session } from '../store/session.ts';

/** Session of a shared store; undefined if the store is a directory. */
export function teamOf(context: Attended): Session | undefined {
  return openTeamSession(storeOptions(context));
}

/** The shared store of a command. Fails with E_USAGE (exit 2) if the store is a local directory. */
export function sharedStoreOf(context: Attended): Session {
  const session = teamOf(context);
  if (session !== undefined) return session;
  const what =
    'this store is a directory of this computer, which only you use; this command is for one that a team shares';
  const ways = ['--store git+ssh://git@HOST/PATH.git …', 'store copy --to git+ssh://git@HOST/PATH.git'];
  throw usage(
    what,
    ways.map((way) => `docker-tls ${way}`),
  ).at(context.global.home);
}

/** The content of a shared store as seen by operators who can open the CA. Fails for any other user. */
export async function wholeState(context: ActionContext): Promise<StoreState> {
  const store = storeOf(context);
  if (store.shared) await store.requireWritable();
  return store.read();
}
