/** Commits that start again if another commit came first. */

import type { Opened } from './opened.ts';
import type { Session } from './session.ts';
import { isChanged } from './turns.ts';

/** On a busy computer, a change of operators lost 20 times in a row against six writers. */
const ATTEMPTS = 60;

/** Does the work on the newest content, and again on newer content after E_STORE_CHANGED. */
export async function retried<T>(session: Session, work: (base: Opened) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(await session.read(0));
    } catch (error) {
      if (!isChanged(error) || attempt >= ATTEMPTS) throw error;
      session.forget();
    }
  }
}
