/** Every form of our certificates under strict verifiers: OpenSSL, GnuTLS and Java. Each is valid for its own purpose only. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  crossSign,
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
} from '../../../src/core/domain/pki/certificate.ts';
import { makeCsr, parseCsr } from '../../../src/core/domain/pki/csr.ts';
import { generateKey } from '../../../src/core/domain/pki/keys.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';

const run = promisify(execFile);
const now = new Date();
const SANS = ['localhost', '127.0.0.1', '::1', 'build-1.example.com', '*.build.example.com'].map(parseSan);

type Form = { readonly purpose: 'server' | 'client'; readonly chain: string; readonly anchors: string };

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-strict-'));
const forms = new Map<string, Form>();
/** The files of a form: chain and trust anchors. */
const files = new Map<string, readonly [chain: string, anchors: string]>();

beforeAll(async () => {
  await Promise.all(TYPES.map(ofType));
  const root = await issueCa({ name: 'Root', days: 3650, now });
  await underIntermediate(root);
  const server = async (name: string, ca: typeof root, more: Partial<Parameters<typeof issueServer>[0]> = {}) => {
    const { cert } = await issueServer({ ca, sans: SANS, days: 90, now, keyType: 'p256', ...more } as never);
    forms.set(name, { purpose: 'server', chain: cert, anchors: root.cert });
  };
  await server('server, one name', root, { sans: [parseSan('build-1')] });
  await server('server, a hundred names', root, {
    sans: Array.from({ length: 100 }, (_, n) => parseSan(`h${n}.local`)),
  });
  await server('server, a name beyond 64 characters', root, {
    sans: [parseSan(`${'a'.repeat(60)}.${'b'.repeat(60)}.de`)],
  });
  await server('server, cut to the end of its CA', await issueCa({ name: 'Short', days: 30, now, issuer: root }));
  await server('server, an RSA key', root, { keyType: 'rsa2048' } as never);
  await rotated(root);
  const key = await generateKey('p256');
  const { publicKey } = parseCsr(makeCsr({ key, commonName: 'ann' }));
  const authority = await issueClientAuthority({ ca: root, clientName: 'ann', days: 90, now });
  const signed = await issueClient({ authority, name: 'ann', days: 30, now, publicKey });
  forms.set('client, by its request', { purpose: 'client', chain: signed.cert, anchors: root.cert });
  const hostMade = await issueServer({ ca: root, sans: SANS, days: 90, now, publicKey });
  forms.set('server, of a key that the host made', { purpose: 'server', chain: hostMade.cert, anchors: root.cert });
  const beyondAscii = await issueClient({ authority, name: 'Ünal 株', days: 30, now });
  forms.set('client, a name beyond ASCII', { purpose: 'client', chain: beyondAscii.cert, anchors: root.cert });
  let count = 0;
  for (const [name, { chain, anchors }] of forms) {
    count += 1;
    const paths = [join(directory, `${count}.pem`), join(directory, `${count}-ca.pem`)] as const;
    writeFileSync(paths[0], chain);
    writeFileSync(paths[1], anchors);
    files.set(name, paths);
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The other RSA sizes differ only in their numbers (tested in pki-verifiers.test.ts). */
const TYPES = ['p256', 'p384', 'ed25519', 'rsa2048'] as const;

async function ofType(keyType: (typeof TYPES)[number]): Promise<void> {
  const ca = await issueCa({ name: `Test ${keyType}`, days: 3650, now, keyType });
  // An RSA key takes long, so with an RSA CA the leaves have another type.
  const leafType = keyType === 'rsa2048' ? 'p256' : keyType;
  const server = await issueServer({ ca, sans: SANS, days: 397, now, keyType: leafType });
  const authority = await issueClientAuthority({ ca, clientName: 'ann', days: 1000, now, keyType: leafType });
  const client = await issueClient({ authority, name: 'ann', days: 90, now, keyType: leafType });
  forms.set(`server under ${keyType}`, { purpose: 'server', chain: server.cert, anchors: ca.cert });
  forms.set(`client under ${keyType}`, { purpose: 'client', chain: client.cert, anchors: ca.cert });
}

async function underIntermediate(root: Awaited<ReturnType<typeof issueCa>>): Promise<void> {
  const ca = await issueCa({ name: 'Middle', days: 1000, now, issuer: root });
  const server = await issueServer({ ca, sans: SANS, days: 90, now });
  const authority = await issueClientAuthority({ ca, clientName: 'ann', days: 90, now });
  const client = await issueClient({ authority, name: 'ann', days: 90, now });
  forms.set('server under an intermediate', { purpose: 'server', chain: server.cert, anchors: root.cert });
  forms.set('client under an intermediate', { purpose: 'client', chain: client.cert, anchors: root.cert });
}

/** During a rotation a host also sends the new CA, signed by the old one. */
async function rotated(old: Awaited<ReturnType<typeof issueCa>>): Promise<void> {
  const fresh = await issueCa({ name: 'New', days: 3650, now });
  const bridge = await crossSign({ ca: fresh, issuer: old, days: 90, now });
  const server = await issueServer({ ca: fresh, sans: SANS, days: 90, now });
  const chain = server.cert + bridge.leaf;
  forms.set('server in a rotation, to old clients', { purpose: 'server', chain, anchors: old.cert });
  forms.set('server in a rotation, to new clients', { purpose: 'server', chain, anchors: fresh.cert });
}

const other = { server: 'client', client: 'server' } as const;

/** Each verifier's result for a form and its own purpose, or the other one; OK if accepted. */
async function judged(
  ask: (purpose: Form['purpose'], chain: string, anchors: string) => Promise<string>,
  own: boolean,
): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const [name, { purpose }] of forms) {
    const [chain, anchors] = files.get(name) as readonly [string, string];
    said[name] = await ask(own ? purpose : other[purpose], chain, anchors);
  }
  return said;
}

const all = (words: string): Record<string, unknown> =>
  Object.fromEntries([...forms.keys()].map((name) => [name, words === 'OK' ? 'OK' : expect.stringContaining(words)]));

async function ended(file: string, args: readonly string[]): Promise<string> {
  return run(file, args).then(
    () => 'OK',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
  );
}

test('OpenSSL, strict', async () => {
  const ask = (purpose: Form['purpose'], chain: string, anchors: string) =>
    ended('openssl', [
      ...['verify', '-no-CApath', '-no-CAstore', '-x509_strict', '-purpose', `ssl${purpose}`],
      ...['-CAfile', anchors, '-untrusted', chain, chain],
    ]);
  expect(await judged(ask, true)).toEqual(all('OK'));
  expect(await judged(ask, false)).toEqual(all('purpose'));
});

test('GnuTLS', async () => {
  const oid = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };
  const ask = (purpose: Form['purpose'], chain: string, anchors: string) =>
    ended('certtool', [
      '--verify',
      '--verify-purpose',
      oid[purpose],
      '--load-ca-certificate',
      anchors,
      '--infile',
      chain,
    ]);
  expect(await judged(ask, true)).toEqual(all('OK'));
  expect(await judged(ask, false)).toEqual(all('purpose'));
});

test('Java', async () => {
  const source = new URL('../../support/Verify.java', import.meta.url).pathname;
  const words = (own: boolean) =>
    [...forms].flatMap(([name, { purpose }]) => [own ? purpose : other[purpose], ...(files.get(name) ?? [])]);
  const { stdout } = await run('java', [
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    source,
    ...words(true),
    ...words(false),
  ]);
  const said = stdout.trimEnd().split('\n');
  const named = (lines: readonly string[]) =>
    Object.fromEntries([...forms.keys()].map((name, at) => [name, lines[at]]));
  expect(named(said.slice(0, forms.size))).toEqual(all('OK'));
  expect(named(said.slice(forms.size))).toEqual(all('Extended key usage'));
});
