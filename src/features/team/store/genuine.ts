/** Verification of a snapshot: signature, position in the history, and descent from the state last seen on this machine. */

import type { Snapshot, StoreEngine } from '../engines/engine.ts';
import type { SeenState } from './local-copy.ts';
import { filesProblem, fingerprintOf, MANIFEST, readSigned, type Signed, sha256Hex } from './store-manifest.ts';
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

/** Revisions named by a history or a signed list, as one text. */
export function ancestors({ parent, regained = '' }: Snapshot['history']): string {
  return [regained, parent].filter(Boolean).join(' ');
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
  const signer = known.at(-1) ?? '';
  const older = before !== undefined && sequence < before.sequence;
  for (const wanted of [pinned, before?.signers.at(-1)]) {
    // Older snapshots carry the signature of a replaced key. Files are compared afterwards: without a known key none was read.
    if (wanted === undefined || known.includes(wanted) || (older && before.signers.includes(signer))) continue;
    throw refusals.tampered(url, `the store is signed by ${signer}, and ${wanted} has not confirmed that key`);
  }
  genuine(url, snapshot);
  const manifest = sha256Hex(files.get(MANIFEST));
  if (before !== undefined) {
    if (older) throw await off(engine, snapshot, signed, before, `this is commit ${sequence}`);
    if (sequence === before.sequence && manifest !== before.manifest)
      throw await off(engine, snapshot, signed, before, 'another commit has this number now');
    if (sequence > before.sequence && (await engine.contains(revision, before.revision)) === false)
      throw await off(engine, snapshot, signed, before, 'the commits since do not build on it');
  }
  return { ...signed, seen: { sequence, revision, manifest, signers: known } };
}

/** Error for a genuine state that does not descend from the one seen: an older one of the same line, or one of another line. */
async function off(engine: StoreEngine, { revision }: Snapshot, { manifest }: Signed, before: SeenState, what: string) {
  if ((await engine.contains(before.revision, revision)) === true)
    return refusals.rewound(engine.url, before.sequence, what);
  const last = await engine.at(before.revision);
  const seen = last === undefined ? '' : readSigned(last.files);
  return refusals.forked(engine.url, what, {
    there: manifest,
    here: typeof seen === 'string' ? { sequence: before.sequence } : seen.manifest,
    comparison: engine.comparison?.(before.revision, revision),
  });
}
