/**
 * Sealing of a shared store's files: AES-256-GCM, with a key per file derived from its class key and its path. A file cannot replace
 * another one, and an operator can get one file's key without the others.
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Secret } from '../../../core/domain/secret.ts';

const VERSION = 1;
const NONCE = 12;
const TAG = 16;
/** Size overhead of sealing. */
export const SEAL_BYTES = 1 + NONCE + TAG;

export function newKey(): Secret {
  return new Secret(randomBytes(32));
}

/** Key of one file. */
export function keyFor(classKey: Secret, path: string): Secret {
  return new Secret(
    new Uint8Array(hkdfSync('sha256', classKey.reveal(), Buffer.alloc(0), `docker-tls/store/${path}`, 32)),
  );
}

export function seal(key: Secret, path: string, bytes: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key.reveal(), nonce);
  cipher.setAAD(Buffer.from(path));
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined: sealed under another key or path, or altered. */
export function unseal(key: Secret, path: string, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < SEAL_BYTES || sealed[0] !== VERSION) return undefined;
  const cipher = createDecipheriv('aes-256-gcm', key.reveal(), sealed.subarray(1, 1 + NONCE), { authTagLength: TAG });
  cipher.setAAD(Buffer.from(path));
  cipher.setAuthTag(sealed.subarray(-TAG));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(1 + NONCE, -TAG)), cipher.final()]);
  } catch {
    return undefined;
  }
}
