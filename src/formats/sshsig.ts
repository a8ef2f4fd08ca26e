/** Signatures of OpenSSH (PROTOCOL.sshsig), as `ssh-keygen -Y sign` and `-Y verify` have them. */

import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { wireString } from '../core/domain/pki/ssh-wire.ts';

const MAGIC = Buffer.from('SSHSIG');
const VERSION = 1;
/** Curves of ECDSA, and the hash that each signs. */
export const CURVES: Readonly<Record<string, { readonly crv: string; readonly hash: string }>> = {
  'ecdsa-sha2-nistp256': { crv: 'P-256', hash: 'sha256' },
  'ecdsa-sha2-nistp384': { crv: 'P-384', hash: 'sha384' },
  'ecdsa-sha2-nistp521': { crv: 'P-521', hash: 'sha512' },
};

/** Keys of FIDO security keys (PROTOCOL.u2f), and the type of key that they hold. */
const SECURITY_KEYS: Readonly<Record<string, string>> = {
  'sk-ssh-ed25519@openssh.com': 'ssh-ed25519',
  'sk-ecdsa-sha2-nistp256@openssh.com': 'ecdsa-sha2-nistp256',
};
/** The security key was touched. */
const USER_PRESENT = 1;
/** Flags and a counter follow the signature of a security key. */
const SECURITY_KEY_BYTES = 5;

/** The string of SSH's wire format at a place; empty after the end. */
export function readString(blob: Buffer, at: number): Buffer {
  return at + 4 > blob.length ? Buffer.alloc(0) : blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at));
}

/** Reads strings one after the other. Throws RangeError at the end of the bytes. */
function reader(bytes: Buffer) {
  let at = 0;
  return {
    number(): number {
      at += 4;
      return bytes.readUInt32BE(at - 4);
    },
    string(): Buffer {
      const length = this.number();
      if (at + length > bytes.length) throw new RangeError('cut off');
      at += length;
      return bytes.subarray(at - length, at);
    },
    rest: () => bytes.subarray(at),
    atEnd: () => at === bytes.length,
  };
}

/** The bytes that a key signs. `namespace`: what the signature is for; one made for another purpose does not hold. */
export function signedBytes(message: Uint8Array | string, namespace: string, hash = 'sha512'): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([MAGIC, ...[namespace, '', hash, digest].map(wireString)]);
}

/** A signature, as its fields. */
export type SshSignature = {
  readonly publicKey: Buffer;
  readonly namespace: string;
  readonly hash: string;
  readonly algorithm: string;
  readonly raw: Buffer;
  /** Of a security key: its flags and its counter. */
  readonly trailer?: Buffer;
};

/** A signature over `signedBytes` as a whole. */
export function renderSignature(
  publicKey: Buffer,
  namespace: string,
  algorithm: string,
  raw: Uint8Array,
  trailer: Uint8Array = Buffer.alloc(0),
): Buffer {
  const signature = Buffer.concat([...[algorithm, raw].map(wireString), trailer]);
  const version = Buffer.of(0, 0, 0, VERSION);
  return Buffer.concat([MAGIC, version, ...[publicKey, namespace, '', 'sha512', signature].map(wireString)]);
}

/** Its fields; undefined for anything else. */
export function readSignature(bytes: Buffer): SshSignature | undefined {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  try {
    const read = reader(bytes.subarray(MAGIC.length));
    if (read.number() !== VERSION) return undefined;
    const publicKey = read.string();
    const namespace = read.string().toString('latin1');
    read.string();
    const hash = read.string().toString('latin1');
    const signature = readSigned(read.string());
    return read.atEnd() && signature !== undefined ? { publicKey, namespace, hash, ...signature } : undefined;
  } catch {
    return undefined;
  }
}

