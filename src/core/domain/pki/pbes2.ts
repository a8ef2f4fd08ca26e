/**
 * Encryption with a passphrase: PBES2 (RFC 8018) with PBKDF2-HMAC-SHA256 and AES-256-CBC, for key files and PKCS#12.
 * Node's own encrypted export is not used: it always uses 2,048 rounds.
 */

import { createCipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../secret.ts';
import { type Asn1, int, nothing, octets, oid, seq } from './der.ts';
import { OID } from './oids.ts';

const pbkdf2Async = promisify(pbkdf2);

/** OWASP's number for PBKDF2-HMAC-SHA256 (2023); about 0.15 s. scrypt would be better, but openssl refuses strong parameters. */
const PBKDF2_ROUNDS = 600_000;

type Pbes2 = { readonly algorithm: Asn1; readonly encrypted: Buffer };

/** Encrypts with a new salt and IV. The passphrase is UTF-8. */
export async function encryptUnder(passphrase: Secret, plain: Uint8Array): Promise<Pbes2> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = await pbkdf2Async(passphrase.reveal(), salt, PBKDF2_ROUNDS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  key.fill(0);
  const derivation = seq(
    oid(OID.pbkdf2),
    seq(octets(salt), int(PBKDF2_ROUNDS), seq(oid(OID.hmacWithSHA256), nothing())),
  );
  const algorithm = seq(oid(OID.pbes2), seq(derivation, seq(oid(OID.aes256cbc), octets(iv))));
  return { algorithm, encrypted };
}
