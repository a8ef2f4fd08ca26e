/**
 * Signatures of operators, each with the key that also opens the store: an SSH key, or the X25519 key of an age identity (XEdDSA). In
 * OpenSSH's form (PROTOCOL.sshsig), so that `ssh-keygen -Y verify` checks them as well.
 */

import { createHash, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { recipientsOf } from './age.ts';
import { type IdentityFile, publicKeyOf, readString, sshKeyText, wireString } from './ssh-keys.ts';

/** What a signature is for: one for a manifest never counts for a list of signers. */
export type Purpose = 'docker-tls-manifest' | 'docker-tls-signers';

/** A key that can sign. `key`: `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`. */
export type SigningKey = { readonly key: string; sign(purpose: Purpose, text: string): Promise<string> };

/** The public signing key of a recipient; undefined for one that cannot sign, such as a post-quantum key. */
export function signingKeyOf(recipient: string): string | undefined {
  if (recipient.startsWith('ssh-')) return recipient;
  const montgomery = /^age1[02-9ac-hj-np-z]{58}$/.test(recipient) ? bech32Data(recipient) : undefined;
  if (montgomery === undefined) return undefined;
  const { Fp } = ed25519.Point;
  const u = fromLittleEndian(montgomery);
  return sshKeyText('ssh-ed25519', Buffer.from(Fp.toBytes(Fp.div(Fp.sub(u, Fp.ONE), Fp.add(u, Fp.ONE)))));
}

/** The signing keys of an identity. An SSH key is opened at its first signature. */
export async function signingKeysOf(identity: IdentityFile): Promise<SigningKey[]> {
  const keys = (await recipientsOf(identity)).map(signingKeyOf);
  return keys.flatMap((key, at) => {
    if (key === undefined) return [];
    const raw = async (bytes: Uint8Array): Promise<Uint8Array> => {
      if (identity.kind === 'ssh') return signSsh(await identity.open(), bytes);
      return signX25519(bech32Data((identity.lines[at]?.revealText() ?? '').toLowerCase()), bytes);
    };
    return [
      {
        key,
        async sign(purpose, text) {
          return signatureText(key, purpose, await raw(signedData(purpose, text)));
        },
      } satisfies SigningKey,
    ];
  });
}

/** The one of the keys that signed the text for this purpose. Each signature has one form: other text beside it is refused. */
export function signerOf(
  purpose: Purpose,
  text: string,
  signature: string,
  keys: readonly string[],
): string | undefined {
  const bytes = Buffer.from(signature, 'base64');
  const blob = readString(bytes, PREFIX.length).toString('base64');
  const key = keys.find((one) => one.split(' ')[1] === blob);
  if (key === undefined) return undefined;
  const parts = readString(bytes, preamble(key, purpose).length);
  const algorithm = readString(parts, 0);
  const raw = readString(parts, 4 + algorithm.length);
  if (signatureText(key, purpose, raw) !== signature) return undefined;
  try {
    return verify(digestOf(key), signedData(purpose, text), verifierOf(key), raw) ? key : undefined;
  } catch {
    return undefined;
  }
}

function signatureText(key: string, purpose: Purpose, raw: Uint8Array): string {
  const signature = Buffer.concat([algorithmOf(key), raw].map(wireString));
  return Buffer.concat([preamble(key, purpose), wireString(signature)]).toString('base64');
}

/** A history has thousands of signatures of the same keys. */
const verifiers = new Map<string, KeyObject>();

function verifierOf(key: string): KeyObject {
  const known = verifiers.get(key) ?? publicKeyOf(key);
  verifiers.set(key, known);
  return known;
}

const PREFIX = Buffer.concat([Buffer.from('SSHSIG'), Buffer.of(0, 0, 0, 1)]);

function preamble(key: string, purpose: Purpose): Buffer {
  const blob = Buffer.from(key.split(' ')[1] ?? '', 'base64');
  return Buffer.concat([PREFIX, ...[blob, purpose, '', 'sha512'].map(wireString)]);
}

function signedData(purpose: Purpose, text: string): Buffer {
  const hash = createHash('sha512').update(text).digest();
  return Buffer.concat([Buffer.from('SSHSIG'), ...[purpose, '', 'sha512', hash].map(wireString)]);
}

function algorithmOf(key: string): string {
  return key.startsWith('ssh-rsa ') ? 'rsa-sha2-512' : 'ssh-ed25519';
}

function digestOf(key: string): 'sha512' | null {
  return key.startsWith('ssh-rsa ') ? 'sha512' : null;
}

function signSsh(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign(key.asymmetricKeyType === 'rsa' ? 'sha512' : null, bytes, key);
}

/** XEdDSA (https://signal.org/docs/specifications/xeddsa): verified like Ed25519, by the public key whose sign bit is 0. */
function signX25519(secret: Uint8Array, message: Uint8Array): Uint8Array {
  const { BASE, Fn } = ed25519.Point;
  const clamped = Uint8Array.from(secret);
  clamped[0] = (clamped[0] as number) & 248;
  clamped[31] = ((clamped[31] as number) & 127) | 64;
  const scalar = Fn.create(fromLittleEndian(clamped));
  const negative = ((BASE.multiply(scalar).toBytes()[31] as number) & 128) !== 0;
  const a = negative ? Fn.neg(scalar) : scalar;
  const number = (...parts: Uint8Array[]) =>
    Fn.create(fromLittleEndian(createHash('sha512').update(Buffer.concat(parts)).digest()));
  const prefix = Buffer.alloc(32, 255);
  prefix[0] = 254;
  const r = number(prefix, Fn.toBytes(a), message, randomBytes(64));
  const point = BASE.multiply(r).toBytes();
  const h = number(point, BASE.multiply(a).toBytes(), message);
  return Buffer.concat([point, Fn.toBytes(Fn.add(r, Fn.mul(h, a)))]);
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const CHECKSUM = 6;

/** The 32 bytes of a recipient or identity of age, whose checksum the library has verified. */
function bech32Data(text: string): Uint8Array {
  const digits = [...text.slice(text.lastIndexOf('1') + 1, -CHECKSUM)].map((one) => BECH32.indexOf(one));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('');
  return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2));
}
