/** What became of an attack: the code of a refusal, or a word for what was reached or noticed. */

import { DockerTlsError } from '../../../../../src/errors/errors.ts';
import type { Session } from '../../../../../src/features/team/store/session.ts';
import { readLog } from '../../../../../src/features/team/store/signed-log.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';

/** The code with which something was refused; `accepted` where it was not. */
export async function refusalOf(done: Promise<unknown>): Promise<string> {
  try {
    await done;
    return 'accepted';
  } catch (error) {
    if (error instanceof DockerTlsError) return error.code;
    throw error;
  }
}

export function reading(session: Session): Promise<string> {
  return refusalOf(teamStore(session).read());
}

/** Who made the newest change, as the log shows it to this user. */
export async function shownAs(session: Session): Promise<string> {
  const [last] = await readLog(session, 1);
  return last?.signedBy === undefined ? 'unsigned' : `signed by ${last.signedBy}: ${last.subject}`;
}
