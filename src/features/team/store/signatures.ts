/**
 * Signatures of operators, each with the key that also opens the store: an SSH key, or the X25519 key of an age identity (XEdDSA). In
 * OpenSSH's form (PROTOCOL.sshsig), so that `ssh-keygen -Y verify` checks them as well.
 */

import { type KeyObject, sign } from 'node:crypto';
import {
  publicKeyOf,
  readSignature,
  readString,
  renderSignature,
  signedBytes,
  verifies,
} from '../../../formats/sshsig.ts';
import { ed25519Of, signX25519 } from '../../../formats/xeddsa.ts';
import { recipientsOf } from './age.ts';
import type { IdentityFile } from './ssh-keys.ts';

/** What a signature of the store is for: one for a manifest never counts for a list of signers. */
export type Purpose = 'docker-tls-manifest' | 'docker-tls-signers';

/** A key that can sign. `key`: `ssh-ed25519 AAAA…`, or another type of key. `purpose`: that of the store, or another namespace. */
export type SigningKey = {
  readonly key: string;
  sign(purpose: string, text: string | Uint8Array): Promise<string>;
};

/** Types of keys that can sign: in files, and those that only an agent holds. */
const TYPES =
  /^(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/;

/** Bits. NIST SP 800-131A: a shorter RSA key signs nothing any more. */
export const SHORTEST_RSA = 2048;

/** The type and key of an SSH public key that can sign, without its comment; undefined for anything else. */
export function signingKeyIn(text: string): string | undefined {
  const [type = '', encoded = ''] = text.trim().split(/\s+/);
  const blob = Buffer.from(encoded, 'base64');
  if (!TYPES.test(type) || readString(blob, 0).toString('latin1') !== type) return undefined;
  try {
    const { modulusLength = SHORTEST_RSA } = publicKeyOf(blob).asymmetricKeyDetails ?? {};
    if (modulusLength < SHORTEST_RSA) return undefined;
    return `${type} ${blob.toString('base64')}`;
  } catch {
    return undefined;
  }
}

/** The public signing key of a recipient; undefined for one that cannot sign, such as a post-quantum key. */
export function signingKeyOf(recipient: string): string | undefined {
  if (recipient.startsWith('ssh-')) return recipient;
  const key = ed25519Of(recipient);
  return key && `ssh-ed25519 ${key.toString('base64')}`;
}

/** The signing keys of an identity. An SSH key is opened at its first signature. */
export async function signingKeysOf(identity: IdentityFile): Promise<SigningKey[]> {
  const keys = (await recipientsOf(identity)).map(signingKeyOf);
  return keys.flatMap((key, at) => {
    if (key === undefined) return [];
    const raw = async (bytes: Uint8Array): Promise<Uint8Array> => {
      if (identity.kind === 'ssh') return signSsh(await identity.open(), bytes);
      return signX25519(identity.lines[at]?.revealText() ?? '', bytes);
    };
    return [
      {
        key,
        async sign(purpose, text) {
          return signatureText(key, purpose, await raw(signedBytes(text, purpose)));
        },
      } satisfies SigningKey,
    ];
  });
}

/** The one of the keys that signed the text for this purpose (`string`: a namespace outside of the store). Each signature has one form: other text beside it is refused. */
export function signerOf(
  purpose: string,
  text: string | Uint8Array,
  signature: string,
  keys: readonly string[],
): string | undefined {
  const read = readSignature(Buffer.from(signature, 'base64'));
  const blob = read?.publicKey.toString('base64');
  const key = keys.find((one) => one.split(' ')[1] === blob);
  if (read === undefined || key === undefined) return undefined;
  return signatureText(key, purpose, read.raw, read.trailer) === signature && verifies(read, text) ? key : undefined;
}

export function signatureText(key: string, purpose: string, raw: Uint8Array, trailer?: Uint8Array): string {
  const publicKey = Buffer.from(key.split(' ')[1] ?? '', 'base64');
  return renderSignature(publicKey, purpose, algorithmOf(key), raw, trailer).toString('base64');
}

export function algorithmOf(key: string): string {
  const [type = ''] = key.split(' ');
  return type === 'ssh-rsa' ? 'rsa-sha2-512' : type;
}

function signSsh(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign(key.asymmetricKeyType === 'rsa' ? 'sha512' : null, bytes, key);
}
