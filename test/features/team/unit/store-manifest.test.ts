/** A snapshot is genuine only if an unbroken chain of lists leads to the operator who signed its manifest. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, expect, test } from 'vitest';
import { wireString } from '../../../../src/core/domain/pki/ssh-wire.ts';
import { entryOf } from '../../../../src/features/team/engines/git-log.ts';
import { findIdentities } from '../../../../src/features/team/store/identities.ts';
import { requireReadable } from '../../../../src/features/team/store/limits.ts';
import type { Operator } from '../../../../src/features/team/store/operators.ts';
import {
  type SigningKey,
  signerOf,
  signingKeyOf,
  signingKeysOf,
} from '../../../../src/features/team/store/signatures.ts';
import {
  fingerprintOf,
  MOST_SIGNERS,
  SIGNERS,
  type Signers,
  signersAmong,
  withSigners,
} from '../../../../src/features/team/store/signers.ts';
import { MANIFEST, readSigned, renderStoreManifest } from '../../../../src/features/team/store/store-manifest.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

async function keyIn(file: string): Promise<SigningKey> {
  const [identity] = await findIdentities({ env: { DOCKER_TLS_IDENTITY: file }, cwd: '/' });
  const [key] = identity === undefined ? [] : await signingKeysOf(identity);
  return key as SigningKey;
}

function place(): string {
  const directory = newHome();
  mkdirSync(directory, { recursive: true });
  return join(directory, 'key');
}

async function sshKey(...type: string[]): Promise<SigningKey> {
  const file = place();
  execFileSync('ssh-keygen', ['-q', '-N', '', '-f', file, ...type]);
  return keyIn(file);
}

async function ageKey(): Promise<SigningKey> {
  const file = place();
  writeFileSync(file, `${await generateIdentity()}\n`, { mode: 0o600 });
  return keyIn(file);
}

const [ada, bob, mallory] = await Promise.all([sshKey('-t', 'ed25519'), ageKey(), sshKey('-t', 'ed25519')]);
const [adaOnly, both, bobOnly] = [
  [{ name: 'ada', key: ada.key }],
  [
    { name: 'ada', key: ada.key },
    { name: 'bob', key: bob.key },
  ],
  [{ name: 'bob', key: bob.key }],
];

/** A snapshot with this chain, whose manifest this key signed as one of the newest list, or of another. */
async function snapshotOf(signers: Signers, key: SigningKey, named = signers.at(-1)) {
  const files = new Map<string, Uint8Array>([[SIGNERS, Buffer.from(JSON.stringify(signers))]]);
  const about = { sequence: 9, parent: '', at: '2026-11-26T10:00:00.000Z', by: 'x@laptop', subject: 'x', lines: [] };
  const list = fingerprintOf(named as Signers[number]);
  for (const [path, bytes] of await renderStoreManifest(files, { ...about, signers: list }, key))
    files.set(path, bytes);
  return files;
}

async function read(...given: Parameters<typeof snapshotOf>) {
  return readSigned(await snapshotOf(...given));
}

const begun = await withSigners([], adaOnly, 1, ada);
const grown = await withSigners(begun, both, 2, ada);
const left = await withSigners(grown, bobOnly, 3, bob);

test('a list that an operator of the one before has signed counts, and so do its operators', async () => {
  expect(await read(begun, ada)).toMatchObject({ signer: { name: 'ada' } });
  expect(await read(grown, bob)).toMatchObject({ signer: { name: 'bob' } });
  expect(await read(left, bob)).toMatchObject({ signer: { name: 'bob' } });
});

test('the same operators make no new list', async () => {
  expect(await withSigners(grown, [...both].reverse(), 7, bob)).toBe(grown);
});

