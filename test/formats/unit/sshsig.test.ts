/** SSHSIG and XEdDSA beside ssh-keygen. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as sshsig from '../../../src/formats/sshsig.ts';
import { readString } from '../../../src/formats/sshsig.ts';
import { ed25519Of, ed25519OfIdentity, signX25519 } from '../../../src/formats/xeddsa.ts';

const MESSAGE = Buffer.from('a message\n');
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-sshsig-'));
const at = (name: string) => join(directory, name);
const keygen = (args: readonly string[], input?: Buffer) =>
  execFileSync('ssh-keygen', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
afterAll(() => rmSync(directory, { recursive: true }));

/** What ssh-keygen makes of the signature of a key. */
function verified(signature: Buffer, publicKey: Buffer): string {
  const type = readString(publicKey, 0).toString('latin1');
  const lines = signature.toString('base64').replace(/.{1,70}/g, '$&\n');
  writeFileSync(at('sig'), `-----BEGIN SSH SIGNATURE-----\n${lines}-----END SSH SIGNATURE-----\n`);
  writeFileSync(at('signers'), `ops ${type} ${publicKey.toString('base64')}\n`);
  return keygen(['-Y', 'verify', '-f', at('signers'), '-I', 'ops', '-n', 'test', '-s', at('sig')], MESSAGE);
}

describe.each([
  ['rsa', '2048'],
  ['ecdsa', '256'],
  ['ecdsa', '384'],
  ['ecdsa', '521'],
])('%s %s', (type, bits) => {
  test('we take the signatures of ssh-keygen', () => {
    const file = at(`${type}-${bits}`);
    keygen(['-q', '-t', type, '-b', bits, '-m', 'PEM', '-N', '', '-f', file]);
    const publicKey = Buffer.from(readFileSync(`${file}.pub`, 'utf8').split(' ')[1] ?? '', 'base64');
    writeFileSync(at('message'), MESSAGE);
    rmSync(at('message.sig'), { force: true });
    keygen(['-q', '-Y', 'sign', '-f', file, '-n', 'test', at('message')]);
    const body = readFileSync(at('message.sig'), 'utf8').replace(/-----.*-----/g, '');
    const theirs = sshsig.readSignature(Buffer.from(body, 'base64'));
    expect(theirs).toMatchObject({ publicKey, namespace: 'test', hash: 'sha512' });
    const read = theirs as sshsig.SshSignature;
    expect(sshsig.verifies(read, MESSAGE)).toBe(true);
    expect(sshsig.verifies(read, 'another message\n')).toBe(false);
    expect(sshsig.verifies({ ...read, namespace: 'other' }, MESSAGE)).toBe(false);
    expect(sshsig.verifies({ ...read, hash: 'sha256' }, MESSAGE)).toBe(false);
    expect(sshsig.verifies({ ...read, hash: 'sha1' }, MESSAGE)).toBeUndefined();
    expect(sshsig.verifies({ ...read, algorithm: 'ssh-rsa' }, MESSAGE)).toBeUndefined();
    expect(sshsig.verifies({ ...read, algorithm: 'ssh-ed25519' }, MESSAGE)).toBeUndefined();
  });
});

test('an X25519 key signs as an Ed25519 key', () => {
  // Of age's own tests.
  const identity = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';
  const recipient = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
  const publicKey = ed25519OfIdentity(identity) as Buffer;
  expect(ed25519Of(recipient)).toEqual(publicKey);
  const raw = signX25519(identity, sshsig.signedBytes(MESSAGE, 'test'));
  const signature = sshsig.renderSignature(publicKey, 'test', 'ssh-ed25519', raw);
  expect(verified(signature, publicKey)).toContain('Good "test" signature for ops');
  expect(sshsig.verifies(sshsig.readSignature(signature) as sshsig.SshSignature, MESSAGE)).toBe(true);
  for (const wrong of [identity.replace('1GF', '1GG'), identity.toLowerCase(), 'AGE-SECRET-KEY-1QQ', recipient])
    expect([wrong, ed25519OfIdentity(wrong)]).toEqual([wrong, undefined]);
  for (const wrong of ['age1pq1qqq', 'ssh-ed25519 AAAA']) expect(ed25519Of(wrong)).toBeUndefined();
});

test('what is cut off, or longer than a signature, is none', () => {
  const identity = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';
  const signature = sshsig.renderSignature(
    ed25519OfIdentity(identity) as Buffer,
    'test',
    'ssh-ed25519',
    Buffer.alloc(64),
  );
  expect(sshsig.readSignature(signature)).toBeDefined();
  for (let length = 0; length < signature.length; length += 1)
    expect([length, sshsig.readSignature(signature.subarray(0, length))]).toEqual([length, undefined]);
  expect(sshsig.readSignature(Buffer.concat([signature, Buffer.of(0)]))).toBeUndefined();
});
