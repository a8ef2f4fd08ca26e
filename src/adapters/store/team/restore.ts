/** Looking through a shared store, and putting back what was lost. */

import { asWritten, DockerTlsError } from '../../../errors/errors.ts';
import type { Snapshot } from '../engine.ts';
import { readTree } from '../read.ts';
import { genuine } from './genuine.ts';
import type { Seen } from './local.ts';
import { fingerprintOf, MANIFEST, type Manifest, readSigned, sha256 } from './manifest.ts';
import { mapTree } from './map-tree.ts';
import * as refusals from './refusals.ts';
import type { Session } from './session.ts';

export type CheckedStore = {
  readonly sequence: number;
  readonly signer: string;
  readonly files: number;
  readonly operators: number;
};

/** Goes through the whole store. `accept`: what is there is the newest from now on, though more was seen. Fails as a read does. */
export async function checkTeamStore(session: Session, accept: boolean): Promise<CheckedStore> {
  if (accept) {
    const snapshot = await session.snapshot();
    const { manifest, signers } = genuine(session.url, snapshot);
    const known = signers.map(fingerprintOf);
    const last = session.local.seen();
    const before = last?.signers ?? known;
    // Signed by the key that was seen, or one that it has vouched for. A key that was replaced, as after an operator was removed, signs
    // nothing new: it counts only for a commit of the history that was seen.
    const past =
      last !== undefined &&
      before.includes(known.at(-1) ?? '') &&
      (await session.engine.contains(last.revision, snapshot.revision)) === true;
    if (!known.includes(before.at(-1) ?? '') && !past)
      throw refusals.tampered(
        session.url,
        `the store is signed by ${known.at(-1)}, which ${before.at(-1)} has not vouched for`,
      );
    const { revision, files } = snapshot;
    const seen = { sequence: manifest.sequence, revision, manifest: sha256(files.get(MANIFEST)), signers: known };
    session.remember(snapshot, seen, true);
  }
  const opened = await session.read(0);
  const last = opened.signers.at(-1);
  if (last === undefined) throw refusals.fresh(session.url);
  // Every record and certificate is parsed; the keys that this operator opens as well.
  readTree(session.local.home, mapTree(opened.contents, session.url));
  const { sequence, operators, snapshot } = opened;
  return { sequence, signer: fingerprintOf(last), files: snapshot.files.size, operators: operators.length };
}

/** What `store restore` puts back: the newest state that this computer has seen. Fails with E_STORE_OLDER where there is none. */
export async function newestSeen(session: Session): Promise<{ readonly seen: Seen; readonly snapshot: Snapshot }> {
  const seen = session.local.seen();
  const snapshot = seen === undefined ? undefined : await session.engine.at(seen.revision);
  if (seen !== undefined && snapshot !== undefined) return { seen, snapshot };
  throw new DockerTlsError('E_STORE_OLDER', 'this computer has no newer state of the store than what is there', {
    where: session.url,
    hints: [asWritten('on a computer that used it last: docker-tls store restore')],
  });
}

/** Commits that are looked through for a newer state below what an outsider has put on top. */
const MOST_COMMITS = 500;
const LONGEST_HISTORY = 1_000_000;

/**
 * Commits the newest genuine state that continues what this computer has seen on top of what is in the store now; gives the number of that.
 * Undefined: nothing was lost. Changes of operators that this computer has not seen are undone only with `replaceUnseen`: else one who has
 * been away for long would, after anybody's rubbish, bring back clients that others have revoked.
 */
export async function restoreTeamStore(session: Session, replaceUnseen = false): Promise<number | undefined> {
  const { url, engine } = session;
  const last = await newestSeen(session);
  const { seen } = last;
  const present = await session.snapshot();
  if (present.offline !== undefined) throw present.offline.cause;
  if (await continues(session, present)) return undefined;
  const found = await lookThrough(session, present, last.snapshot);
  if (!replaceUnseen && (found.unseen.length > 0 || found.more))
    throw refusals.unseen(url, found.unseen, engine.comparison?.(seen.revision, present.revision));
  const newest = found.newest ?? last.snapshot;
  const opened = await session.openAt(newest);
  const above = Math.max(seen.sequence, opened.sequence, ...found.unseen.map(({ sequence }) => sequence), found.above);
  const { keys, operators, signers, contents } = opened;
  if (keys?.ca === undefined || keys.signing === undefined || signers.length === 0)
    throw refusals.readOnly(url, operators);
  const full = { ...keys, ca: keys.ca, signing: keys.signing };
  const done = await session.commit(
    { ...opened, snapshot: present },
    { contents, operators, signers, keys: full, above, regained: newest.revision },
    { subject: 'docker-tls store restore', lines: [`back to commit ${opened.sequence}`] },
  );
  return done.sequence;
}

/** Genuine, and not older than what was seen. */
async function continues(session: Session, snapshot: Snapshot): Promise<boolean> {
  try {
    return (await session.check(snapshot)) !== undefined;
  } catch (error) {
    if (error instanceof DockerTlsError && (error.code === 'E_STORE_TAMPERED' || error.code === 'E_STORE_OLDER'))
      return false;
    throw error;
  }
}

type Found = { newest?: Snapshot; readonly unseen: Manifest[]; above: number; readonly more: boolean };

/** What operators have signed of what is there: what continues this computer's state, and what it has not seen. */
async function lookThrough(session: Session, present: Snapshot, last: Snapshot): Promise<Found> {
  const { engine, local } = session;
  const before = local.seen() as Seen;
  const since = present.revision === '' ? [] : await engine.since?.(present.revision, last.revision, MOST_COMMITS);
  const found: Found = { unseen: [], above: 0, more: engine.since !== undefined && since === undefined };
  let newest = before.sequence;
  for (const revision of new Set([...(since ?? []), present.revision])) {
    const snapshot = revision === present.revision ? present : await engine.at(revision);
    const signed = snapshot === undefined ? '' : readSigned(snapshot.files);
    // Only what a key has signed that was seen, or that it has vouched for, is an operator's.
    if (snapshot === undefined || typeof signed === 'string') continue;
    const { manifest, signers } = signed;
    if (!signers.some((one) => before.signers.includes(fingerprintOf(one)))) continue;
    found.above = Math.max(found.above, manifest.sequence);
    if (await continues(session, snapshot)) {
      if (manifest.sequence > newest) found.newest = snapshot;
      newest = Math.max(newest, manifest.sequence);
    } else if (!(await wasSeen(session, snapshot, manifest, before))) found.unseen.push(manifest);
  }
  return found;
}

/** Whether the line of commits that this computer has seen holds this signed list. */
async function wasSeen(session: Session, snapshot: Snapshot, manifest: Manifest, before: Seen): Promise<boolean> {
  const hash = sha256(snapshot.files.get(MANIFEST));
  if (hash === before.manifest) return true;
  const { engine } = session;
  if (manifest.sequence >= before.sequence) return false;
  if (engine.since === undefined) return (await engine.contains(before.revision, snapshot.revision)) === true;
  // The same list under another commit: what it was made on says where it would be.
  const after = await engine.since(before.revision, manifest.parent, LONGEST_HISTORY);
  const there = after?.at(-1) === undefined ? undefined : await engine.at(after.at(-1) as string);
  return sha256(there?.files.get(MANIFEST)) === hash;
}
