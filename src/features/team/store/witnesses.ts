/** Revisions of a shared store that hosts and other witnesses keep, and comparison of the store with them. */

import type { StoreMark } from '../../../core/domain/plan/host-state.ts';
import type { Opened } from './opened.ts';
import type { Session } from './session.ts';
import { fingerprintOf } from './signers.ts';

/** The store compared with a revision that a witness has kept. `other`: a revision of another store, or of a directory. */
export type StoreLine = 'continues' | 'older' | 'forked' | 'other';

/** The revision of a verified snapshot; undefined for an empty store. */
export function markOf({ signers, sequence, snapshot }: Opened): StoreMark | undefined {
  const [first] = signers;
  return first === undefined ? undefined : { id: fingerprintOf(first), number: sequence, hash: snapshot.revision };
}

/**
 * A verified snapshot compared with a revision that a witness has seen. The snapshot's history is bound to it, so a revision that is not in
 * that history was taken out of it. A witness is not trusted: a false one can refuse a good store, but never pass a bad one.
 */
export async function compareWith({ engine }: Session, opened: Opened, seen: StoreMark): Promise<StoreLine> {
  const mark = markOf(opened);
  if (mark?.id !== seen.id) return 'other';
  if (seen.number > mark.number) return 'older';
  if (seen.number === mark.number) return seen.hash === mark.hash ? 'continues' : 'forked';
  // Undefined: the history between them is not there to be looked through.
  return (await engine.contains(mark.hash, seen.hash)) === true ? 'continues' : 'forked';
}
