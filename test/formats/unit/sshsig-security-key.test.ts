/** Signatures of FIDO security keys (PROTOCOL.u2f), made by ssh-keygen 10.0 with the software key of OpenSSH's own tests (sk-dummy). */

import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { wireString } from '../../../src/core/domain/pki/ssh-wire.ts';
import { readSignature, type SshSignature, signedBytes, verifies } from '../../../src/formats/sshsig.ts';

/** `printf hello | ssh-keygen -Y sign -n docker-tls-manifest`. */
const VECTORS = {
  'sk-ssh-ed25519@openssh.com':
    'U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgima30s5OPDTcRVra2TDbXbk9oGBxMINnjSuEosPSQ/4AAAAEc3NoOgAAABNkb2NrZXItdGxzLW1hbmlmZXN0AAAAAAAAAAZzaGE1MTIAAABnAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAQDKfJkvZYdEf5Y9gsWxbGnUCm5XfjLjECYVqwUTuMCV1zVar/qZfz/MQq3DGX9XB8LLlmN/Wcx3db62/HqrdTAUBEjRWeA==',
  'sk-ecdsa-sha2-nistp256@openssh.com':
    'U1NIU0lHAAAAAQAAAH8AAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQAAAAhuaXN0cDI1NgAAAEEEiBcZLfDJVwLzhAYm/nk84eEvJvCB+K1XN33BA44z5scZxdMLF6Ov58kBIn2dDbubrcvu8Wh3LcI8YNjB5HNNagAAAARzc2g6AAAAE2RvY2tlci10bHMtbWFuaWZlc3QAAAAAAAAABnNoYTUxMgAAAHgAAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQAAAEkAAAAhAIgtmFx53oEGaCUmQMVE8E4oORSfMb//wB78Y9LFJVyzAAAAIFOoqlm2h4MJsk5FBbf8QWlO42dKIVFGzd/Dv12CTR0qARI0Vng=',
};

test.each(Object.entries(VECTORS))('%s', (type, text) => {
  const bytes = Buffer.from(text, 'base64');
  const signature = readSignature(bytes) as SshSignature;
  expect(signature).toMatchObject({ algorithm: type, namespace: 'docker-tls-manifest', hash: 'sha512' });
  // The key was touched, and has a counter.
  expect(signature.trailer?.toString('hex')).toBe('0112345678');
  expect(verifies(signature, 'hello')).toBe(true);
  expect(verifies(signature, 'hellp')).toBe(false);
  expect(verifies({ ...signature, namespace: 'docker-tls-signers' }, 'hello')).toBe(false);
  const trailer = (hex: string) => ({ ...signature, trailer: Buffer.from(hex, 'hex') });
  expect(verifies(trailer('0112345679'), 'hello')).toBe(false);
  expect(verifies(trailer('0512345678'), 'hello')).toBe(false);
  const last = wireString('ssh:').length;
  const other = Buffer.concat([signature.publicKey.subarray(0, -last), wireString('web:')]);
  expect(verifies({ ...signature, publicKey: other }, 'hello')).toBe(false);
  // As of a key in a file: the bytes are others.
  expect(verifies({ ...signature, trailer: undefined }, 'hello')).toBe(false);
  expect(verifies({ ...signature, algorithm: 'ssh-ed25519' }, 'hello')).toBeUndefined();
  expect(readSignature(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
});

test('a signature without a touch does not count, however right it is', () => {
  const type = 'sk-ssh-ed25519@openssh.com';
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const point = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const key = Buffer.concat([type, point, 'ssh:'].map(wireString));
  const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest();
  const made = (flags: number): SshSignature => {
    const trailer = Buffer.of(flags, 0, 0, 0, 9);
    const bytes = Buffer.concat([sha256('ssh:'), trailer, sha256(signedBytes('hello', 'n'))]);
    const raw = sign(null, bytes, privateKey);
    return { publicKey: key, namespace: 'n', hash: 'sha512', algorithm: type, raw, trailer };
  };
  // Touched; touched, with a PIN; neither; a PIN alone.
  expect([1, 5, 0, 4].map((flags) => verifies(made(flags), 'hello'))).toEqual([true, true, false, false]);
});
