/** Signatures: algorithms by key type, and their AlgorithmIdentifiers. */

import { type KeyObject, sign, verify } from 'node:crypto';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type Asn1, bits, encode, nothing, oid, seq } from './der.ts';
import { keyTypeOf } from './keys.ts';
import { OID } from './oids.ts';

export type Signer = {
  readonly privateKey: KeyObject;
  /** AlgorithmIdentifier; certificates contain it twice. */
  readonly algorithm: Asn1;
  /** null: Ed25519 and Ed448 sign the message itself (RFC 8410). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
};

/** A key in a token: it signs, and never leaves the token. */
export type TokenSigner = Pick<Signer, 'algorithm'> & { sign(body: Uint8Array): Promise<Buffer> };

/** Signer for a private key. Throws E_KEY_TYPE for a key that is too weak or that TLS clients reject. */
export function signerFor(privateKey: KeyObject): Signer {
  return { privateKey, ...algorithmFor(privateKey) };
}

/**
 * Algorithm of a private or public key. The algorithm parameters are NULL for RSA (RFC 4055) and absent for ECDSA and EdDSA
 * (RFC 5758, 8410). Throws E_KEY_TYPE.
 */
export function algorithmFor(key: KeyObject): Omit<Signer, 'privateKey'> {
  const type = keyTypeOf(key);
  refuseWeakKey(type);
  const isRsa = type.startsWith('rsa');
  const { id, hash } = ALGORITHMS[isRsa ? 'rsa' : (type as 'p256')];
  return { hash, algorithm: seq(oid(id), isRsa ? nothing() : undefined) };
}

/** Signature algorithms for issuing, by key type. */
const ALGORITHMS = {
  rsa: { id: OID.sha256WithRSA, hash: 'sha256' },
  p256: { id: OID.ecdsaWithSHA256, hash: 'sha256' },
  p384: { id: OID.ecdsaWithSHA384, hash: 'sha384' },
  p521: { id: OID.ecdsaWithSHA512, hash: 'sha512' },
  ed25519: { id: OID.ed25519, hash: null },
  ed448: { id: OID.ed448, hash: null },
} as const;
/** Algorithms accepted from others. */
const HASHES: ReadonlyMap<string, Signer['hash']> = new Map([
  ...Object.values(ALGORITHMS).map(({ id, hash }) => [id, hash] as const),
  [OID.sha384WithRSA, 'sha384'],
  [OID.sha512WithRSA, 'sha512'],
]);

/** Throws E_KEY_TYPE unless this key type (a result of keyTypeOf) may own and sign certificates. */
export function refuseWeakKey(type: string): void {
  const rsaBits = /^rsa(\d+)$/.exec(type)?.[1];
  if (rsaBits !== undefined ? Number(rsaBits) >= 2048 : ['p256', 'p384', 'p521', 'ed25519', 'ed448'].includes(type))
    return;
  throw new DockerTlsError('E_KEY_TYPE', `a key of type ${type} is not used: TLS clients refuse it`, {
    hints: ['use p256, p384, ed25519 or RSA with at least 2048 bits'],
  });
}

/** Signs `body` and wraps it: SEQUENCE { body, algorithm, signature }, the form of certificates and requests. */
export function signBody(signer: Signer, body: Asn1): Buffer {
  return wrap(body, signer, sign(signer.hash, encode(body), signer.privateKey));
}

/** Like signBody, with any signer. */
export async function signBodyBy(signer: Signer | TokenSigner, body: Asn1): Promise<Buffer> {
  return 'privateKey' in signer ? signBody(signer, body) : wrap(body, signer, await signer.sign(encode(body)));
}

function wrap(body: Asn1, { algorithm }: Pick<Signer, 'algorithm'>, signature: Uint8Array): Buffer {
  return encode(seq(body, algorithm, bits(signature)));
}

/** Whether the signature is by this key. False for an algorithm that is unknown, broken (MD5, SHA-1), or of another key type. */
export function verifies(algorithmOid: string, body: Uint8Array, publicKey: KeyObject, signature: Uint8Array): boolean {
  const hash = HASHES.get(algorithmOid);
  return hash !== undefined && isSignature(hash, body, publicKey, signature);
}

export function isSignature(
  hash: Signer['hash'],
  body: Uint8Array,
  publicKey: KeyObject,
  signature: Uint8Array,
): boolean {
  try {
    return verify(hash, body, publicKey, signature);
  } catch {
    return false;
  }
}
