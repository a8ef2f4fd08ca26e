/** Contents of issued certificates. test/core/integration/pki-*.test.ts shows that strict verifiers accept them. */

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  crossSign,
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
} from '../../../src/core/domain/pki/certificate.ts';
import { inspectCertificate, splitBundle, verifyChain } from '../../../src/core/domain/pki/inspect.ts';
import { KEY_TYPES } from '../../../src/core/domain/pki/key-types.ts';
import { generateKey, keyMatches } from '../../../src/core/domain/pki/keys.ts';
import { openAuthority } from '../../../src/core/domain/pki/open-authority.ts';
import { LEAF_BACKDATE_MS, randomSerial } from '../../../src/core/domain/pki/profiles.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { publicKeyOf } from '../../support/public-key.ts';

const DAY_MS = 86_400_000;
const now = new Date('2026-06-01T12:00:00.750Z');
const sans = ['build-1.example.com', '10.0.0.5', '2001:db8::5'].map(parseSan);

test('what a certificate may not be taken for is critical in each of them, as openssl reads it', async () => {
  const ca = await issueCa({ name: 'Test', days: 3650, now });
  const authority = await issueClientAuthority({ ca, clientName: 'laptop', days: 1000, now });
  const leaves = [
    await issueServer({ ca, sans, days: 397, now }),
    await issueClient({ authority, name: 'laptop', days: 90, now }),
  ];
  const read = ({ leaf }: { leaf: string }) =>
    execFileSync('openssl', ['x509', '-noout', '-ext', 'basicConstraints,keyUsage'], { input: leaf, encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  const [basics, usage] = ['X509v3 Basic Constraints: critical', 'X509v3 Key Usage: critical'];
  const signs = 'Certificate Sign, CRL Sign';
  expect(read(ca)).toEqual([basics, 'CA:TRUE', usage, signs]);
  expect(read(authority)).toEqual([basics, 'CA:TRUE, pathlen:0', usage, signs]);
  for (const one of leaves) expect(read(one)).toEqual([basics, 'CA:FALSE', usage, 'Digital Signature']);
});

test('a serial number has no leading zero byte, which DER forbids', () => {
  const first = new Set(Array.from({ length: 4000 }, () => randomSerial()[0]));
  expect(first.has(0)).toBe(false);
  expect(first.size).toBeGreaterThan(200);
});

describe.each(KEY_TYPES)('%s', (keyType) => {
  test('each kind has the extensions of its profile and no others', async () => {
    // A large RSA key takes a second and more: one of each is enough.
    const others = /^rsa[34]/.test(keyType) ? 'p256' : keyType;
    const ca = await issueCa({ name: 'Test', days: 3650, now, keyType: others });
    const server = await issueServer({ ca, sans, days: 397, now, keyType });
    const authority = await issueClientAuthority({ ca, clientName: 'laptop', days: 1000, now, keyType: others });
    const client = await issueClient({ authority, name: 'laptop', days: 90, now, keyType: others });

    const [caInfo, serverInfo, authorityInfo, clientInfo] = [ca, server, authority, client].map(({ cert }) =>
      inspectCertificate(cert),
    );
    expect(caInfo).toMatchObject({
      isCa: true,
      pathLen: null,
      keyUsage: ['keyCertSign', 'cRLSign'],
      extKeyUsage: null,
      selfIssued: true,
      keyType: others,
    });
    expect(caInfo?.aki).toBe(caInfo?.ski);
    expect(serverInfo).toMatchObject({
      isCa: false,
      sans,
      keyUsage: keyType.startsWith('rsa') ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
      extKeyUsage: ['serverAuth'],
      subject: 'build-1.example.com',
      issuer: caInfo?.subject,
      aki: caInfo?.ski,
      keyType,
    });
    expect(authorityInfo).toMatchObject({
      isCa: true,
      pathLen: 0,
      keyUsage: ['keyCertSign', 'cRLSign'],
      extKeyUsage: ['clientAuth'],
      aki: caInfo?.ski,
    });
    expect(clientInfo).toMatchObject({
      isCa: false,
      sans: [],
      keyUsage: ['digitalSignature'],
      extKeyUsage: ['clientAuth'],
      subject: 'laptop',
      aki: authorityInfo?.ski,
    });
    for (const issued of [ca, server, authority, client]) {
      expect(keyMatches(issued.leaf, issued.key)).toBe(true);
      expect(inspectCertificate(issued.leaf).serial).toBe(issued.serial);
      expect(new X509Certificate(issued.leaf).serialNumber).toBe(issued.serial);
    }
    expect(splitBundle(server.cert)).toEqual([server.leaf]);
    expect(splitBundle(client.cert)).toEqual([client.leaf, authority.leaf]);
  });
});

test('no certificate or authority prints its key', async () => {
  const ca = await issueCa({ name: 'Test', days: 10, now });
  const shown = inspect(ca, { depth: 9 }) + JSON.stringify(ca);
  for (const line of ca.key.revealText().split('\n').slice(1, -2)) expect(shown).not.toContain(line);
});

test('two CAs of one name have different names', async () => {
  const [one, two] = [await issueCa({ name: 'Test', days: 10, now }), await issueCa({ name: 'Test', days: 10, now })];
  expect(one.subject.equals(two.subject)).toBe(false);
  expect(inspectCertificate(one.cert).subject).toMatch(/^Test [0-9a-f]{8}$/);
});

describe('times', () => {
  test('a leaf begins a little earlier, in whole seconds, and ends within its issuer', async () => {
    const ca = await issueCa({ name: 'Test', days: 100, now });
    const leaf = await issueServer({ ca, sans, days: 10, now });
    expect(leaf.notBefore.getTime()).toBe(Math.floor((now.getTime() - LEAF_BACKDATE_MS) / 1000) * 1000);
    expect(leaf.notAfter.getTime()).toBe(Math.floor((now.getTime() + 10 * DAY_MS) / 1000) * 1000);
    expect(leaf.clamped).toBe(false);
    expect(inspectCertificate(leaf.cert)).toMatchObject({ notBefore: leaf.notBefore, notAfter: leaf.notAfter });

    const long = await issueServer({ ca, sans, days: 101, now });
    expect(long.clamped).toBe(true);
    expect(long.notAfter).toEqual(ca.notAfter);
    const below = await issueClient({
      authority: await issueClientAuthority({ ca, clientName: 'a', days: 500, now }),
      name: 'a',
      days: 500,
      now,
    });
    expect(below.clamped).toBe(true);
    expect(below.notAfter).toEqual(ca.notAfter);
  });

  test('a leaf never begins before its issuer', async () => {
    const later = new Date(now.getTime() + 2 * DAY_MS);
    const ca = await issueCa({ name: 'Test', days: 100, now: later });
    const leaf = await issueClient({ authority: ca, name: 'a', days: 10, now });
    expect(leaf.notBefore).toEqual(ca.notBefore);
  });

  test('an expired CA signs nothing', async () => {
    const ca = await issueCa({ name: 'Test', days: 1, now });
    const afterwards = new Date(now.getTime() + DAY_MS + 1000);
    await expect(issueServer({ ca, sans, days: 1, now: afterwards })).rejects.toMatchObject({
      code: 'E_CA_EXPIRED',
      exit: 2,
    });
  });

  test.each([0, -1, Number.NaN, 36_501, Infinity])('%d days are refused', async (days) => {
    await expect(issueCa({ name: 'Test', days, now })).rejects.toMatchObject({ code: 'E_DAYS' });
  });

  // RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
  test.each([
    ['2049-12-31T23:59:59Z', 0x17],
    ['2050-01-01T00:00:00Z', 0x18],
    ['2099-06-01T00:00:00Z', 0x18],
  ])('an end of %s is written with tag %d', async (end, tag) => {
    const days = (Date.parse(end) - now.getTime()) / DAY_MS;
    const ca = await issueCa({ name: 'Test', days: days + 1 / DAY_MS, now });
    expect(ca.notAfter.toISOString()).toBe(end.replace('Z', '.000Z'));
    expect(inspectCertificate(ca.cert).notAfter).toEqual(ca.notAfter);
    const digits = end.replace(/[-:T]/g, '').slice(tag === 0x17 ? 2 : 0);
    const raw = new X509Certificate(ca.cert).raw.toString('latin1');
    expect(raw).toContain(String.fromCharCode(tag, digits.length) + digits);
  });
});

describe('an authority', () => {
  test('opened from its files issues the same as the one that was just made', async () => {
    const ca = await issueCa({ name: 'Test', days: 100, now });
    const made = await issueClientAuthority({ ca, clientName: 'a', days: 50, now });
    const opened = openAuthority({ cert: made.cert, key: made.key });
    for (const field of ['subject', 'keyId', 'notBefore', 'notAfter', 'pathLen', 'chain'] as const)
      expect(opened[field]).toEqual(made[field]);
    const client = await issueClient({ authority: { cert: made.cert, key: made.key }, name: 'a', days: 10, now });
    expect(splitBundle(client.cert)).toEqual([client.leaf, made.leaf]);
  });

  test('that is an intermediate serves itself, but not the root', async () => {
    const root = await issueCa({ name: 'Root', days: 100, now });
    const middle = await issueCa({ name: 'Middle', days: 100, now, issuer: root });
    const ca = openAuthority({ cert: middle.cert + root.cert, key: middle.key });
    const server = await issueServer({ ca, sans, days: 10, now });
    expect(splitBundle(server.cert)).toEqual([server.leaf, middle.leaf]);
    const authority = await issueClientAuthority({ ca, clientName: 'a', days: 10, now });
    const client = await issueClient({ authority, name: 'a', days: 10, now });
    expect(splitBundle(client.cert)).toEqual([client.leaf, authority.leaf, middle.leaf]);
    expect(verifyChain({ leaf: client.cert, anchors: [root.cert], purpose: 'client', now })).toMatchObject({
      ok: true,
    });
  });

  test('of another key, or of no CA, or that is encrypted, is refused', async () => {
    const [one, two] = [await issueCa({ name: 'One', days: 10, now }), await issueCa({ name: 'Two', days: 10, now })];
    expect(() => openAuthority({ cert: one.cert, key: two.key })).toThrow(
      expect.objectContaining({ code: 'E_CA_KEY' }),
    );
    const leaf = await issueServer({ ca: one, sans, days: 1, now });
    expect(() => openAuthority(leaf)).toThrow(expect.objectContaining({ code: 'E_CA_NOT_CA' }));
    const locked = new Secret(
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAgwAwYBKgQBAA==\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    expect(() => openAuthority({ cert: one.cert, key: locked })).toThrow(
      expect.objectContaining({ code: 'E_KEY_PASSPHRASE' }),
    );
    expect(() => openAuthority({ cert: 'nothing', key: one.key })).toThrow(
      expect.objectContaining({ code: 'E_CERT_DAMAGED' }),
    );
  });

  test('of path length 0 signs no CA, and a limit is handed down', async () => {
    const ca = await issueCa({ name: 'Test', days: 10, now, pathLen: 1 });
    const middle = await issueCa({ name: 'Middle', days: 10, now, issuer: ca });
    expect(inspectCertificate(middle.cert).pathLen).toBe(0);
    await expect(issueClientAuthority({ ca: middle, clientName: 'a', days: 1, now })).rejects.toMatchObject({
      code: 'E_CA_PATHLEN',
    });
  });

  test('cross-signed keeps its name and key, so that what it signed is valid under both', async () => {
    const [old, fresh] = [
      await issueCa({ name: 'Old', days: 100, now }),
      await issueCa({ name: 'New', days: 1000, now }),
    ];
    const bridge = await crossSign({ ca: fresh, issuer: old, days: 90, now });
    const server = await issueServer({ ca: fresh, sans, days: 30, now });
    expect(verifyChain({ leaf: server.cert, anchors: [fresh.cert], purpose: 'server', now })).toMatchObject({
      ok: true,
    });
    expect(verifyChain({ leaf: server.cert, anchors: [old.cert], purpose: 'server', now })).toMatchObject({
      ok: false,
      reason: 'unknown-authority',
    });
    expect(verifyChain({ leaf: server.cert + bridge.leaf, anchors: [old.cert], purpose: 'server', now })).toMatchObject(
      { ok: true },
    );
  });

  test('signed anew by itself lives longer, and what it signed stays valid', async () => {
    const ca = await issueCa({ name: 'Test', days: 10, now });
    const leaf = await issueClient({ authority: ca, name: 'a', days: 10, now });
    const longer = await crossSign({ ca, issuer: ca, days: 1000, now });
    expect(longer.notAfter.getTime()).toBeGreaterThan(ca.notAfter.getTime());
    expect(inspectCertificate(longer.cert).selfIssued).toBe(true);
    expect(splitBundle(longer.cert)).toHaveLength(1);
    expect(verifyChain({ leaf: leaf.cert, anchors: [longer.cert], purpose: 'client', now })).toMatchObject({
      ok: true,
    });
  });
});

describe('a key from elsewhere', () => {
  test('is certified by its public key; no private key comes back', async () => {
    const ca = await issueCa({ name: 'Test', days: 10, now });
    const key = await generateKey('ed25519');
    const issued = await issueClient({ authority: ca, name: 'a', days: 1, now, publicKey: publicKeyOf(key) });
    expect(keyMatches(issued.cert, key)).toBe(true);
    expect(issued).not.toHaveProperty('key');
    const server = await issueServer({ ca, sans, days: 1, now, publicKey: publicKeyOf(await generateKey('rsa2048')) });
    expect(inspectCertificate(server.cert).keyUsage).toContain('keyEncipherment');
  });

  test('makes a CA of a given key', async () => {
    const key = await generateKey('p384');
    const ca = await issueCa({ name: 'Test', days: 10, now, key });
    expect(keyMatches(ca.cert, key)).toBe(true);
    expect(inspectCertificate(ca.cert).signatureAlgorithm).toBe('ecdsaWithSHA384');
  });
});

describe('names', () => {
  test.each(['', '  ', 'a\nb', 'x'.repeat(65)])('a client called %j is refused', async (name) => {
    const authority = await issueCa({ name: 'Test', days: 10, now });
    await expect(issueClient({ authority, name, days: 1, now })).rejects.toMatchObject({ code: 'E_NAME' });
  });

  test('a client may have any script, and 64 characters', async () => {
    const ca = await issueCa({ name: 'Test', days: 10, now });
    for (const name of ['Jürgen Müller', '開発者', 'x'.repeat(64)]) {
      expect(inspectCertificate((await issueClient({ authority: ca, name, days: 1, now })).cert).subject).toBe(name);
      const authority = await issueClientAuthority({ ca, clientName: name, days: 1, now });
      expect(inspectCertificate(authority.cert).subject).toMatch(
        new RegExp(`^client ${name.slice(0, 48)} [0-9a-f]{8}$`),
      );
    }
  });

  test('a server needs a name; one too long for the common name is still answered for', async () => {
    const ca = await issueCa({ name: 'Test', days: 10, now });
    await expect(issueServer({ ca, sans: [], days: 1, now })).rejects.toMatchObject({ code: 'E_NAME' });
    const long = parseSan(`${'a'.repeat(60)}.${'b'.repeat(60)}.example`);
    const info = inspectCertificate((await issueServer({ ca, sans: [long], days: 1, now })).cert);
    expect(info.sans).toEqual([long]);
    expect(info.subject).toBe('docker host');
  });
});
