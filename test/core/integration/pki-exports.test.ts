/** Key files and requests in openssl. */

import { beforeAll, describe, expect, test } from 'vitest';
import { makeCsr, parseCsr } from '../../../src/core/domain/pki/csr.ts';
import { decryptKey, encryptKey, generateKey } from '../../../src/core/domain/pki/keys.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { opensslFiles } from '../../support/openssl-files.ts';

const passphrase = new Secret('correct horse battery');

const { file, openssl } = opensslFiles();
let passFile: string;
beforeAll(async () => {
  passFile = await file('pass', passphrase.revealText());
});

// A longer RSA key is written like a short one.
describe.each(['p256', 'ed25519', 'rsa2048'] as const)('%s', (keyType) => {
  let key: Secret;
  beforeAll(async () => {
    key = await generateKey(keyType);
  });

  test('openssl opens our encrypted keys with the passphrase, and we open its', async () => {
    const path = await file('ours.pem', (await encryptKey(key, passphrase)).revealText());
    expect(await openssl('pkey', '-in', path, '-passin', `file:${passFile}`)).toBe(key.revealText());
    await expect(openssl('pkey', '-in', path, '-passin', 'pass:wrong')).rejects.toThrow();
    const structure = await openssl('asn1parse', '-in', path);
    for (const part of [
      'PBES2',
      'PBKDF2',
      'hmacWithSHA256',
      'aes-256-cbc',
      `:${(600_000).toString(16).padStart(6, '0').toUpperCase()}`,
    ]) {
      expect(structure).toContain(part);
    }
    const plain = await file('plain.pem', key.revealText());
    for (const cipher of [['-v2', 'aes-128-cbc'], ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512'], ['-scrypt']]) {
      const theirs = await openssl('pkcs8', '-topk8', '-in', plain, '-passout', `file:${passFile}`, ...cipher);
      expect((await decryptKey(new Secret(theirs), passphrase)).revealText()).toBe(key.revealText());
    }
  });

  test('openssl takes our requests, and we take its', async () => {
    const sans = ['build-1', '10.0.0.5', '2001:db8::5'].map(parseSan);
    const ours = await file('ours.csr', makeCsr({ key, commonName: 'ann', sans }));
    const text = await openssl('req', '-in', ours, '-noout', '-verify', '-text');
    expect(text).toMatch(/DNS:build-1, IP Address:10\.0\.0\.5, IP Address:2001:DB8/);
    const keyFile = await file('csr-key.pem', key.revealText());
    const theirs = await openssl(
      'req',
      '-new',
      '-key',
      keyFile,
      '-subj',
      '/O=Example/CN=bob',
      '-addext',
      'subjectAltName=DNS:Build-2,IP:10.0.0.6',
    );
    expect(parseCsr(theirs)).toMatchObject({ commonName: 'bob', sans: ['build-2', '10.0.0.6'].map(parseSan), keyType });
  });
});

test('openssl opens keys under a passphrase beyond ASCII', async () => {
  const odd = new Secret('bätteríe ✓ 🔑');
  const oddFile = await file('odd-pass', odd.revealText());
  const key = await generateKey('p256');
  const encrypted = await file('odd.pem', (await encryptKey(key, odd)).revealText());
  expect(await openssl('pkey', '-in', encrypted, '-passin', `file:${oddFile}`)).toBe(key.revealText());
});
