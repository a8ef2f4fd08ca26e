/** Private keys: generation, encryption, decryption, type detection, and matching with certificates. */

import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  type ED25519KeyPairOptions,
  generateKeyPair,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { DockerTlsError } from '../../../errors/errors.ts';
import { Secret } from '../secret.ts';
import { children, content, decode, encode, octets, seq } from './der.ts';
import type { KeyType } from './key-types.ts';
import { encryptUnder } from './pbes2.ts';
import { type PemBlock, pemBlocks, pemEncode } from './pem.ts';

/** `key`: PKCS#8 PEM; `spki`: the public key's DER; `privateKey` opens the private key for signing. */
export type KeyPair = { readonly key: Secret; readonly spki: Buffer; readonly privateKey: () => KeyObject };

const generateKeyPairAsync = promisify(generateKeyPair);
const AS_DER: ED25519KeyPairOptions<'der', 'der'> = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
};

/**
 * Generates a key pair. RSA runs on a thread to keep the event loop free; the others take 0.04 ms, less than the handover to a thread.
 *
 * No KeyObject comes from node's generateKeyPair. Garbage collection may run while such a key is read (its JWK, its details). The
 * destructor of the key's generator waits for the lock that the read holds, and the process deadlocks. Seen on Node 20.20 within 1,000 keys
 * (KeyGenJob's destructor waiting inside ExportJWK); test: pki-many.
 */
export async function generatePair(type: KeyType): Promise<KeyPair> {
  switch (type) {
    case 'p256':
    case 'p384':
      return ecPair(type);
    case 'ed25519':
      return derPair(generateKeyPairSync('ed25519', AS_DER));
    case 'rsa2048':
    case 'rsa3072':
    case 'rsa4096':
      return derPair(
        await generateKeyPairAsync('rsa', { modulusLength: Number(type.slice(3)), publicExponent: 65537, ...AS_DER }),
      );
  }
}

function derPair({ privateKey: der, publicKey: spki }: { privateKey: Buffer; publicKey: Buffer }): KeyPair {
  const key = new Secret(pemEncode('PRIVATE KEY', der));
  der.fill(0);
  return { key, spki, privateKey: () => openKey(key) };
}

/**
 * Constant bytes of PKCS#8 (RFC 5958, 5915) before the private number and between it and the point (`04 x y`), and of SPKI (RFC 5480)
 * before the point.
 */
const EC_FRAMES = {
  p256: {
    openssl: 'prime256v1',
    jwk: 'P-256',
    size: 32,
    pkcs8: Buffer.from('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex'),
    point: Buffer.from('a144034200', 'hex'),
    spki: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
  },
  p384: {
    openssl: 'secp384r1',
    jwk: 'P-384',
    size: 48,
    pkcs8: Buffer.from('3081b6020100301006072a8648ce3d020106052b8104002204819e30819b0201010430', 'hex'),
    point: Buffer.from('a164036200', 'hex'),
    spki: Buffer.from('3076301006072a8648ce3d020106052b81040022036200', 'hex'),
  },
} as const;

/**
 * Uses ECDH, which returns the raw numbers: node's DER export of both halves takes five times as long, most of the cost of a certificate.
 */
function ecPair(type: 'p256' | 'p384'): KeyPair {
  const frame = EC_FRAMES[type];
  const ecdh = createECDH(frame.openssl);
  const point = ecdh.generateKeys();
  const short = ecdh.getPrivateKey();
  const number = Buffer.alloc(frame.size);
  short.copy(number, frame.size - short.length);
  const der = Buffer.concat([frame.pkcs8, number, frame.point, point]);
  const key = new Secret(pemEncode('PRIVATE KEY', der));
  der.fill(0);
  short.fill(0);
  return { key, spki: Buffer.concat([frame.spki, point]), privateKey: () => openNumbers(frame, number, point) };
}

/** Four times as fast as from PEM. */
function openNumbers({ jwk: crv, size }: { jwk: string; size: number }, number: Buffer, point: Buffer): KeyObject {
  const [d, x, y] = [number, point.subarray(1, 1 + size), point.subarray(1 + size)].map((bytes) =>
    bytes.toString('base64url'),
  );
  return createPrivateKey({ key: { kty: 'EC', crv, d, x, y } as JsonWebKey, format: 'jwk' });
}

function pkcs8(key: KeyObject): Secret {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const pem = new Secret(pemEncode('PRIVATE KEY', der));
  der.fill(0);
  return pem;
}

/** A new private key as unencrypted PKCS#8 PEM. */
export async function generateKey(type: KeyType): Promise<Secret> {
  return (await generatePair(type)).key;
}

/**
 * The key encrypted with a passphrase: PEM `ENCRYPTED PRIVATE KEY` (PKCS#8, RFC 5958), readable by openssl and Node.
 * Throws E_KEY_PASSPHRASE for an empty passphrase, E_KEY_DAMAGED if `key` is not a private key.
 */
export async function encryptKey(key: Secret, passphrase: Secret): Promise<Secret> {
  if (passphrase.length === 0) throw passphraseError('an empty passphrase protects nothing');
  const der = openKey(key).export({ type: 'pkcs8', format: 'der' });
  const { algorithm, encrypted } = await encryptUnder(passphrase, der);
  der.fill(0);
  return new Secret(pemEncode('ENCRYPTED PRIVATE KEY', encode(seq(algorithm, octets(encrypted)))));
}

