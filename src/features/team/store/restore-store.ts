/** Check of a shared store, and restoration of lost content. */

import { readTree } from '../../../core/adapters/store/read.ts';
import { asWritten, DockerTlsError } from '../../../errors/errors.ts';
import type { Alike, Past, Snapshot } from '../engines/engine.ts';
import { commitOf, signedByColleague, signedOf, unconfirmed } from './genuine.ts';
import type { SeenState } from './local-copy.ts';
import { mapTree } from './map-tree.ts';
import type { Opened } from './opened.ts';
import type { Session } from './session.ts';
import { fingerprintOf } from './signers.ts';
import { ancestors, MANIFEST, readSigned, sha256Hex } from './store-manifest.ts';
import * as refusals from './store-refusals.ts';

/** No engine without a past has more commits in its cache. */
const MOST_KNOWN = 1000;

export type CheckedStore = {
  readonly sequence: number;
  readonly signers: string;
  readonly files: number;
  readonly operators: number;
};

/** Checks the whole store. `accept`: accept the present state as the newest, although a newer one was seen. Fails like a read. */
export async function checkTeamStore(session: Session, accept: boolean): Promise<CheckedStore> {
  const last = session.local.seen();
  if (accept && last !== undefined) {
    const snapshot = await session.snapshot();
    const signed = signedOf(session.url, snapshot.files);
    const { manifest, signers } = signed;
    const known = signers.map(fingerprintOf);
    // An operator who was removed signs nothing new: their signature counts only for a commit in the history of the state seen.
    const counts =
      known.includes(last.signers.at(-1) ?? '') ||
      (await signedByColleague(session.engine, signed, last)) ||
      (last.signers.includes(known.at(-1) ?? '') &&
        (await session.engine.contains(last.revision, snapshot.revision)) === true);
    if (!counts) throw unconfirmed(session.url, known.at(-1) ?? '', last.signers.at(-1) ?? '');
    session.requirePinned(known);
    // Before it is remembered: whatever fails here leaves the memory as it was.
    await session.openAt(snapshot);
    const { revision, files } = snapshot;
    const seen = { sequence: manifest.sequence, revision, manifest: sha256Hex(files.get(MANIFEST)), signers: known };
    session.remember(snapshot, seen, true);
  }
  const opened = await session.read(0);
  const list = opened.signers.at(-1);
  if (list === undefined) throw refusals.fresh(session.url);
  // Parses every record and certificate, and the keys that this operator can open.
  readTree(session.local.home, mapTree(opened.contents, session.url));
  const { sequence, operators, snapshot } = opened;
  return { sequence, signers: fingerprintOf(list), files: snapshot.files.size, operators: operators.length };
}

/** The newest state seen on this machine, for `store restore`. Fails with E_STORE_OLDER without one. */
export async function newestSeen(session: Session): Promise<{ readonly seen: SeenState; readonly snapshot: Snapshot }> {
  const seen = session.local.seen();
  const snapshot = seen === undefined ? undefined : await session.engine.at(seen.revision);
  if (seen !== undefined && snapshot !== undefined) return { seen, snapshot };
  throw new DockerTlsError('E_STORE_OLDER', 'this computer has no newer state of the store than the stored one', {
    where: session.url,
    hints: [asWritten('on a computer that used it last: docker-tls store restore')],
  });
}

/**
 * Commits the newest genuine state that descends from the one seen on this machine, on top of the present content. Returns its number;
 * undefined: nothing was lost. `confirm` fails unless this state is the newest, since its time begins anew. Undoes operators' changes that this machine has not seen only
 * with `replaceUnseen`. Otherwise, after an outsider's vandalism, a user returning from a long absence could bring back clients that others
 * have revoked.
 */
export async function restoreTeamStore(
  session: Session,
  replaceUnseen = false,
  confirm: (newest: Opened) => Promise<unknown> = async () => undefined,
): Promise<number | undefined> {
  const { url, engine } = session;
  const last = await newestSeen(session);
  const { seen } = last;
  const present = await session.snapshot();
  if (present.offline !== undefined) throw present.offline.cause;
  if (await continues(session, present)) return undefined;
  const found = await lookThrough(session, present, last.snapshot);
  const comparison = engine.comparison?.(seen.revision, present.revision);
  if (!replaceUnseen && found.unseen.length > 0) throw refusals.unseen(url, found.unseen, comparison);
  if (!replaceUnseen && found.more) throw refusals.tooManyCommits(url, comparison);
  const newest = found.newest ?? last.snapshot;
  const opened = await session.openAt(newest);
  const above = Math.max(seen.sequence, opened.sequence, found.above);
  const { keys, operators, contents } = opened;
  if (keys?.ca === undefined) throw refusals.readOnly(url, operators);
  await confirm(opened);
  const full = { ...keys, ca: keys.ca };
  const done = await session.commit(
    { ...opened, snapshot: present },
    { contents, operators, keys: full, above, regained: newest.revision },
    { subject: 'docker-tls store restore', lines: [`back to commit ${opened.sequence}`] },
  );
  return done.sequence;
}

