/** Requirements for an imported CA: each reason for a refusal, with certificates made by openssl. */

import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { authorityFlaws } from '../../../../src/features/issuers/domain/authority.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-authority-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const P256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const CA = 'basicConstraints=critical,CA:TRUE';
const SIGNS = 'keyUsage=critical,keyCertSign';

/** A self-signed certificate with these extensions, and its key. */
function own(extensions: readonly string[], newKey: readonly string[] = P256): { cert: string; key: Secret } {
  const file = (name: string) => join(directory, name);
  writeFileSync(file('cnf'), `[req]\ndistinguished_name=dn\n[dn]\n[ext]\n${extensions.join('\n')}\n`);
  const key = ['-newkey', ...newKey, '-nodes', '-keyout', file('key.pem')];
  const about = ['-subj', '/CN=ca', '-config', file('cnf'), '-extensions', 'ext', '-out', file('ca.pem')];
  execFileSync('openssl', ['req', '-x509', ...key, ...about], { stdio: 'pipe' });
  return { cert: readFileSync(file('ca.pem'), 'utf8'), key: new Secret(readFileSync(file('key.pem'), 'utf8')) };
}

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const codes = (cert: string, now = inDays(1)) => authorityFlaws(cert, now).map(({ code }) => code);

test.each<[string, string[], string[]]>([
  ['a CA', [CA, SIGNS], []],
  ['one that says nothing of what its key is for', [CA], []],
  ['one for servers and clients', [CA, SIGNS, 'extendedKeyUsage=serverAuth,clientAuth'], []],
  ['one for any purpose', [CA, SIGNS, 'extendedKeyUsage=anyExtendedKeyUsage'], []],
  ['a leaf', ['basicConstraints=critical,CA:FALSE'], ['E_CA_NOT_CA']],
  ['one that may not sign certificates', [CA, 'keyUsage=critical,cRLSign'], ['E_CA_NOT_CA']],
  ['one for servers alone', [CA, SIGNS, 'extendedKeyUsage=serverAuth'], ['E_CA_USAGE']],
  ['one for clients alone', [CA, SIGNS, 'extendedKeyUsage=clientAuth'], ['E_CA_USAGE']],
  ['a critical extension that is not known', [CA, SIGNS, '1.2.3.4.5=critical,ASN1:UTF8String:x'], ['E_CA_EXTENSION']],
  ['the same where it is not critical', [CA, SIGNS, '1.2.3.4.5=ASN1:UTF8String:x'], []],
  [
    'constraints that Docker does not understand',
    [CA, SIGNS, 'nameConstraints=critical,permitted;dirName:dir', '[dir]', 'O=corp'],
    ['E_CA_NAMES'],
  ],
])('%s: %j', (_what, extensions, expected) => {
  expect(codes(own(extensions).cert)).toEqual(expected);
});

test.each<[string, string[], string[]]>([
  ['RSA of 2048 bits', ['rsa:2048'], []],
  ['RSA of 1024 bits', ['rsa:1024'], ['E_CA_KEY_TYPE']],
  ['Ed25519', ['ed25519'], []],
  ['P-521', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'], []],
  ['a curve that is not of TLS', ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], ['E_CA_KEY_TYPE']],
  ['a curve that is spelled out', [...P256, '-pkeyopt', 'ec_param_enc:explicit'], ['E_CA_KEY_TYPE']],
])('a key of %s: %j', (_what, key, expected) => {
  expect(codes(own([CA, SIGNS], key).cert)).toEqual(expected);
});

test('a key of RSA that is longer than Docker takes', () => {
  const { cert, key } = own([CA, SIGNS]);
  const [ca, caKey, long, out] = ['ca.pem', 'key.pem', 'long.pem', 'out.pem'].map((name) => join(directory, name));
  expect([readFileSync(ca ?? '', 'utf8'), readFileSync(caKey ?? '', 'utf8')]).toEqual([cert, key.revealText()]);
  const certified = (bits: number): string[] => {
    const n = Buffer.alloc(bits / 8, 0xff).toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
    writeFileSync(long ?? '', publicKey.export({ type: 'spki', format: 'pem' }));
    const about = ['-in', ca, '-signkey', caKey, '-force_pubkey', long, '-out', out].map(String);
    execFileSync('openssl', ['x509', ...about], { stdio: 'pipe' });
    return codes(readFileSync(out ?? '', 'utf8'));
  };
  expect([certified(8192), certified(8200)]).toEqual([[], ['E_CA_KEY_TYPE']]);
});

test('before and after its time; every reason at once', () => {
  const { cert } = own([CA, SIGNS]);
  expect([codes(cert, inDays(-1)), codes(cert, inDays(31))]).toEqual([['E_CA_NOT_YET_VALID'], ['E_CA_EXPIRED']]);
  expect(codes(own([CA, 'keyUsage=critical,cRLSign'], ['rsa:1024']).cert, inDays(31))).toEqual([
    'E_CA_NOT_CA',
    'E_CA_EXPIRED',
    'E_CA_KEY_TYPE',
  ]);
});
