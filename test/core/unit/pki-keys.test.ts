/** Private keys: every type, every PEM form, and messages about damage. */

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { issueCa } from '../../../src/core/domain/pki/certificate.ts';
import { KEY_TYPES } from '../../../src/core/domain/pki/key-types.ts';
import {
  decryptKey,
  encryptKey,
  generateKey,
  isEncrypted,
  keyMatches,
  keyTypeOf,
} from '../../../src/core/domain/pki/keys.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { publicKeyOf } from '../../support/public-key.ts';

const passphrase = new Secret('correct horse, bätteríe ✓');

test.each(KEY_TYPES)('%s is made and told', async (type) => {
  const key = await generateKey(type);
  expect(key.revealText()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(isEncrypted(key)).toBe(false);
  expect(keyTypeOf(key)).toBe(type);
  expect(keyTypeOf(publicKeyOf(key))).toBe(type);
  expect((await decryptKey(key)).revealText()).toBe(key.revealText());
});

// Slow on purpose for every key: 600,000 rounds.
test('a key is encrypted and decrypted', async () => {
  const key = await generateKey('ed25519');
  const encrypted = await encryptKey(key, passphrase);
  expect(encrypted.revealText()).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  expect(isEncrypted(encrypted)).toBe(true);
  expect((await decryptKey(encrypted, passphrase)).revealText()).toBe(key.revealText());
});

test('an RSA key is made while the event loop lives', async () => {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  await generateKey('rsa2048');
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);
});

describe('the old PEM forms', () => {
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { privateKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cipher = { cipher: 'aes-256-cbc', passphrase: passphrase.revealText() } as const;
  const FORMS: readonly (readonly [form: string, pem: string, plain: typeof rsa])[] = [
    ['RSA PRIVATE KEY', rsa.export({ type: 'pkcs1', format: 'pem' }).toString(), rsa],
    ['RSA PRIVATE KEY with DEK-Info', rsa.export({ type: 'pkcs1', format: 'pem', ...cipher }).toString(), rsa],
    ['EC PRIVATE KEY', ec.export({ type: 'sec1', format: 'pem' }).toString(), ec],
    ['EC PRIVATE KEY with DEK-Info', ec.export({ type: 'sec1', format: 'pem', ...cipher }).toString(), ec],
    ["node's own encryption", ec.export({ type: 'pkcs8', format: 'pem', ...cipher }).toString(), ec],
    [
      'line ends of Windows',
      ec
        .export({ type: 'sec1', format: 'pem', ...cipher })
        .toString()
        .replaceAll('\n', '\r\n'),
      ec,
    ],
    [
      'EC PARAMETERS first, as openssl ecparam writes it',
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${ec.export({ type: 'sec1', format: 'pem' })}`,
      ec,
    ],
  ];

  test.each(FORMS)('%s', async (_, pem, plain) => {
    const key = await decryptKey(new Secret(pem), passphrase);
    expect(key.revealText()).toBe(plain.export({ type: 'pkcs8', format: 'pem' }));
    expect(isEncrypted(new Secret(pem))).toBe(/ENCRYPTED/.test(pem));
  });

  test.each(FORMS.filter(([, pem]) => /ENCRYPTED/.test(pem)))('%s: wrong or missing passphrase', async (_, pem) => {
    await expect(decryptKey(new Secret(pem))).rejects.toMatchObject({ code: 'E_KEY_PASSPHRASE', exit: 2 });
    // Enough rounds to include the 1 in 256 wrong passphrases whose padding looks right.
    for (let round = 0; round < 40; round += 1) {
      await expect(decryptKey(new Secret(pem), new Secret(`wrong ${round}`))).rejects.toMatchObject({
        code: 'E_KEY_PASSPHRASE',
      });
    }
  });
});

test('many wrong passphrases are all called wrong, none damage', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const weak = privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString();
  for (let round = 0; round < 700; round += 1) {
    await expect(decryptKey(new Secret(weak), new Secret(`${round}`))).rejects.toMatchObject({
      code: 'E_KEY_PASSPHRASE',
    });
  }
});

describe('damage', () => {
  test.each([
    ['nothing', ''],
    ['a certificate only', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'],
    ['no END line', '-----BEGIN PRIVATE KEY-----\nMAA=\n'],
    ['torn base64', '-----BEGIN PRIVATE KEY-----\nMAA\n-----END PRIVATE KEY-----\n'],
    ['no key inside', '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n'],
    ['nothing encrypted inside', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n'],
  ])('%s', async (_, pem) => {
    await expect(decryptKey(new Secret(pem), passphrase)).rejects.toMatchObject({ code: 'E_KEY_DAMAGED', exit: 2 });
  });

  test('an encrypted key that was cut short is damaged, whatever the passphrase', async () => {
    const lines = (await encryptKey(await generateKey('p256'), passphrase)).revealText().split('\n');
    const cut = new Secret([...lines.slice(0, 3), ...lines.slice(-2)].join('\n'));
    await expect(decryptKey(cut, passphrase)).rejects.toMatchObject({ code: 'E_KEY_DAMAGED' });
  });

  test("OpenSSH's format is named, with the command that converts it", async () => {
    const pem = '-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n';
    await expect(decryptKey(new Secret(pem))).rejects.toMatchObject({
      code: 'E_KEY_FORMAT',
      hints: [expect.stringContaining('ssh-keygen -p -m PKCS8')],
    });
  });

  test('an error never holds the key or the passphrase', async () => {
    const key = await generateKey('p256');
    const torn = new Secret(key.revealText().replace('MIG', 'MIH'));
    const error = await decryptKey(torn, passphrase).catch((caught: unknown) => caught);
    const shown = JSON.stringify(error, Object.getOwnPropertyNames(error as object)) + String((error as Error).cause);
    expect(shown).not.toContain(key.revealText().split('\n')[1]);
    expect(shown).not.toContain(passphrase.revealText());
  });
});

test('an empty passphrase is refused', async () => {
  await expect(encryptKey(await generateKey('p256'), new Secret(''))).rejects.toMatchObject({
    code: 'E_KEY_PASSPHRASE',
  });
});

test('a key matches its own certificate and no other', async () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const [one, two] = await Promise.all(['one', 'two'].map((name) => issueCa({ name, days: 10, now })));
  expect(keyMatches(one?.cert ?? '', one?.key ?? passphrase)).toBe(true);
  expect(keyMatches(one?.cert ?? '', two?.key ?? passphrase)).toBe(false);
});
