import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { type Listening, startTlsDaemon, VERSION_BODY } from '../../../support/tls-daemon.ts';

const home = newHome();
const directory = dirname(home);
const file = (name: string) => join(directory, name);
const factory = new CertificateFactory();
let daemon: Listening;

beforeAll(async () => {
  await issueStore(home, { hosts: { web: {} }, clients: { ci: undefined } });
  const host = (name: string) => join(home, 'hosts/web', name);
  const credential = (certFile: string, keyFile: string) => ({ cert: '', key: '', certFile, keyFile });
  daemon = await startTlsDaemon(factory, {
    server: credential(host('server-cert.pem'), host('server-key.pem')),
    trust: credential(host('ca.pem'), ''),
  });
  writeFileSync(file('pass'), 'correct horse\n', { mode: 0o600 });
  for (const format of ['tar', 'p12', 'pem', 'env']) {
    const more = format === 'p12' ? ['--passphrase-file', 'pass'] : [];
    const argv = ['client', 'export', 'ci', '--format', format, '--out', `ci.${format}`, '--home', home, ...more];
    const { exit, err } = await runCli(argv, { cwd: directory, env: { HOME: directory } });
    expect([exit, err]).toEqual([0, '']);
  }
  execFileSync('tar', ['-xf', file('ci.tar'), '-C', directory]);
});
afterAll(async () => {
  await daemon?.stop();
  factory.remove();
  removeHomes();
});

const curl = (...args: string[]) =>
  execFileSync(
    'curl',
    ['-sS', '--max-time', '5', '--cacert', file('ca.pem'), ...args, `https://127.0.0.1:${daemon.port}/version`],
    { encoding: 'utf8' },
  );

test('curl takes the unpacked tar, the one PEM and the PKCS#12', () => {
  expect(curl('--cert', file('cert.pem'), '--key', file('key.pem'))).toBe(VERSION_BODY);
  expect(curl('--cert', file('ci.pem'))).toBe(VERSION_BODY);
  expect(curl('--cert-type', 'P12', '--cert', `${file('ci.p12')}:correct horse`)).toBe(VERSION_BODY);
});

test('a job takes the env lines in as docs/clients.md says, and Python gets in with them', () => {
  const env = Object.fromEntries(
    readFileSync(file('ci.env'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  expect(env.DOCKER_HOST).toBe('tcp://127.0.0.1:2376');
  const script = `set -e; umask 077; mkdir -p job
for n in CA CERT KEY; do eval "v=\\$DOCKER_TLS_$n"; printf %s "$v" | base64 -d > job/$(echo $n | tr A-Z a-z).pem; done`;
  execFileSync('sh', ['-c', script], { cwd: directory, env: { ...env, PATH: process.env.PATH } });
  const python = `import ssl, http.client
c = ssl.create_default_context(cafile='job/ca.pem'); c.load_cert_chain('job/cert.pem', 'job/key.pem')
h = http.client.HTTPSConnection('127.0.0.1', ${daemon.port}, context=c, timeout=5); h.request('GET', '/version'); print(h.getresponse().read().decode())`;
  expect(execFileSync('python3', ['-c', python], { cwd: directory, encoding: 'utf8' }).trim()).toBe(VERSION_BODY);
});

test('Java reads the PKCS#12', () => {
  const listed = execFileSync(
    'keytool',
    ['-list', '-keystore', file('ci.p12'), '-storetype', 'PKCS12', '-storepass', 'correct horse'],
    { encoding: 'utf8', stdio: 'pipe' },
  );
  expect(listed).toMatch(/ci, .*PrivateKeyEntry/);
});
