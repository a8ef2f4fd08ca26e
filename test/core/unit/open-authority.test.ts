/** Authorities ready to sign: with certificates made by openssl. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openAuthority } from '../../../src/core/domain/pki/open-authority.ts';
import { Secret } from '../../../src/core/domain/secret.ts';

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

test('none signs with the key of another, or where it may not sign', () => {
  const [ca, other, leaf] = [own([CA, SIGNS]), own([CA, SIGNS]), own([CA, 'keyUsage=critical,cRLSign'])];
  const code = (authority: Parameters<typeof openAuthority>[0]) => {
    try {
      return openAuthority(authority).cert === '' ? '' : undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect([code(ca), code({ ...ca, key: other.key }), code(leaf)]).toEqual([undefined, 'E_CA_KEY', 'E_CA_NOT_CA']);
});