/**
 * The key as unencrypted PKCS#8 PEM, from any PEM form that OpenSSL reads: PKCS#8 (encrypted or not), `RSA PRIVATE KEY` and
 * `EC PRIVATE KEY` (DEK-Info encrypted or not). Throws E_KEY_PASSPHRASE (wrong or missing), E_KEY_DAMAGED, E_KEY_FORMAT.
 */
export async function decryptKey(pem: Secret, passphrase?: Secret): Promise<Secret> {
  return pkcs8(openKey(pem, passphrase));
}

/** The same; undefined if the passphrase is wrong. */
export async function tryPassphrase(pem: Secret, passphrase: Secret): Promise<Secret | undefined> {
  try {
    return await decryptKey(pem, passphrase);
  } catch (error) {
    if (error instanceof DockerTlsError && error.code === 'E_KEY_PASSPHRASE') return undefined;
    throw error;
  }
}

/** Whether the key needs a passphrase. False for a text without a key. */
export function isEncrypted(pem: Secret): boolean {
  const block = findKeyBlock(pem);
  return block !== undefined && isEncryptedBlock(block);
}

/**
 * The key as node:crypto's object. Throws E_KEY_PASSPHRASE (encrypted, and the passphrase is missing or wrong), E_KEY_DAMAGED,
 * E_KEY_FORMAT.
 */
export function openKey(pem: Secret, passphrase?: Secret): KeyObject {
  const block = findKeyBlock(pem);
  if (block === undefined) throw damaged('it holds no private key in PEM form');
  if (block.label === 'OPENSSH PRIVATE KEY') {
    throw new DockerTlsError('E_KEY_FORMAT', "the private key is in OpenSSH's format, not in one for TLS", {
      hints: ['ssh-keygen -p -m PKCS8 -f COPY-OF-THE-KEY'],
    });
  }
  if (block.der === undefined) throw damaged('its base64 is torn');
  const encrypted = isEncryptedBlock(block);
  if (!encrypted) {
    try {
      return createPrivateKey(block.text);
    } catch (cause) {
      throw damaged('OpenSSL does not accept it', cause);
    }
  }
  // The output of a wrong passphrase looks like damage in 1 of 256 cases, so the outer structure is checked for damage first.
  if (!isWellFormed(block, block.der)) throw damaged('its encrypted form is torn');
  if (passphrase === undefined) throw passphraseError('the private key is encrypted, and no passphrase was given');
  try {
    return createPrivateKey({ key: block.text, passphrase: passphrase.reveal() });
  } catch (cause) {
    throw passphraseError('the passphrase does not open the private key', cause);
  }
}

/** The first private key block: openssl may write `EC PARAMETERS` or certificates before it. */
function findKeyBlock(pem: Secret): PemBlock | undefined {
  return pemBlocks(pem.revealText()).blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
}

function isEncryptedBlock(block: PemBlock): boolean {
  return block.label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type:\s*4,\s*ENCRYPTED/m.test(block.headers);
}

function isWellFormed(block: PemBlock, der: Buffer): boolean {
  if (block.label !== 'ENCRYPTED PRIVATE KEY') return /^DEK-Info:/m.test(block.headers) && der.length % 8 === 0;
  try {
    const [algorithm, encrypted] = children(decode(der));
    return children(algorithm).length > 0 && content(encrypted).length > 0;
  } catch {
    return false;
  }
}

/** `p256`, `p384`, `ed25519`, `rsa4096`…; also types that docker-tls accepts but never generates: `p521`, `ed448`, `rsa1024`, `rsa-pss`. */
export function keyTypeOf(key: Secret | string | KeyObject): string {
  const object = key instanceof Secret ? openKey(key) : typeof key === 'string' ? openPublicKey(key) : key;
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = object;
  switch (type) {
    case 'rsa':
      return `rsa${details?.modulusLength}`;
    case 'ec':
      return CURVES[details?.namedCurve ?? ''] ?? details?.namedCurve ?? 'ec';
    default:
      return type ?? 'unknown';
  }
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'p256', secp384r1: 'p384', secp521r1: 'p521' };

/** Opens a public key or the first certificate of a PEM text. Throws E_KEY_DAMAGED. */
export function openPublicKey(pem: string): KeyObject {
  const block = pemBlocks(pem).blocks.find(({ label }) => label === 'PUBLIC KEY' || label === 'CERTIFICATE');
  if (block?.der === undefined) throw damaged('it holds no public key in PEM form');
  try {
    return createPublicKey(block.text);
  } catch (cause) {
    throw damaged('OpenSSL does not accept it', cause);
  }
}

/** Whether the key belongs to the (first) certificate. Throws E_KEY_… if either is unreadable. */
export function keyMatches(certPem: string, key: Secret): boolean {
  return createPublicKey(openKey(key)).equals(openPublicKey(certPem));
}

function damaged(why: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_KEY_DAMAGED', `the key cannot be read: ${why}`, {
    hints: ['look at it with: openssl pkey -noout -text -in FILE'],
    cause,
  });
}

function passphraseError(message: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_KEY_PASSPHRASE', message, {
    hints: ['give the right one with --ca-passphrase-file FILE or in DOCKER_TLS_CA_PASSPHRASE'],
    cause,
  });
}
