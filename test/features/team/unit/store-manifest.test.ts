/** A snapshot is genuine only if an unbroken chain of signing keys leads to the signer of its list of files. */

import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import {
  newSigningKey,
  readSigned,
  renderStoreManifest,
  SIGNERS,
  type Signers,
  withSigner,
} from '../../../../src/features/team/store/store-manifest.ts';

const about = { sequence: 1, parent: '', at: '2026-11-26T10:00:00.000Z', by: 'ada@laptop' };

/** The result of reading a snapshot with this chain, signed by this key. */
function read(signers: Signers, key: Secret) {
  const files = new Map<string, Uint8Array>([[SIGNERS, Buffer.from(JSON.stringify(signers))]]);
  files.set('manifest.json', renderStoreManifest(files, about, key));
  return readSigned(files);
}

const [first, second] = [newSigningKey(), newSigningKey()];
const begun = withSigner([], first);

test('a key that the one before it has signed is good', () => {
  expect(read(begun, first)).toMatchObject({ manifest: { sequence: 1 } });
  expect(read(withSigner(begun, second, first), second)).toMatchObject({ manifest: { sequence: 1 } });
});

test.each<[string, Signers]>([
  ['has no signature', withSigner(begun, second)],
  ['has signed itself', withSigner(begun, second, second)],
])('a key that %s is refused, though it signs well', (_, signers) => {
  expect(read(signers, second)).toMatch(/the one before it has not signed/);
});

test('what a key that was replaced signs is refused', () => {
  expect(read(withSigner(begun, second, first), first)).toMatch(/signature is wrong/);
});

test('a key of another kind is refused', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = new Secret(privateKey.export({ format: 'der', type: 'pkcs8' }));
  expect(read(withSigner([], other), other)).toMatch(/signature is wrong/);
});