test.each<[string, Signers]>([
  ['by nobody of the one before', await withSigners(begun, both, 2, bob)],
  ['by an operator who was removed', await withSigners(left, both, 4, ada)],
  [
    'on top of another list',
    [...begun, ...(await withSigners(await withSigners([], adaOnly, 1, ada), both, 2, ada)).slice(1)],
  ],
  ['with a number that is not later', await withSigners(left, both, 3, bob)],
  ['for a list of other operators', [...begun, { ...(grown[1] as Signers[number]), operators: bobOnly }]],
])('a list signed %s is refused, with all that follows', async (_, signers) => {
  expect(await read(signers, bob)).toSay('no-unbroken-chain-signers');
  expect(await read(await withSigners(signers, bobOnly, 9, bob), bob)).toSay('no-unbroken-chain-signers');
});

test('nobody signs a manifest but an operator of the newest list', async () => {
  expect(await read(begun, mallory)).toSay('no-operator-signed');
  expect(await read(left, ada)).toSay('no-operator-signed');
  expect(await read(left, ada, grown.at(-1))).toSay('no-operator-signed');
  expect(await read(left, bob, grown.at(-1))).toSay('somebody-no-operator');
});

test.each([
  ['ed25519', ada],
  ['age', bob],
  ['rsa', await sshKey('-t', 'rsa', '-b', '2048')],
])('a signature of a key of %s is one for ssh-keygen, for its text and purpose alone', async (_, { key, sign }) => {
  const signature = await sign('docker-tls-manifest', 'text');
  expect(signerOf('docker-tls-manifest', 'text', signature, [mallory.key, key])).toBe(key);
  expect(signerOf('docker-tls-manifest', 'test', signature, [key])).toBeUndefined();
  expect(signerOf('docker-tls-signers', 'text', signature, [key])).toBeUndefined();
  expect(signerOf('docker-tls-manifest', 'text', signature, [mallory.key])).toBeUndefined();
  const bytes = Buffer.from(signature, 'base64');
  bytes[bytes.length - 40] = (bytes.at(-40) as number) ^ 1;
  expect(signerOf('docker-tls-manifest', 'text', bytes.toString('base64'), [key])).toBeUndefined();
  const [file, allowed] = [place(), place()];
  const armoured = signature.replace(/.{1,70}/g, '$&\n');
  writeFileSync(file, `-----BEGIN SSH SIGNATURE-----\n${armoured}-----END SSH SIGNATURE-----\n`);
  writeFileSync(allowed, `ada ${key}\n`);
  const verify = (input: string, purpose: string) =>
    execFileSync('ssh-keygen', ['-Y', 'verify', '-f', allowed, '-I', 'ada', '-n', purpose, '-s', file], {
      input,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(verify('text', 'docker-tls-manifest')).toContain('Good "docker-tls-manifest" signature for ada');
  expect(() => verify('test', 'docker-tls-manifest')).toThrow();
});

test('the key of an age identity that signs is that of its recipient, whatever the sign of its point', async () => {
  const signs = new Set<string>();
  for (let attempt = 0; attempt < 12; attempt++) {
    const identity = await generateIdentity();
    const file = place();
    writeFileSync(file, `${identity}\n`, { mode: 0o600 });
    const { key, sign } = await keyIn(file);
    expect(key).toBe(signingKeyOf(await identityToRecipient(identity)));
    expect(signerOf('docker-tls-manifest', 'x', await sign('docker-tls-manifest', 'x'), [key])).toBe(key);
    signs.add(key);
  }
  expect(signs.size).toBe(12);
});

test('an operator who can open the CA has a key that can sign', () => {
  const quantum: Operator = { name: 'ada', recipient: 'age1pq1qqqq', ca: true, addedAt: '' };
  expect(() => signersAmong([quantum])).toThrow(expect.objectContaining({ code: 'E_RECIPIENT' }));
  expect(signersAmong([{ ...quantum, ca: false }])).toEqual([]);
});

test('a manifest and its signature have one form', async () => {
  const textOf = (files: ReadonlyMap<string, Uint8Array>) => Buffer.from(files.get(MANIFEST) ?? []).toString();
  let files = await snapshotOf(begun, ada);
  // Some signatures have neither character that URL-safe base64 writes otherwise.
  while (!/[+/][^\n]*\n$/.test(textOf(files))) files = await snapshotOf(begun, ada);
  const text = textOf(files);
  const as = (changed: string) => readSigned(new Map([...files, [MANIFEST, Buffer.from(changed)]]));
  expect(as(text)).toMatchObject({ signer: { name: 'ada' } });
  const [body = '', signature = ''] = text.trim().split('\n\n');
  const longer = Buffer.concat([Buffer.from(signature, 'base64'), Buffer.of(0, 0, 0, 0)]).toString('base64');
  const urlSafe = signature.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  for (const other of [
    ...[`${text}\njunk`, `${text}\n`, text.trim(), ` ${text}`, `${body}\n\n ${signature}\n`],
    ...[`${body}\n\n${urlSafe}\n`, `${body}\n\n${longer}\n`, `${body}\n\n${signature}=\n`],
  ])
    expect(as(other), other).toSay('no-operator-signed');
});

test('a signature has two parts, and none after them', async () => {
  const signature = Buffer.from(await ada.sign('docker-tls-manifest', 'text'), 'base64');
  const inner = Buffer.concat([signature.subarray(-83), wireString('more')]);
  const three = Buffer.concat([signature.subarray(0, -87), wireString(inner)]);
  const again = Buffer.concat([signature.subarray(0, -87), wireString(signature.subarray(-83))]);
  const by = (bytes: Buffer) => signerOf('docker-tls-manifest', 'text', bytes.toString('base64'), [ada.key]);
  expect([by(again), by(three)]).toEqual([ada.key, undefined]);
});

test('a list names each key once, and its file has a limit', async () => {
  const twice = [...adaOnly, { name: 'also ada', key: ada.key }];
  expect(await read(await withSigners([], twice, 1, ada), ada)).toMatch(/no unbroken chain/);
  const many = (count: number) => [
    ...adaOnly,
    ...Array.from({ length: count }, (_, at) => ({ name: 'x', key: `${at}` })),
  ];
  expect(await read(await withSigners([], many(999), 1, ada), ada)).toMatchObject({ signer: { name: 'ada' } });
  expect(await read(await withSigners([], many(1000), 1, ada), ada)).toMatch(/no unbroken chain/);
  const large = [{ name: 'x'.repeat(1024 * 1024), key: ada.key }];
  expect(await read(await withSigners([], large, 1, ada), ada)).toMatch(/no unbroken chain/);
});

test('a list of all operators that nobody could read is not stored: a clear end, and a copy begins anew', () => {
  const files = (bytes: number) => new Map([[SIGNERS, Buffer.alloc(bytes)]]);
  const full = { code: 'E_STORE_FULL', exit: 4, hints: ['docker-tls store copy --to git+ssh://git@HOST/PATH.git'] };
  const list = (count: number) =>
    ({ operators: Array.from({ length: count }, () => ({ name: 'x', key: 'y' })) }) as never;
  const { bytes, lists, operators } = MOST_SIGNERS;
  requireReadable(
    'url',
    files(bytes),
    Array.from({ length: lists }, () => list(operators)),
  );
  expect(() => requireReadable('url', files(bytes + 1), [])).toThrow(expect.objectContaining(full));
  expect(() => requireReadable('url', files(1), [list(operators + 1)])).toThrow(expect.objectContaining(full));
  expect(() =>
    requireReadable(
      'url',
      files(1),
      Array.from({ length: lists + 1 }, () => list(1)),
    ),
  ).toThrow(expect.objectContaining(full));
});

test('a commit of git with any text as its date is one of 1970', () => {
  const text = ['a'.repeat(40), '', '10000-01-01T00:00:00+00:00', 'x <x>', 'subject'].join('\n');
  expect(entryOf(text).at.toISOString()).toBe('1970-01-01T00:00:00.000Z');
});
