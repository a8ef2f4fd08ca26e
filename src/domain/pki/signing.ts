/** Owns signatures: which algorithm goes with which key, and its AlgorithmIdentifier. */

import { type KeyObject, sign, verify } from 'node:crypto';
import { DockerTlsError } from '../../errors/errors.ts';
import { type Asn1, bits, encode, nothing, oid, seq } from './der.ts';
import { keyTypeOf } from './keys.ts';
import { OID } from './oids.ts';

export type Signer = {
  readonly privateKey: KeyObject;
  /** AlgorithmIdentifier, as a certificate names it twice. */
  readonly algorithm: Asn1;
  /** null: Ed25519 and Ed448 sign the message itself (RFC 8410). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
};

/**
 * How this private key signs. The parameters of the algorithm are NULL for RSA (RFC 4055) and absent for ECDSA and EdDSA
 * (RFC 5758, 8410). Throws E_KEY_TYPE for a key that is too weak or that TLS clients don't take.
 */
export function signerFor(privateKey: KeyObject): Signer {
  const type = keyTypeOf(privateKey);
  refuseWeakKey(type);
  if (type.startsWith('rsa')) {
    return { privateKey, hash: 'sha256', algorithm: seq(oid(OID.sha256WithRSA), nothing()) };
  }
  switch (type) {
    case 'p256':
      return { privateKey, hash: 'sha256', algorithm: seq(oid(OID.ecdsaWithSHA256)) };
    case 'p384':
      return { privateKey, hash: 'sha384', algorithm: seq(oid(OID.ecdsaWithSHA384)) };
    case 'p521':
      return { privateKey, hash: 'sha512', algorithm: seq(oid(OID.ecdsaWithSHA512)) };
    case 'ed25519':
      return { privateKey, hash: null, algorithm: seq(oid(OID.ed25519)) };
    default:
      return { privateKey, hash: null, algorithm: seq(oid(OID.ed448)) };
  }
}

/** Throws E_KEY_TYPE unless certificates may be made for, and by, a key of this type (a word of keyTypeOf). */
export function refuseWeakKey(type: string): void {
  const rsaBits = /^rsa(\d+)$/.exec(type)?.[1];
  if (rsaBits !== undefined ? Number(rsaBits) >= 2048 : ['p256', 'p384', 'p521', 'ed25519', 'ed448'].includes(type))
    return;
  throw new DockerTlsError({
    code: 'E_KEY_TYPE',
    message: `a key of type ${type} is not used: TLS clients refuse it`,
    hints: ['use p256, p384, ed25519 or RSA with at least 2048 bits'],
  });
}

/** Signs `body` and wraps it: SEQUENCE { body, algorithm, signature }, the form of certificates and requests. */
export function signBody(signer: Signer, body: Asn1): Buffer {
  const signature = sign(signer.hash, encode(body), signer.privateKey);
  return encode(seq(body, signer.algorithm, bits(signature)));
}

const HASHES: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512' | null>> = {
  [OID.sha256WithRSA]: 'sha256',
  [OID.sha384WithRSA]: 'sha384',
  [OID.sha512WithRSA]: 'sha512',
  [OID.ecdsaWithSHA256]: 'sha256',
  [OID.ecdsaWithSHA384]: 'sha384',
  [OID.ecdsaWithSHA512]: 'sha512',
  [OID.ed25519]: null,
  [OID.ed448]: null,
};

/** Whether the signature is by this key. False too for an algorithm that is unknown, broken (MD5, SHA-1), or not the key's. */
export function verifies(algorithmOid: string, body: Uint8Array, publicKey: KeyObject, signature: Uint8Array): boolean {
  const hash = HASHES[algorithmOid];
  if (hash === undefined) return false;
  try {
    return verify(hash, body, publicKey, signature);
  } catch {
    return false;
  }
}
