/** Name constraints of a CA, read from certificates made by openssl, and compared with openssl's verdict. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseSan, type San } from '../../../src/core/domain/pki/san.ts';
import { namesFor, permittedNames } from '../../../src/core/domain/trust/server.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-constraints-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string) => join(directory, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', encoding: 'utf8' });

function caWith(constraints: string): string {
  writeFileSync(
    file('ca.cnf'),
    `[req]\ndistinguished_name=dn\n[dn]\n[ext]\nbasicConstraints=critical,CA:TRUE\nnameConstraints=critical,${constraints}\n`,
  );
  const key = ['-newkey', 'ed25519', '-nodes', '-keyout', file('ca-key.pem')];
  openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=ca',
    '-config',
    file('ca.cnf'),
    '-extensions',
    'ext',
    '-out',
    file('ca.pem'),
  );
  return readFileSync(file('ca.pem'), 'utf8');
}

/** Whether openssl accepts a server certificate of that CA for a name. */
function opensslTakes(name: string): boolean {
  const san = /^[0-9.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`;
  const key = ['-newkey', 'ed25519', '-nodes', '-keyout', file('leaf-key.pem')];
  openssl('req', '-new', ...key, '-subj', '/O=leaf', '-out', file('leaf.csr'));
  writeFileSync(file('leaf.cnf'), `subjectAltName=${san}\n`);
  const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca-key.pem'), '-extfile', file('leaf.cnf')];
  openssl('x509', '-req', '-in', file('leaf.csr'), ...signer, '-out', file('leaf.pem'));
  try {
    openssl('verify', '-CAfile', file('ca.pem'), file('leaf.pem'));
    return true;
  } catch {
    return false;
  }
}

const NAMES = [
  'corp.example',
  'a.corp.example',
  'xcorp.example',
  'a.secret.corp.example',
  'other.example',
  '10.1.2.3',
  '192.0.2.1',
  'fd00::1',
];

test.each([
  'permitted;DNS:corp.example',
  'permitted;DNS:.corp.example',
  'permitted;DNS:corp.example,excluded;DNS:secret.corp.example',
  'permitted;IP:10.0.0.0/255.0.0.0',
  'permitted;DNS:corp.example,permitted;IP:10.0.0.0/255.0.0.0,permitted;IP:fd00:0:0:0:0:0:0:0/ff00:0:0:0:0:0:0:0',
  'excluded;IP:192.0.2.0/255.255.255.0',
  'permitted;email:corp.example',
])('%s: the names that openssl takes', (constraints) => {
  const ca = caWith(constraints);
  expect(permittedNames(NAMES.map(parseSan), [], ca).map(({ value }) => value)).toEqual(NAMES.filter(opensslTakes));
});

test('a name that was asked for is not left out without a word', () => {
  const ca = caWith('permitted;DNS:corp.example');
  const names = ['a.corp.example', 'b.example'].map(parseSan);
  expect(() => permittedNames(names, ['b.example'], ca)).toThrow(expect.objectContaining({ code: 'E_CA_NAMES' }));
  expect(permittedNames(names, ['a.corp.example'], ca)).toEqual([parseSan('a.corp.example')]);
  expect(permittedNames(names, ['b.example'], undefined)).toEqual(names);
});

test('the certificate of a host has the names that its CA may certify', () => {
  const ca = caWith('permitted;DNS:corp.example');
  const [inside, outside] = ['a.corp.example', 'b.example'].map(parseSan) as [San, San];
  const proposed = [inside, outside];
  const refused = expect.objectContaining({ code: 'E_CA_NAMES' });
  expect(namesFor([], undefined, { proposed, address: inside.value, ca })).toEqual([inside]);
  expect(namesFor([], undefined, { proposed, address: inside.value })).toEqual(proposed);
  expect(() => namesFor([outside], undefined, { proposed, address: inside.value, ca })).toThrow(refused);
  expect(() => namesFor([], undefined, { proposed, address: outside.value, ca })).toThrow(refused);
});
