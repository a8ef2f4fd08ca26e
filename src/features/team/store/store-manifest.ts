/**
 * Manifest of a snapshot, signed by an operator: the number and message of the commit, its parent, and the hash of the list of all files.
 * Every user can verify it.
 */

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { type Listing, MOST, type Snapshot } from '../engines/engine.ts';
import { MOST_DAYS } from './freshness.ts';
import { parseAs } from './parse-as.ts';
import { type SigningKey, signerOf } from './signatures.ts';
import { fingerprintOf, keysOf, readSigners, SIGNERS, type Signer, type Signers } from './signers.ts';

export const MANIFEST = 'manifest.json';
export const FILES = 'files.json';

/** One: no operator signs a merge of three commits. */
const revision = z.string().check(z.regex(/^\S*$/));
const manifestSchema = z.object({
  schema: z.literal(1),
  /** Incremented by each commit. */
  sequence: z.int(),
  at: z.iso.datetime(),
  /** How many days from `at` this state is current (freshness.ts); absent: until the next one. */
  validDays: z.optional(z.int().check(z.minimum(1), z.maximum(MOST_DAYS))),
  /** The login of the computer: `user@computer`. The operator is in the signature. */
  by: z.string(),
  /** The engine's previous revision, and a lost revision that this commit restores. */
  parent: revision,
  regained: z.optional(revision),
  /** Fingerprint of the list of signers that has the signer. */
  signers: z.string(),
  /** The command and its subject, and the changes. */
  subject: z.string(),
  lines: z.array(z.string()),
  /** SHA-256 of the list of files, base64. */
  files: z.string(),
});
/** SHA-256 of each other file, base64. */
const filesSchema = z.record(z.string(), z.string());

export type Manifest = z.output<typeof manifestSchema>;

type Files = ReadonlyMap<string, Uint8Array>;

/** The list of the other files, and the signed manifest. */
export async function renderStoreManifest(
  files: Files,
  about: Omit<Manifest, 'schema' | 'files'>,
  key: SigningKey,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const hashes = [...files]
    .filter(([path]) => path !== MANIFEST && path !== FILES)
    .map(([path, bytes]) => [path, sha256Hex(bytes)] as const);
  const listed = Object.fromEntries(hashes.sort(([a], [b]) => (a < b ? -1 : 1)));
  const list = Buffer.from(`${JSON.stringify(listed, null, 1)}\n`);
  const manifest: Manifest = { schema: 1, ...about, files: sha256Hex(list) };
  const text = JSON.stringify(manifest, null, 1);
  const signature = await key.sign('docker-tls-manifest', text);
  return new Map<string, Uint8Array>([
    [FILES, list],
    [MANIFEST, fileOf(text, signature)],
  ]);
}

/** A manifest, and the operator who signed it. */
export type SignedManifest = { readonly manifest: Manifest; readonly signer: Signer };
export type Signed = SignedManifest & {
  readonly signers: Signers;
  readonly listed: Readonly<Record<string, string>>;
};

/** A manifest that one of these keys has signed, in the only form of its file; or the reason for its absence. */
function withKey(bytes: Uint8Array | undefined, keys: readonly string[]): { manifest: Manifest; key: string } | string {
  if (bytes === undefined) return 'has no manifest';
  const [body = '', signature = ''] = Buffer.from(bytes).toString('utf8').split('\n\n');
  const text = signature.trim();
  const key = signerOf('docker-tls-manifest', body, text, keys);
  if (key === undefined || !fileOf(body, text).equals(bytes)) return 'has a manifest that no operator has signed';
  const manifest = parseAs(manifestSchema, body);
  return manifest === undefined ? 'has a manifest that is not ours' : { manifest, key };
}

function fileOf(body: string, signature: string): Buffer {
  return Buffer.from(`${body}\n\n${signature}\n`);
}

