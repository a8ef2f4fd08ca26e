/** Owns how a command about a shared store itself opens it. Apart from store.ts, so that other commands load nothing of it. */

import { openTeamSession } from '../adapters/store/team/open.ts';
import type { Session } from '../adapters/store/team/session.ts';
import { type Attended, optionsOf } from './store.ts';

/** The session of a shared store, for commands about the store itself; undefined where the store is the directory. */
export function teamOf(context: Attended): Session | undefined {
  return openTeamSession(optionsOf(context));
}
