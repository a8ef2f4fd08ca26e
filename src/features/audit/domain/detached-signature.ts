/** Signatures of files, as `ssh-keygen -Y sign` writes them. */

import { type KeyObject, sign } from 'node:crypto';
import { wireString } from '../../../core/domain/pki/ssh-wire.ts';
import { CURVES, readString, renderSignature, signedBytes } from '../../../formats/sshsig.ts';

/** The form of `ssh-keygen -Y sign`. */
export function armored(signature: Buffer): string {
  const lines = signature.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

/** The bytes of such a text; undefined for another text. */
export function unarmored(text: string): Buffer | undefined {
  const body = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\s*$/.exec(
    text,
  )?.[1];
  return body === undefined ? undefined : Buffer.from(body, 'base64');
}

/** Signs a message with a key; undefined for a type of key that cannot sign. */
export function signDetached(
  message: Buffer,
  namespace: string,
  key: KeyObject,
  publicKey: Buffer,
): Buffer | undefined {
  const type = readString(publicKey, 0).toString('latin1');
  const signed = rawSignature(signedBytes(message, namespace), key, type);
  return signed && renderSignature(publicKey, namespace, type === 'ssh-rsa' ? 'rsa-sha2-512' : type, signed);
}

function rawSignature(bytes: Buffer, key: KeyObject, type: string): Buffer | undefined {
  if (type === 'ssh-ed25519') return sign(null, bytes, key);
  if (type === 'ssh-rsa') return sign('sha512', bytes, key);
  const curve = CURVES[type];
  if (curve === undefined) return undefined;
  const both = sign(curve.hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
  return Buffer.concat([both.subarray(0, both.length / 2), both.subarray(both.length / 2)].map(mpint));
}

/** A positive number of any length (RFC 4251, mpint). */
function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = bytes.subarray(first < 0 ? bytes.length : first);
  return wireString((short[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), short]) : short);
}