/** A manifest on the history that it names, and the one of the keys that has signed it. */
export function manifestOn(
  history: Snapshot['history'],
  bytes: Uint8Array | undefined,
  keys: readonly string[],
): { readonly manifest: Manifest; readonly key: string } | undefined {
  const read = withKey(bytes, keys);
  return typeof read === 'string' || ancestors(history) !== ancestors(read.manifest) ? undefined : read;
}

/**
 * A manifest signed by an operator of the list that it names, one of these; or the reason for its absence, as text after the name of the
 * snapshot.
 */
export function readManifest(bytes: Uint8Array | undefined, signers: Signers): SignedManifest | string {
  const read = withKey(
    bytes,
    signers.flatMap(({ operators }) => keysOf(operators)),
  );
  if (typeof read === 'string') return read;
  const { manifest, key } = read;
  const list = signers.find((one) => fingerprintOf(one) === manifest.signers);
  const signer = list?.operators.find((one) => one.key === key);
  return signer === undefined ? 'has a manifest signed by somebody who is no operator' : { manifest, signer };
}

/** The signed part, or the reason for its absence, as text after the name of the snapshot. Ignores other files. */
export function readSigned(files: Files): Signed | string {
  const signers = readSigners(files.get(SIGNERS));
  if (signers === undefined) return 'has no unbroken chain of signers';
  // Only the newest list: an operator who was removed is on an earlier one.
  const signed = readManifest(files.get(MANIFEST), signers.slice(-1));
  if (typeof signed === 'string') return signed;
  const list = files.get(FILES);
  const listed = parseAs(filesSchema, Buffer.from(list ?? []).toString('utf8'));
  if (listed === undefined || sha256Hex(list) !== signed.manifest.files)
    return 'has another list of files than was signed';
  return { ...signed, signers, listed };
}

/** Revisions named by a history or a signed list, as one text. */
export function ancestors({ parent, regained = '' }: Snapshot['history']): string {
  return [regained, parent].filter(Boolean).join(' ');
}

/** `operator (user@computer)`: the operator by signature, and the login as claimed. */
export function signedWho({ signer, manifest }: SignedManifest): string {
  return `${signer.name} (${manifest.by})`;
}

/** Difference between the files and the signed list, as text after the name of the snapshot. */
export function filesProblem({ listed }: Signed, files: Files): string | undefined {
  const known = new Set([...Object.keys(listed), MANIFEST, FILES]);
  const extra = [...files.keys()].find((path) => !known.has(path));
  if (extra !== undefined) return `holds ${extra}, and its manifest does not list that`;
  const wrong = Object.entries(listed).find(([path, hash]) => sha256Hex(files.get(path)) !== hash);
  if (wrong === undefined) return undefined;
  return files.has(wrong[0]) ? `has another ${wrong[0]} than was signed` : `lacks ${wrong[0]}`;
}

/**
 * Selects the files of a signed manifest whose chain of signers has a list in `trusted`; without trusted lists, of any signed manifest.
 */
export function listingOf(trusted: () => readonly string[]): Listing {
  return {
    first: [MANIFEST, FILES, SIGNERS],
    most: MOST,
    of(first) {
      const signed = readSigned(first);
      const known = trusted();
      const counts =
        typeof signed !== 'string' &&
        (known.length === 0 || signed.signers.some((one) => known.includes(fingerprintOf(one))));
      const hashes = new Map(counts ? Object.entries(signed.listed) : []);
      return { paths: new Set(hashes.keys()), genuine: (path, bytes) => sha256Hex(bytes) === hashes.get(path) };
    },
  };
}

/** Cache: each content is hashed once per run, although every commit needs it. */
const hashes = new WeakMap<Uint8Array, string>();

export function sha256Hex(bytes: Uint8Array | undefined): string {
  const known = bytes === undefined ? undefined : hashes.get(bytes);
  const hash =
    known ??
    createHash('sha256')
      .update(bytes ?? Buffer.alloc(0))
      .digest('base64');
  if (bytes !== undefined) hashes.set(bytes, hash);
  return hash;
}
