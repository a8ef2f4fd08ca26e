/**
 * Key of a step-ca provisioner, and the tokens that it signs (RFC 7515). The key is a private JWK (RFC 7517), in clear or as a JWE under a
 * passphrase (PBES2, RFC 7518 4.8) from `step crypto jwk create`.
 */

import { createDecipheriv, createHash, createPrivateKey, type JsonWebKey, pbkdf2Sync, sign } from 'node:crypto';
import { isObject, parseJson } from '../../../core/domain/json.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

export type ProvisionerKey = { readonly sign: (claims: object) => string };

export function readProvisionerKey(text: Secret, passphrase: Secret | undefined, file: string): ProvisionerKey {
  const jwk = parseJwk(text.revealText(), passphrase, file);
  if (typeof jwk.d !== 'string') throw unusable(file, 'it is a public key; the private one is needed');
  const algorithm = algorithmOf(jwk);
  if (algorithm === undefined) throw unusable(file, `a key of type ${jwk.kty} ${jwk.crv ?? ''} is not supported`);
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch (cause) {
    throw unusable(file, 'its numbers are not a key', cause);
  }
  const header = { alg: algorithm.alg, kid: jwk.kid ?? thumbprint(jwk), typ: 'JWT' };
  return {
    sign(claims) {
      const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      const signature = sign(algorithm.hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

type Jwk = Readonly<Record<string, string | undefined>>;

function algorithmOf({ kty, crv }: Jwk): { alg: string; hash: string | null } | undefined {
  const key = kty === 'RSA' ? 'RSA' : (crv ?? '');
  const algorithms: Readonly<Record<string, { alg: string; hash: string | null }>> = {
    'P-256': { alg: 'ES256', hash: 'sha256' },
    'P-384': { alg: 'ES384', hash: 'sha384' },
    'P-521': { alg: 'ES512', hash: 'sha512' },
    Ed25519: { alg: 'EdDSA', hash: null },
    RSA: { alg: 'RS256', hash: 'sha256' },
  };
  return Object.hasOwn(algorithms, key) ? algorithms[key] : undefined;
}

/** RFC 7638 thumbprint, step-ca's ID for a key without a name. */
function thumbprint(jwk: Jwk): string {
  const names: Readonly<Record<string, readonly string[]>> = { RSA: ['e', 'kty', 'n'], OKP: ['crv', 'kty', 'x'] };
  const members = names[jwk.kty ?? ''] ?? ['crv', 'kty', 'x', 'y'];
  const text = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return createHash('sha256').update(text).digest('base64url');
}

function parseJwk(text: string, passphrase: Secret | undefined, file: string): Jwk {
  const jwe = parseJwe(text);
  const jwk = parseJson(jwe === undefined ? text : decrypt(jwe, passphrase, file));
  if (!isObject(jwk) || typeof jwk.kty !== 'string') throw unusable(file, 'it is neither a JWK nor a JWE');
  return jwk as Jwk;
}

/** The five parts of a JWE in base64url. */
type Jwe = Readonly<Record<'protected' | 'encrypted_key' | 'iv' | 'ciphertext' | 'tag', string>>;

/** Compact or flattened JSON; undefined otherwise. */
function parseJwe(text: string): Jwe | undefined {
  const [header, key, iv, ciphertext, tag, ...more] = text.split('.');
  const whole = { protected: header, encrypted_key: key, iv, ciphertext, tag };
  if (more.length === 0 && /^[\w.-]+$/.test(text) && isJwe(whole)) return whole;
  const json = parseJson(text);
  return isJwe(json) ? json : undefined;
}

function isJwe(value: unknown): value is Jwe {
  const parts = ['protected', 'encrypted_key', 'iv', 'ciphertext', 'tag'];
  return isObject(value) && parts.every((part) => typeof value[part] === 'string');
}

const KEY_WRAPS: Readonly<Record<string, { hash: string; bytes: number }>> = {
  'PBES2-HS256+A128KW': { hash: 'sha256', bytes: 16 },
  'PBES2-HS384+A192KW': { hash: 'sha384', bytes: 24 },
  'PBES2-HS512+A256KW': { hash: 'sha512', bytes: 32 },
};
const CIPHERS: Readonly<Record<string, 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'>> = {
  A128GCM: 'aes-128-gcm',
  A192GCM: 'aes-192-gcm',
  A256GCM: 'aes-256-gcm',
};
/** More rounds of PBKDF2 would take minutes of CPU time. */
const MAX_ROUNDS = 10_000_000;

function decrypt(jwe: Jwe, passphrase: Secret | undefined, file: string): string {
  if (passphrase === undefined) throw unusable(file, 'it is encrypted', undefined, ['add --passphrase-file FILE']);
  const bytes = (part: string) => Buffer.from(part, 'base64url');
  const header = parseJson(bytes(jwe.protected).toString('utf8'));
  if (!isObject(header)) throw unusable(file, 'its header is damaged');
  const { alg, enc, p2s, p2c } = header;
  const wrap = Object.hasOwn(KEY_WRAPS, String(alg)) ? KEY_WRAPS[String(alg)] : undefined;
  const cipher = Object.hasOwn(CIPHERS, String(enc)) ? CIPHERS[String(enc)] : undefined;
  if (wrap === undefined || cipher === undefined || typeof p2s !== 'string')
    throw unusable(file, `its encryption (${String(alg)}, ${String(enc)}) is not supported`);
  if (typeof p2c !== 'number' || !Number.isInteger(p2c) || p2c < 1 || p2c > MAX_ROUNDS)
    throw unusable(file, 'its number of PBKDF2 rounds is out of range');
  try {
    // RFC 7518 4.8.1.1: the salt is the algorithm, a zero byte, and p2s.
    const salt = Buffer.concat([Buffer.from(`${alg}\0`), bytes(p2s)]);
    const wrapping = pbkdf2Sync(passphrase.reveal(), salt, p2c, wrap.bytes, wrap.hash);
    const unwrap = createDecipheriv(`aes${wrap.bytes * 8}-wrap`, wrapping, Buffer.alloc(8, 0xa6));
    const key = Buffer.concat([unwrap.update(bytes(jwe.encrypted_key)), unwrap.final()]);
    const opened = createDecipheriv(cipher, key, bytes(jwe.iv), { authTagLength: 16 });
    opened.setAAD(Buffer.from(jwe.protected));
    opened.setAuthTag(bytes(jwe.tag));
    return Buffer.concat([opened.update(bytes(jwe.ciphertext)), opened.final()]).toString('utf8');
  } catch (cause) {
    throw unusable(file, 'its passphrase is wrong, or it is damaged', cause, ['add --passphrase-file FILE']);
  }
}

function unusable(file: string, why: string, cause?: unknown, hints: readonly string[] = []): DockerTlsError {
  return new DockerTlsError('E_ISSUER_CREDENTIAL', `the provisioner key cannot be used: ${why}`, {
    where: file,
    hints: [...hints, 'step crypto jwk create docker-tls.pub.json docker-tls.jwk'],
    cause,
  });
}