/** True for a genuine snapshot that is not older than the one seen. */
async function continues(session: Session, snapshot: Snapshot): Promise<boolean> {
  try {
    return (await session.check(snapshot)) !== undefined;
  } catch (error) {
    if (error instanceof DockerTlsError && (error.code === 'E_STORE_TAMPERED' || error.code === 'E_STORE_OLDER'))
      return false;
    throw error;
  }
}

type SignedList = ReturnType<typeof commitOf> & {
  readonly parent: string;
  readonly hash: string;
  /** The engine's name for it. */
  readonly name: string | undefined;
  /**
   * Commits with this list on top of the revision that it names. Several mean an outsider's doing, and only their files show the genuine
   * one, since dates can be forged. Restoration tries all of them; the engine limits their number (Past).
   */
  readonly revisions: readonly string[];
};
type Found = {
  readonly newest: Snapshot | undefined;
  readonly unseen: readonly SignedList[];
  readonly above: number;
  readonly more: boolean;
};

/** Signed lists in the present content: those that continue the state of this machine, and those that it has not seen. */
async function lookThrough(session: Session, present: Snapshot, last: Snapshot): Promise<Found> {
  const { engine, local } = session;
  const before = local.seen() as SeenState;
  const { lists, more } = await signedLists(session, present, last, before);
  const newest = await newestOf(session, lists, before);
  const known =
    engine.past === undefined
      ? await manifestsOf(session, before, present)
      : await linesOf(engine.past, newest?.revision ?? before.revision, lists);
  const unseen = lists.filter(({ hash, name = hash, sequence }) => {
    if (hash === before.manifest) return false;
    return typeof known === 'boolean' ? !known || sequence >= before.sequence : !known.has(name);
  });
  return { newest, unseen, above: lists[0]?.sequence ?? 0, more };
}

/**
 * For an engine that keeps only the newest state: the hashes of the manifests that led to the state seen, as far as this machine knows them.
 * True: all that led to the present one, because the state seen builds on it.
 */
async function manifestsOf({ engine }: Session, before: SeenState, present: Snapshot) {
  if ((await engine.contains(before.revision, present.revision)) === true) return true;
  const entries = await engine.log(before.revision, MOST_KNOWN, true);
  return new Set(entries.map(({ signed }) => sha256Hex(signed)));
}

/** Lists signed by operators, highest number first. `more`: the search limit was reached. */
async function signedLists({ engine }: Session, present: Snapshot, last: Snapshot, before: SeenState) {
  const { past } = engine;
  const since = present.revision === '' ? [] : await past?.since(present.revision, last.revision);
  const alone = [[{ names: [], commits: [present] } as Alike, present.files] as const];
  const lists = new Map<string, SignedList>();
  for await (const [{ names, commits }, first] of past && since ? past.first(since) : alone) {
    const signed = readSigned(first);
    // An operator of the state seen has signed it, or the chain from there leads to who has.
    if (typeof signed === 'string') continue;
    const follows = signed.signers.some((one) => fingerprintOf(one) === before.signers.at(-1));
    if (!follows && !(await signedByColleague(engine, signed, before))) continue;
    const { parent } = signed.manifest;
    const hash = sha256Hex(first.get(MANIFEST));
    const fitting = commits.filter(({ history }) => ancestors(history) === ancestors(signed.manifest));
    const revisions = [...(lists.get(hash)?.revisions ?? []), ...fitting.map(({ revision }) => revision)];
    lists.set(hash, { ...commitOf(signed), parent, hash, name: names[0], revisions });
  }
  const sorted = [...lists.values()].sort((one, other) => other.sequence - one.sequence);
  return { lists: sorted, more: past !== undefined && since === undefined };
}

/** The newest state that descends from the one seen on this machine. */
async function newestOf(
  session: Session,
  lists: readonly SignedList[],
  before: SeenState,
): Promise<Snapshot | undefined> {
  for (const { revisions } of lists.filter(({ sequence }) => sequence > before.sequence))
    for (const revision of revisions) {
      const snapshot = await session.engine.at(revision);
      if (snapshot !== undefined && (await continues(session, snapshot))) return snapshot;
    }
  return undefined;
}

/**
 * The engine's names for the lists in the history of a genuine revision, back to the oldest of `lists`: restoring it loses none of them.
 */
async function linesOf(past: Past, revision: string, lists: readonly SignedList[]): Promise<ReadonlySet<string>> {
  const line = lists.length === 0 ? [] : await past.since(revision, lists.at(-1)?.parent ?? '');
  return new Set(line?.flatMap(({ names }) => names[0] ?? []));
}
