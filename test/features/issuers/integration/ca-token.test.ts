/** A CA whose key is in a token (SoftHSM): certificates are built locally and signed in the token, and the PIN is never shown. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { inspectCertificate } from '../../../../src/core/domain/pki/inspect.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { signByToken } from '../../../../src/features/issuers/adapters/pkcs11-token.ts';
import { signByCommand } from '../../../../src/features/issuers/adapters/sign-command.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { buildProgram, type Program } from '../../../support/cli.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { makeTokenCa, type TokenCa } from '../support/token.ts';

let program: Program;
let home: string;
let ca: TokenCa;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-token-ca-'));
const factory = new CertificateFactory();

beforeAll(() => {
  program = buildProgram();
  ca = makeTokenCa(directory);
});
beforeEach(() => {
  home = newHome();
});
afterAll(() => {
  program?.remove();
  factory.remove();
  removeHomes();
  rmSync(directory, { recursive: true });
});

async function run(...argv: string[]) {
  const env = { PATH: process.env.PATH ?? '', HOME: directory, ...ca.env };
  const ran = await program.run([...argv, '--home', home, '--json'], { cwd: directory, env });
  return { ...ran, json: JSON.parse(ran.out) };
}

const IMPORT = () => ['ca', 'import', '--cert', ca.certFile, '--pkcs11', ca.uri, '--no-ca-passphrase'];
const verify = (path: string) =>
  execFileSync(
    'openssl',
    ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', ca.certFile, '-untrusted', path, path],
    {
      encoding: 'utf8',
    },
  );

test('it signs issuing CAs, and its PIN is in no file of ours, no argument and no environment', async () => {
  const imported = await run(...IMPORT(), '--pin-file', ca.pinFile);
  expect(imported.json.result, imported.out).toMatchObject({ issues: 'token' });
  expect((await run('ca', 'show')).json.result).toMatchObject({ key: 'token', token: { pinFile: ca.pinFile } });
  // A program of that name, earlier on the PATH, records the arguments of openssl.
  writeFileSync(join(directory, 'seen'), '');
  writeFileSync(
    join(directory, 'openssl'),
    `#!/bin/sh\n{ env; tr '\\0' ' ' </proc/$$/cmdline; cat "$OPENSSL_CONF"; } >>${join(directory, 'seen')}\nexec /usr/bin/openssl "$@"\n`,
    { mode: 0o755 },
  );
  const env = { PATH: `${directory}:${process.env.PATH}`, HOME: directory, ...ca.env };
  const add = await program.run(['client', 'add', 'ann', '--home', home], { cwd: directory, env });
  expect(add.status, add.err).toBe(0);
  const seen = readFileSync(join(directory, 'seen'), 'utf8');
  expect(seen).toContain('pkcs11:token=ca;object=docker-ca;type=private');
  expect(seen + readFileSync(join(home, 'ca/ca.json'), 'utf8')).not.toContain(ca.pin);
  const { issuers } = await openStore(home).read();
  expect(inspectCertificate(issuers.get('ann')?.cert ?? '')).toMatchObject({ issuer: 'Token CA', pathLen: 0 });
  expect(verify(join(home, 'clients/ann/cert.pem'))).toContain('OK');
});

test('a dry run does not touch it; without a PIN, with a wrong one or for another CA nothing is imported', async () => {
  expect((await run(...IMPORT(), '--dry-run', '--pin-file', '/dev/null')).status).toBe(0);
  const asked = await run(...IMPORT());
  expect([asked.status, asked.json.error.code]).toEqual([2, 'E_NO_TERMINAL']);
  expect(asked.json.error.hints.join()).toContain('--pin-file');
  writeFileSync(join(directory, 'wrong'), '11111111\n', { mode: 0o600 });
  const wrong = await run(...IMPORT(), '--pin-file', 'wrong');
  expect([wrong.status, wrong.json.error.code]).toEqual([4, 'E_TOKEN']);
  const other = factory.issue('another', { ca: true });
  const mixed = await run('ca', 'import', '--cert', other.certFile, '--pkcs11', ca.uri, '--pin-file', ca.pinFile);
  expect([mixed.status, mixed.json.error.code]).toEqual([2, 'E_CA_KEY']);
  expect((await run('ca', 'show')).json.error.code).toBe('E_NO_CA');
});

test.each([
  ['a PIN', 'pkcs11:token=ca;object=x?pin-value=1234', expect.toSay('readable-every-local-user')],
  ['no key', 'pkcs11:token=ca', expect.stringMatching(/not a URI of a key/)],
  ['something else', 'file:/etc/passwd', expect.stringMatching(/not a URI of a key/)],
  ['an unknown attribute', 'pkcs11:object=x?module-name=y', expect.toSay('module-name-not-supported')],
  ['a relative module', 'pkcs11:object=x?module-path=lib.so', expect.stringMatching(/absolute path/)],
])('a URI with %s is refused', async (_, uri, message) => {
  const { status, json } = await run('ca', 'import', '--cert', ca.certFile, '--pkcs11', uri);
  expect([status, json.error.code, json.error.message]).toEqual([2, 'E_USAGE', message]);
});

test.each(['token', 'sign command'])('Ctrl-C is heard while a %s signs', async (what) => {
  const bin = mkdtempSync(join(directory, 'hangs-'));
  const begun = join(bin, 'begun');
  writeFileSync(join(bin, 'openssl'), `#!/bin/sh\ntouch ${begun}\nexec sleep 600\n`, { mode: 0o755 });
  const stop = new AbortController();
  const path = process.env.PATH;
  process.env.PATH = `${bin}:${path}`;
  const request = { profile: 'issuer', name: 'ops', days: 1, csr: '', key: '', ca: '', names: [], now: new Date() };
  try {
    const signing =
      what === 'token'
        ? signByToken(
            { uri: 'pkcs11:object=ca' },
            { pin: new Secret('1'), hash: 'sha256', body: Buffer.of(1) },
            stop.signal,
          )
        : signByCommand(join(bin, 'openssl'), request as never, stop.signal);
    const look = setInterval(() => existsSync(begun) && stop.abort(), 20);
    await expect(signing).rejects.toMatchObject({ code: 'E_INTERRUPTED', exit: 130 });
    clearInterval(look);
  } finally {
    process.env.PATH = path;
  }
});
