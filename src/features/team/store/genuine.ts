/** Verification of a snapshot: signature, position in the history, and descent from the state last seen on this machine. */

import type { Snapshot, StoreEngine } from '../engines/engine.ts';
import type { SeenState } from './local-copy.ts';
import type { Opened } from './opened.ts';
import { requireInForce } from './replay.ts';
import { fingerprintOf, keysOf } from './signers.ts';
import {
  ancestors,
  filesProblem,
  MANIFEST,
  readSigned,
  type Signed,
  type SignedManifest,
  sha256Hex,
  signedWho,
} from './store-manifest.ts';
import * as refusals from './store-refusals.ts';

/**
 * The signed part of a snapshot. Fails with E_STORE_TAMPERED. The name of a revision covers all earlier ones (git: the commit hash; etcd: a
 * hash over the previous revision). Therefore the name in the signed manifest binds the whole history, without older entries being read.
 */
export function genuine(url: string, { files, history }: Snapshot): Signed {
  const signed = signedOf(url, files);
  const problem = filesProblem(signed, files);
  if (problem !== undefined) throw refusals.tampered(url, `the store ${problem}`);
  if (ancestors(history) !== ancestors(signed.manifest))
    throw refusals.tampered(url, 'the store names another commit before this one than was signed');
  return signed;
}

export function signedOf(url: string, files: Snapshot['files']): Signed {
  const signed = readSigned(files);
  if (typeof signed === 'string') throw refusals.tampered(url, `the store ${signed}`);
  return signed;
}

export type Checked = Signed & { readonly seen: SeenState };

/** Rejects a snapshot that is not genuine, or does not descend from the state seen before the request. Undefined: an empty store. */
export async function checkSnapshot(
  engine: StoreEngine,
  snapshot: Snapshot,
  { before, pinned }: { readonly before: SeenState | undefined; readonly pinned: string | undefined },
): Promise<Checked | undefined> {
  const { url } = engine;
  const { files, revision } = snapshot;
  if (revision === '') {
    if (before !== undefined) throw refusals.rewound(url, before.sequence, 'it is empty now');
    if (pinned !== undefined)
      throw refusals.tampered(url, `the store is empty, and the address says that ${pinned} signs it`);
    return undefined;
  }
  const signed = signedOf(url, files);
  const { sequence } = signed.manifest;
  const known = signed.signers.map(fingerprintOf);
  const newest = known.at(-1) ?? '';
  const older = before !== undefined && sequence < before.sequence;
  for (const wanted of [pinned, before?.signers.at(-1)]) {
    // An older snapshot has an earlier list of signers, and so has another line of commits by those who still are operators. Files are
    // compared afterwards: without a known list none was read.
    if (wanted === undefined || known.includes(wanted) || (older && before.signers.includes(newest))) continue;
    if (before !== undefined && wanted !== pinned && (await signedByColleague(engine, signed, before))) continue;
    throw unconfirmed(url, newest, wanted);
  }
  genuine(url, snapshot);
  // Only a computer that has verified the history once may go on without the server.
  if (before === undefined && snapshot.offline !== undefined) throw snapshot.offline.cause;
  const manifest = sha256Hex(files.get(MANIFEST));
  if (before !== undefined) {
    if (older) throw await off(engine, snapshot, signed, before, `this is commit ${sequence}`);
    if (sequence === before.sequence && manifest !== before.manifest)
      throw await off(engine, snapshot, signed, before, 'another commit has this number now');
    if (sequence > before.sequence && (await engine.contains(revision, before.revision)) === false)
      throw await off(engine, snapshot, signed, before, 'the commits since do not build on it');
  }
  if (manifest !== before?.manifest) await requireInForce(engine, snapshot, signed, { before, pinned });
  return { ...signed, seen: { sequence, revision, manifest, signers: known } };
}

/** The server names revisions, and a commit carries over what it gave with the name. */
export function requireSame(url: string, { fresh, snapshot: { files } }: Opened, snapshot: Snapshot): void {
  if (fresh || files === snapshot.files) return;
  genuine(url, snapshot);
  if (sha256Hex(files.get(MANIFEST)) !== sha256Hex(snapshot.files.get(MANIFEST)))
    throw refusals.tampered(url, 'another state has the revision of the one before');
}

/** Fails with E_STORE_TAMPERED if the chain lacks the list that the address names. */
export function requirePinned(url: string, known: readonly string[], pinned: string | undefined): void {
  if (pinned !== undefined && !known.includes(pinned)) throw unconfirmed(url, known.at(-1) ?? '', pinned);
}

export function unconfirmed(url: string, signers: string, wanted: string) {
  return refusals.tampered(
    url,
    `the store names the signers ${signers}, and no operator among the signers ${wanted} has confirmed them`,
  );
}

/** True if the signer is an operator in the state seen on this machine. */
export async function signedByColleague(
  engine: Pick<StoreEngine, 'at'>,
  { signer }: SignedManifest,
  before: SeenState,
): Promise<boolean> {
  const seen = await signedThen(engine, before);
  return keysOf(seen?.signers.at(-1)?.operators ?? []).includes(signer.key);
}

/** The signed part of the state seen, if it is still there. Its revision does not prove it: the server names revisions. */
async function signedThen(engine: Pick<StoreEngine, 'at'>, before: SeenState): Promise<Signed | undefined> {
  const files = (await engine.at(before.revision))?.files;
  if (files === undefined || sha256Hex(files.get(MANIFEST)) !== before.manifest) return undefined;
  const signed = readSigned(files);
  return typeof signed === 'string' ? undefined : signed;
}

/** Error for a genuine state that does not descend from the one seen: an older one of the same line, or one of another line. */
async function off(engine: StoreEngine, { revision }: Snapshot, signed: Signed, before: SeenState, what: string) {
  if ((await engine.contains(before.revision, revision)) === true)
    return refusals.rewound(engine.url, before.sequence, what);
  const seen = await signedThen(engine, before);
  return refusals.forked(engine.url, what, {
    there: commitOf(signed),
    here: seen === undefined ? { sequence: before.sequence } : commitOf(seen),
    comparison: engine.comparison?.(before.revision, revision),
  });
}

/** A commit with its operator, for messages. */
export function commitOf(signed: SignedManifest): { sequence: number; at: string; by: string } {
  const { sequence, at } = signed.manifest;
  return { sequence, at, by: signedWho(signed) };
}
