/** What became of an attack: the code of a refusal, or a word for what was reached or noticed. */

import { DockerTlsError } from '../../../../../src/errors/errors.ts';
import { restoreTeamStore } from '../../../../../src/features/team/store/restore-store.ts';
import type { Session } from '../../../../../src/features/team/store/session.ts';
import { readLog } from '../../../../../src/features/team/store/signed-log.ts';
import { fingerprintOf, type SignerList } from '../../../../../src/features/team/store/signers.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';
import type { Scene } from './scene.ts';

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

/** What becomes of a runner without memory after a restoration: without `?key=`, and with the list of today. */
export async function newRunners(scene: Scene): Promise<string> {
  await restoreTeamStore(scene.member('ada').session());
  const key = fingerprintOf(scene.head.signers.at(-1) as SignerList);
  const pinned = scene.open(scene.member('bob'), `key=${key}`);
  return `${await reading(scene.runner())}, with ?key= ${await reading(pinned)}`;
}