/** What an agent answers, and what a signature holds: the algorithm and its bytes. Undefined for anything else. */
export function readSigned(bytes: Buffer): Pick<SshSignature, 'algorithm' | 'raw' | 'trailer'> | undefined {
  try {
    const read = reader(bytes);
    const algorithm = read.string().toString('latin1');
    const raw = read.string();
    if (SECURITY_KEYS[algorithm] === undefined) return read.atEnd() ? { algorithm, raw } : undefined;
    const trailer = read.rest();
    return trailer.length === SECURITY_KEY_BYTES ? { algorithm, raw, trailer } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the key that the signature names made it; undefined for a type of key or hash that is unknown here. */
export function verifies(signature: SshSignature, message: Uint8Array | string): boolean | undefined {
  const { publicKey, namespace, hash, algorithm, raw, trailer } = signature;
  const type = readString(publicKey, 0).toString('latin1');
  const held = algorithm === type ? (SECURITY_KEYS[type] ?? type) : type;
  // Never ssh-rsa as an algorithm, and never sha1 as a hash.
  const digests: Readonly<Record<string, string | null>> = {
    'ssh-ed25519': null,
    'rsa-sha2-512': 'sha512',
    'rsa-sha2-256': 'sha256',
  };
  const digest = digests[type === 'ssh-rsa' ? algorithm : held];
  const curve = algorithm === type ? CURVES[held] : undefined;
  const known = curve !== undefined || (digest !== undefined && (type === 'ssh-rsa') === (digest !== null));
  if (!known || (type !== 'ssh-rsa' && algorithm !== type) || !/^sha(256|512)$/.test(hash)) return undefined;
  try {
    const key = verifierOf(publicKey);
    const whole = signedBytes(message, namespace, hash);
    const bytes = trailer === undefined ? whole : bySecurityKey(publicKey, trailer, whole);
    if (bytes === undefined) return false;
    if (curve === undefined) return verify(digest as string | null, bytes, key, raw);
    const parts = reader(raw);
    const size = Math.ceil(Number(/\d+/.exec(curve.crv)) / 8);
    const both = Buffer.concat([parts.string(), parts.string()].map((number) => padded(number, size)));
    return verify(curve.hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, both);
  } catch {
    return false;
  }
}

/** What a security key has signed in place of the bytes; undefined if it was not touched. */
function bySecurityKey(publicKey: Buffer, trailer: Buffer, bytes: Buffer): Buffer | undefined {
  if (((trailer[0] ?? 0) & USER_PRESENT) === 0) return undefined;
  const sha256 = (part: Buffer) => createHash('sha256').update(part).digest();
  return Buffer.concat([sha256(applicationOf(publicKey)), trailer, sha256(bytes)]);
}

/** The last field of a security key's public key. */
function applicationOf(publicKey: Buffer): Buffer {
  const read = reader(publicKey);
  let last = read.string();
  while (!read.atEnd()) last = read.string();
  return last;
}

/** A long history has thousands of signatures of the same few keys. */
const verifiers = new Map<string, KeyObject>();

function verifierOf(publicKey: Buffer): KeyObject {
  const name = publicKey.toString('base64');
  const key = verifiers.get(name) ?? publicKeyOf(publicKey);
  verifiers.set(name, key);
  return key;
}

/** The key of a wire form. Throws for a type that is unknown, for one that is not whole, and for bytes after its last field. */
export function publicKeyOf(publicKey: Buffer): KeyObject {
  const read = reader(publicKey);
  const named = read.string().toString('latin1');
  const key = imported(fieldsOf(SECURITY_KEYS[named] ?? named, () => read.string()));
  // The application of a security key.
  if (SECURITY_KEYS[named] !== undefined) read.string();
  if (!read.atEnd()) throw new RangeError('bytes after the key');
  return key;
}

function fieldsOf(type: string, next: () => Buffer): JsonWebKey {
  const number = (): string => next().toString('base64url');
  if (type === 'ssh-ed25519') return { kty: 'OKP', crv: 'Ed25519', x: number() };
  if (type === 'ssh-rsa') {
    const [e, n] = [number(), number()];
    return { kty: 'RSA', e, n };
  }
  const crv = CURVES[type]?.crv;
  if (crv === undefined) throw new RangeError(`a key of type ${JSON.stringify(type)}`);
  next();
  const point = next();
  const size = pointSize(point);
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)].map((half) => half.toString('base64url'));
  return { kty: 'EC', crv, x, y } as JsonWebKey;
}

/** Bytes of each half of an uncompressed point. */
function pointSize(point: Buffer): number {
  return (point.length - 1) / 2;
}

function imported(key: JsonWebKey): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}

/** A number in as many bytes as its curve has. */
function padded(number: Buffer, size: number): Buffer {
  const short = number.subarray(number.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.alloc(Math.max(0, size - short.length)), short]);
}
