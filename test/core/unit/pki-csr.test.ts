/** Certificate requests: creation, parsing, and refusal of false ones. */

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { issueCa, issueClient } from '../../../src/core/domain/pki/certificate.ts';
import { makeCsr, parseCsr } from '../../../src/core/domain/pki/csr.ts';
import { KEY_TYPES } from '../../../src/core/domain/pki/key-types.ts';
import { generateKey, keyMatches } from '../../../src/core/domain/pki/keys.ts';
import { pemBlocks, pemEncode } from '../../../src/core/domain/pki/pem.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { publicKeyOf } from '../../support/public-key.ts';

const now = new Date('2026-06-01T00:00:00Z');

function derOf(pem: string): Buffer {
  return pemBlocks(pem).blocks[0]?.der as Buffer;
}

describe.each(KEY_TYPES)('%s', (keyType) => {
  let key: Secret;
  beforeAll(async () => {
    key = await generateKey(keyType);
  });

  test('a request is read back, and its key certified', async () => {
    const sans = ['build-1.example.com', '10.0.0.5', '2001:db8::5'].map(parseSan);
    const csr = parseCsr(makeCsr({ key, commonName: 'Zoë', sans }));
    expect(csr).toEqual({ commonName: 'Zoë', sans, publicKey: publicKeyOf(key), keyType });
    const authority = await issueCa({ name: 'Test', days: 10, now });
    const issued = await issueClient({ authority, name: csr.commonName, days: 1, now, publicKey: csr.publicKey });
    expect(keyMatches(issued.cert, key)).toBe(true);
  });

  test('a request whose subject was altered is refused', () => {
    const der = derOf(makeCsr({ key, commonName: 'alice' }));
    der.write('mallo', der.indexOf('alice'));
    expect(() => parseCsr(pemEncode('CERTIFICATE REQUEST', der))).toThrow(
      expect.objectContaining({ code: 'E_CSR_SIGNATURE' }),
    );
  });
});

test('the name that old tools give the block is taken', async () => {
  const pem = makeCsr({ key: await generateKey('p256'), commonName: 'a' }).replaceAll(
    'CERTIFICATE REQUEST',
    'NEW CERTIFICATE REQUEST',
  );
  expect(parseCsr(pem)).toMatchObject({ commonName: 'a', sans: [] });
});

test.each([
  ['nothing', ''],
  ['a key', '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n'],
  ['an empty sequence', '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n'],
  ['torn base64', '-----BEGIN CERTIFICATE REQUEST-----\nMAAA=\n-----END CERTIFICATE REQUEST-----\n'],
])('%s is no request', (_, pem) => {
  expect(() => parseCsr(pem)).toThrow(expect.objectContaining({ code: 'E_CSR_DAMAGED', exit: 2 }));
});

test("a request for a client's issuing CA asks for one that signs for clients, and no CA below it", async () => {
  const input = makeCsr({ key: await generateKey('p256'), commonName: 'client ann', issuer: true });
  const text = execFileSync('openssl', ['req', '-noout', '-text'], { input, encoding: 'utf8' }).replace(/\s+/g, ' ');
  for (const wish of [
    'Basic Constraints: critical CA:TRUE, pathlen:0',
    'Key Usage: critical Certificate Sign, CRL Sign',
    'Extended Key Usage: TLS Web Client Authentication Signature',
  ])
    expect(text).toContain(wish);
});

test('a weak key neither asks nor is certified', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const key = new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  expect(() => makeCsr({ key, commonName: 'a' })).toThrow(expect.objectContaining({ code: 'E_KEY_TYPE' }));
  const authority = await issueCa({ name: 'Test', days: 10, now });
  const weak = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const refused = expect.objectContaining({ code: 'E_KEY_TYPE' });
  await expect(issueClient({ authority, name: 'a', days: 1, now, publicKey: weak })).rejects.toEqual(refused);
});
