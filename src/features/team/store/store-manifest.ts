/**
 * Signed manifest of a snapshot: a list of all its files, an increasing number, and the chain of signing keys. Only operators who can open
 * the CA have the signing key; every user can verify.
 */

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import * as z from 'zod/mini';
import { parseAs } from '../../../core/adapters/store/parse-records.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { type Listing, MOST } from '../engines/engine.ts';

export const MANIFEST = 'manifest.json';
export const SIGNERS = 'keys/signers.json';

const manifestSchema = z.object({
  schema: z.literal(1),
  /** Incremented by each commit. */
  sequence: z.int(),
  at: z.string(),
  by: z.string(),
  /** The engine's previous revision, and a lost revision that this commit restores. */
  parent: z.string(),
  regained: z.optional(z.string()),
  /** SHA-256 of each other file, base64. */
  files: z.record(z.string(), z.string()),
});
/** More than a team ever needs. */
const MOST_SIGNERS = 1000;
const signersSchema = z
  .array(z.object({ key: z.string(), signature: z.optional(z.string()) }))
  .check(z.minLength(1), z.maxLength(MOST_SIGNERS));

export type Manifest = z.output<typeof manifestSchema>;
/** Public keys, oldest first; each later key is signed by the one before it. */
export type Signers = z.output<typeof signersSchema>;

type Files = ReadonlyMap<string, Uint8Array>;

/** The signed manifest of the other files. */
export function renderStoreManifest(
  files: Files,
  about: Omit<Manifest, 'schema' | 'files'>,
  signingKey: Secret,
): Uint8Array {
  const hashes = [...files]
    .filter(([path]) => path !== MANIFEST)
    .map(([path, bytes]) => [path, sha256Hex(bytes)] as const);
  const manifest: Manifest = {
    schema: 1,
    ...about,
    files: Object.fromEntries(hashes.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const text = JSON.stringify(manifest, null, 1);
  return Buffer.from(`${text}\n\n${signText(text, signingKey)}\n`);
}

export type Signed = { readonly manifest: Manifest; readonly signers: Signers };

/** The signed manifest, or the reason for its absence, as text after the name of the snapshot. Ignores other files. */
export function readSigned(files: Files): Signed | string {
  const text = textOf(files.get(MANIFEST));
  if (text === undefined) return 'has no manifest';
  const [body = '', signature = ''] = text.split('\n\n');
  const signers = parseAs(signersSchema, textOf(files.get(SIGNERS)));
  if (signers === undefined) return 'does not name its signers';
  if (!verified(body, signature.trim(), signers.at(-1)?.key)) return 'has a manifest whose signature is wrong';
  const [, ...later] = signers;
  const unsigned = later.find(({ key, signature: by }, index) => !verified(`signer ${key}`, by, signers[index]?.key));
  if (unsigned !== undefined) return 'names a signing key that the one before it has not signed';
  const manifest = parseAs(manifestSchema, body);
  return manifest === undefined ? 'has a manifest that is not ours' : { manifest, signers };
}

/** Difference between the files and the signed list, as text after the name of the snapshot. */
export function filesProblem({ manifest }: Signed, files: Files): string | undefined {
  const listed = new Set([...Object.keys(manifest.files), MANIFEST]);
  const extra = [...files.keys()].find((path) => !listed.has(path));
  if (extra !== undefined) return `holds ${extra}, and its manifest does not list that`;
  const wrong = Object.entries(manifest.files).find(([path, hash]) => sha256Hex(files.get(path)) !== hash);
  if (wrong === undefined) return undefined;
  return files.has(wrong[0]) ? `has another ${wrong[0]} than was signed` : `lacks ${wrong[0]}`;
}

/**
 * Selects the files in a manifest whose signing key is in `trusted` or was vouched for by one of these; without trusted keys, any signing
 * key.
 */
export function listingOf(trusted: () => readonly string[]): Listing {
  return {
    first: [MANIFEST, SIGNERS],
    most: MOST,
    of(first) {
      const signed = readSigned(first);
      const known = trusted();
      const counts =
        typeof signed !== 'string' &&
        (known.length === 0 || signed.signers.some((one) => known.includes(fingerprintOf(one))));
      const hashes = new Map(counts ? Object.entries(signed.manifest.files) : []);
      return { paths: new Set(hashes.keys()), genuine: (path, bytes) => sha256Hex(bytes) === hashes.get(path) };
    },
  };
}

export function newSigningKey(): Secret {
  const { privateKey } = generateKeyPairSync('ed25519');
  return new Secret(privateKey.export({ format: 'der', type: 'pkcs8' }));
}

/** The chain with a new public signing key, signed by the previous key. */
export function withSigner(signers: Signers | [], signingKey: Secret, before?: Secret): Signers {
  const key = createPublicKey(privateKey(signingKey)).export({ format: 'der', type: 'spki' }).toString('base64');
  const signature = before === undefined ? undefined : signText(`signer ${key}`, before);
  return [...signers, signature === undefined ? { key } : { key, signature }];
}

/** Fingerprint of a signing key, for comparison by users and for local state: the first 32 hexadecimal digits of its SHA-256. */
export function fingerprintOf({ key }: Signers[number]): string {
  return createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 32);
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

function privateKey(key: Secret) {
  return createPrivateKey({ key: key.reveal(), format: 'der', type: 'pkcs8' });
}

function signText(text: string, key: Secret): string {
  return sign(null, Buffer.from(text), privateKey(key)).toString('base64');
}

function verified(text: string, signature: string | undefined, key: string | undefined): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key ?? '', 'base64'), format: 'der', type: 'spki' });
    if (publicKey.asymmetricKeyType !== 'ed25519') return false;
    return verify(null, Buffer.from(text), publicKey, Buffer.from(signature ?? '', 'base64'));
  } catch {
    return false;
  }
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
