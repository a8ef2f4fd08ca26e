/** Credentials from one computer to another: bundles, and requests whose key stays where it is. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { type CliSetting, runCli } from '../../../support/cli.ts';
import { changeClient, issueStore, TWO_HOSTS } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { contextsOf, NO_CONTEXT } from '../support/no-context.ts';

/** Two machines: the one with the CA, and a colleague's. */
let home: string;
let there: string;
let directory: string;

beforeEach(() => {
  home = newHome();
  there = newHome();
  directory = dirname(home);
});
afterAll(removeHomes);

const at = (place: string, argv: readonly string[], setting: CliSetting = {}) =>
  runCli(argv, {
    cwd: directory,
    ...setting,
    env: {
      HOME: dirname(place),
      DOCKER_CONFIG: join(dirname(place), 'docker'),
      DOCKER_TLS_HOME: place,
      SHELL: '/bin/sh',
      ...setting.env,
    },
  });
const here = (...argv: string[]) => at(home, argv);
const other = (...argv: string[]) => at(there, argv);
const file = (name: string) => join(directory, name);
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });

const three = () => issueStore(home, TWO_HOSTS);

describe('client export and import', () => {
  test('a tar makes directory and environment on the other computer', async () => {
    await three();
    const exported = await here('client', 'export', 'laptop', '--out', 'laptop.tar');
    expect([exported.exit, exported.err]).toEqual([0, '']);
    expect(mode(file('laptop.tar'))).toBe('600');
    expect(
      execFileSync('tar', ['-tf', file('laptop.tar')], { encoding: 'utf8' })
        .trim()
        .split('\n'),
    ).toEqual(['docker-tls.json', 'ca.pem', 'cert.pem', 'key.pem']);
    const imported = await other('client', 'import', file('laptop.tar'));
    expect([imported.exit, imported.err]).toEqual([0, '']);
    expect(mode(join(there, 'clients/laptop/key.pem'))).toBe('400');
    const env = await other('env', 'build-2');
    expect(env.out).toContain("export DOCKER_HOST='tcp://[2001:db8::2]:12376'");
    expect(env.out).toContain(`export DOCKER_CERT_PATH='${join(there, 'clients/laptop')}'`);
  });

  test('no CA and no server is needed there: what changes hosts says so, setup of the same client refuses', async () => {
    await three();
    await here('client', 'export', 'laptop', '--out', 'laptop.tar', '--hosts', 'build-1');
    await other('client', 'import', file('laptop.tar'), ...NO_CONTEXT);
    const list = await other('client', 'list', '--json');
    expect(list.json.result.clients).toMatchObject([{ name: 'laptop', imported: true, hosts: ['build-1'] }]);
    const apply = await other('apply', 'build-1', '--yes', '--json');
    expect([apply.exit, apply.json.error?.code]).toEqual([2, 'E_HOST_EXTERNAL']);
    const status = await other('status', 'build-1', '--offline', '--json');
    expect(status.json.result.reached).toEqual([
      { host: 'build-1', address: expect.stringMatching(/:2376$/), client: 'laptop', access: 'not asked' },
    ]);
    const rotate = await other('rotate', 'client', 'laptop', '--yes', '--json');
    expect(rotate.json.error?.code).toBe('E_CLIENT_EXTERNAL');
    expect(rotate.json.error?.hints.join()).toContain('docker-tls client request laptop');
  });

  test('an untrusted client of the same name takes no place', async () => {
    await three();
    await here('client', 'export', 'laptop', '--out', 'one.tar');
    await other('client', 'import', file('one.tar'), ...NO_CONTEXT);
    const untrusted = newHome();
    await issueStore(untrusted, { hosts: { 'build-1': {} }, clients: { laptop: undefined } });
    await at(untrusted, ['client', 'export', 'laptop', '--out', file('three.tar')]);
    const { exit, json } = await other('client', 'import', file('three.tar'), '--json');
    expect([exit, json.error?.code]).toEqual([2, 'E_CLIENT_EXISTS']);
    expect((await other('client', 'import', file('three.tar'), '--name', 'laptop-2')).exit).toBe(0);
  });

  test("env lines come back as a file and out of a job's environment", async () => {
    await three();
    const run = await here('client', 'export', 'ci', '--format', 'env', '--out', '-');
    expect(run.out.split('\n')).toHaveLength(6);
    writeFileSync(file('ci.env'), run.out);
    const imported = await other('client', 'import', file('ci.env'), ...NO_CONTEXT, '--json');
    expect(imported.json.result).toMatchObject({ client: 'ci', hosts: ['2001-db8-2'] });
    const job = newHome();
    const env = Object.fromEntries(
      run.out
        .trim()
        .split('\n')
        .map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    );
    const fromJob = await at(job, ['client', 'import', '--from-env', '--json'], { env });
    expect(fromJob.json.result).toMatchObject({ client: 'ci', contexts: contextsOf('2001-db8-2') });
  });

  test('a private key never reaches a terminal, a file that is there, or a directory that is not', async () => {
    await three();
    const terminal = await at(home, ['client', 'export', 'ci', '--out', '-'], { io: { outIsTerminal: true } });
    expect([terminal.exit, terminal.out]).toEqual([2, '']);
    expect(terminal.err).toContain('error[E_USAGE]');
    writeFileSync(file('mine'), 'precious');
    const taken = await here('client', 'export', 'ci', '--out', 'mine', '--json');
    expect(taken.json.error?.code).toBe('E_FILE_EXISTS');
    expect(readFileSync(file('mine'), 'utf8')).toBe('precious');
    expect((await here('client', 'export', 'ci', '--out', 'no/such', '--json')).json.error?.code).toBe('E_USAGE');
    expect((await here('client', 'export', 'ci', '--out', 'mine', '--replace')).exit).toBe(0);
    expect(mode(file('mine'))).toBe('600');
    const quiet = await here('client', 'export', 'ci', '--out', 'x.tar', '--json');
    expect(quiet.out + quiet.err).not.toContain('PRIVATE');
  });

  test('PKCS#12 wants a passphrase from a file that others cannot read, or a person', async () => {
    await three();
    writeFileSync(file('pass'), 'correct horse\n', { mode: 0o600 });
    const made = await here(
      'client',
      'export',
      'ci',
      '--format',
      'p12',
      '--out',
      'ci.p12',
      '--passphrase-file',
      'pass',
    );
    expect([made.exit, made.err]).toEqual([0, '']);
    const shown = openssl('pkcs12', '-in', file('ci.p12'), '-passin', 'pass:correct horse', '-nokeys', '-clcerts');
    expect(shown).toContain('friendlyName: ci');
    const unasked = await here('client', 'export', 'ci', '--format', 'p12', '--out', 'other.p12', '--json');
    expect(unasked.json.error?.code).toBe('E_NO_TERMINAL');
    expect(existsSync(file('other.p12'))).toBe(false);
  });

  test.each([
    ['one that is not there', ['client', 'export', 'nobody', '--out', 'x'], 'E_CLIENT_UNKNOWN'],
    ['a host that is not there', ['client', 'export', 'ci', '--hosts', 'web', '--out', 'x'], 'E_HOST_UNKNOWN'],
    [
      'a host that keeps it out',
      ['client', 'export', 'ci', '--hosts', 'build-1', '--out', 'x'],
      'E_CLIENT_NOT_ACCEPTED',
    ],
    ['no file', ['client', 'export', 'ci'], 'E_USAGE'],
    ['a bundle that is not there', ['client', 'import', 'nothing.tar'], 'E_FILE'],
    ['neither file nor environment', ['client', 'import'], 'E_USAGE'],
  ])('refuses %s', async (_, argv, code) => {
    await three();
    const { exit, json } = await here(...argv, '--json');
    expect([exit, json.error?.code]).toEqual([2, code]);
    expect(existsSync(file('x'))).toBe(false);
  });

  test('hands nothing out of a client that was revoked', async () => {
    await three();
    await changeClient(home, 'ci', { revokedAt: '2026-01-01T00:00:00.000Z' });
    const { exit, json } = await here('client', 'export', 'ci', '--out', 'x', '--json');
    expect([exit, json.error?.code, existsSync(file('x'))]).toEqual([2, 'E_CLIENT_REVOKED', false]);
  });

  test('refuses what is no bundle, and one whose time is over', async () => {
    writeFileSync(file('noise'), 'hello\n');
    expect((await other('client', 'import', file('noise'), '--json')).json.error?.code).toBe('E_BUNDLE');
    await issueStore(home, { hosts: { old: {} }, clients: { old: undefined }, days: 1, now: new Date('2024-01-01') });
    await here('client', 'export', 'old', '--out', 'old.tar');
    const { json } = await other('client', 'import', file('old.tar'), '--json');
    expect([json.error?.code, json.error?.message]).toEqual(['E_BUNDLE', expect.stringContaining('expired')]);
    expect(existsSync(there)).toBe(false);
  });
});

describe('client request, sign, import', () => {
  test('the key stays on the computer that asked, from request to renewal', async () => {
    await three();
    const requested = await other('client', 'request', 'ann', '--out', file('ann.csr'));
    expect([requested.exit, requested.err]).toEqual([0, '']);
    expect(mode(join(there, 'requests/ann/key.pem'))).toBe('400');
    expect(mode(join(there, 'requests/ann'))).toBe('700');
    expect(openssl('req', '-in', file('ann.csr'), '-noout', '-verify', '-subject')).toMatch(/CN ?= ?ann/);
    const again = await other('client', 'request', 'ann');
    expect(again.out).toBe(readFileSync(file('ann.csr'), 'utf8'));

    const signed = await here('client', 'sign', 'ann.csr', '--days', '30', '--out', 'ann.tar', '--json');
    expect(signed.json.result).toMatchObject({ client: 'ann', hosts: ['build-1', 'build-2'], apply: ['build-1'] });
    const told = await here('client', 'sign', 'ann.csr', '--out', 'again.tar');
    expect(told.out).toSay('rejects-until-applied', 'build-1', 'ann');
    expect(told.out).toMatch(/^ {2}first, here: +docker-tls apply build-1$/m);
    const piped = await here('client', 'sign', 'ann.csr', '--out', '-');
    expect(piped.err).toSay('rejects-until-applied-first', 'build-1', 'ann', 'docker-tls apply build-1');
    await here('client', 'sign', 'ann.csr', '--days', '30', '--out', 'ann.tar', '--replace');
    expect(execFileSync('tar', ['-tf', file('ann.tar')], { encoding: 'utf8' })).not.toContain('key.pem');
    expect(existsSync(join(home, 'clients/ann/key.pem'))).toBe(false);
    const list = await here('client', 'list', '--json');
    expect(list.json.result.clients[0]).toMatchObject({ name: 'ann', key: 'external' });

    const imported = await other('client', 'import', file('ann.tar'), '--json');
    expect(imported.json.result).toMatchObject({ client: 'ann', contexts: contextsOf('build-1', 'build-2') });
    expect(existsSync(join(there, 'requests/ann'))).toBe(false);
    const cert = readFileSync(join(there, 'clients/ann/cert.pem'), 'utf8');
    expect(openssl('x509', '-in', join(there, 'clients/ann/cert.pem'), '-noout', '-pubkey')).toBe(
      openssl('pkey', '-in', join(there, 'clients/ann/key.pem'), '-pubout'),
    );

    const refused = await here('rotate', 'client', 'ann', '--yes', '--json');
    expect(refused.json.error?.code).toBe('E_CLIENT_NO_KEY');
    await other('client', 'request', 'ann', '--out', file('ann-2.csr'));
    await here('client', 'sign', 'ann-2.csr', '--out', 'ann-2.tar');
    expect((await other('client', 'import', file('ann-2.tar'))).exit).toBe(0);
    const renewed = readFileSync(join(there, 'clients/ann/cert.pem'), 'utf8');
    // The same issuing CA as before: no host needs an update.
    expect(renewed.split('-----END CERTIFICATE-----')[1]).toBe(cert.split('-----END CERTIFICATE-----')[1]);
    expect(renewed).not.toBe(cert);
  });

  test('a bundle without a key is of no use on another computer', async () => {
    await three();
    await other('client', 'request', 'ann', '--out', file('ann.csr'));
    await here('client', 'sign', 'ann.csr', '--out', 'ann.tar');
    const thief = newHome();
    const { exit, json } = await at(thief, ['client', 'import', file('ann.tar'), '--json']);
    expect([exit, json.error?.code]).toEqual([2, 'E_NO_REQUEST']);
    await other('client', 'request', 'ann', '--new', '--out', file('other.csr'));
    expect((await other('client', 'import', file('ann.tar'), '--json')).json.error?.code).toBe('E_NO_REQUEST');
  });

  test('a request that another CA has signed: its certificate comes back as PEM', async () => {
    const factory = new CertificateFactory();
    const ca = factory.issue('corporate', { ca: true });
    await other('client', 'request', 'ann', '--out', file('ann.csr'));
    const sign = (to: string) =>
      openssl(
        ...['x509', '-req', '-in', file('ann.csr'), '-CA', ca.certFile, '-CAkey', ca.keyFile, '-days', '30'],
        ...['-out', file(to)],
      );
    sign('ann.pem');
    const bare = await other('client', 'import', file('ann.pem'), '--json');
    expect([bare.json.error?.code, bare.json.error?.hints]).toEqual([
      'E_BUNDLE',
      ['docker-tls client import FILE --ca ca.pem'],
    ]);
    const more = ['--ca', ca.certFile, '--host', 'tcp://build-1.example:2376'];
    const imported = await other('client', 'import', file('ann.pem'), ...more, '--json');
    expect(imported.json.result).toMatchObject({
      client: 'ann',
      hosts: ['build-1.example'],
      contexts: contextsOf('build-1.example'),
    });
    expect(existsSync(join(there, 'requests/ann'))).toBe(false);
    // A renewal names no host: it keeps the previous ones.
    await other('client', 'request', 'ann', '--new', '--out', file('ann.csr'));
    sign('ann-2.pem');
    const renewed = await other('client', 'import', file('ann-2.pem'), '--ca', ca.certFile, '--json');
    expect(renewed.json.result).toMatchObject({ client: 'ann', hosts: ['build-1.example'] });
    factory.remove();
  });

  test('our own PEM, and our PKCS#12 by way of openssl, are read back', async () => {
    await three();
    writeFileSync(file('pass'), 'correct horse\n', { mode: 0o600 });
    await here('client', 'export', 'ci', '--format', 'pem', '--out', 'ci.pem');
    await here('client', 'export', 'ci', '--format', 'p12', '--out', 'ci.p12', '--passphrase-file', 'pass');
    const raw = await other('client', 'import', file('ci.p12'), '--json');
    expect([raw.json.error?.code, raw.json.error?.hints[0]]).toEqual([
      'E_BUNDLE',
      'openssl pkcs12 -in FILE -nodes | docker-tls client import -',
    ]);
    const text = openssl('pkcs12', '-in', file('ci.p12'), '-nodes', '-passin', 'pass:correct horse');
    writeFileSync(file('from-p12.pem'), text, { mode: 0o600 });
    for (const [from, name] of [
      ['ci.pem', 'ci'],
      ['from-p12.pem', 'ci-p12'],
    ] as const) {
      const more = ['--name', name, '--ca', join(home, 'clients/ci/ca.pem'), ...NO_CONTEXT];
      expect((await other('client', 'import', file(from), ...more)).exit).toBe(0);
      for (const credential of ['ca.pem', 'cert.pem'])
        expect(readFileSync(join(there, 'clients', name, credential), 'utf8')).toBe(
          readFileSync(join(home, 'clients/ci', credential), 'utf8'),
        );
    }
    const open = ['--name', 'whole', ...NO_CONTEXT, '--json'];
    expect((await other('client', 'import', file('ci.pem'), ...open)).json.result.client).toBe('whole');
  });

  test('a request of openssl is signed under the name that is given', async () => {
    await three();
    openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      file('bob.key'),
      '-out',
      file('bob.csr'),
      '-subj',
      '/O=Acme/CN=Bob Builder',
    );
    const unnamed = await here('client', 'sign', 'bob.csr', '--out', 'bob.tar', '--json');
    expect(unnamed.json.error?.code).toBe('E_NAME');
    const { json } = await here('client', 'sign', 'bob.csr', '--name', 'bob', '--out', 'bob.tar', '--json');
    expect(json.ok).toBe(true);
    execFileSync('tar', ['-xf', file('bob.tar'), '-C', directory, 'cert.pem', 'ca.pem']);
    expect(
      openssl(
        'verify',
        '-CAfile',
        file('ca.pem'),
        '-untrusted',
        file('cert.pem'),
        '-purpose',
        'sslclient',
        file('cert.pem'),
      ),
    ).toContain('OK');
  });

  test('does not sign over a client whose key is here, a torn request, or one that was changed', async () => {
    await three();
    await other('client', 'request', 'laptop', '--out', file('a.csr'));
    expect((await here('client', 'sign', 'a.csr', '--json')).json.error?.code).toBe('E_CLIENT_EXISTS');
    const csr = readFileSync(file('a.csr'), 'utf8');
    writeFileSync(file('b.csr'), csr.slice(0, 200));
    expect((await here('client', 'sign', 'b.csr', '--name', 'x', '--json')).json.error?.code).toBe('E_CSR_DAMAGED');
    const der = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    der[der.indexOf('laptop')] = 'm'.charCodeAt(0);
    writeFileSync(
      file('c.csr'),
      `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`,
    );
    expect((await here('client', 'sign', 'c.csr', '--json')).json.error?.code).toBe('E_CSR_SIGNATURE');
    expect(readdirSync(join(home, 'clients'))).toEqual(['ci', 'laptop']);
  });

  test('made, signed and imported in one and the same store', async () => {
    await three();
    await here('client', 'request', 'ann', '--out', 'ann.csr');
    await here('client', 'sign', 'ann.csr', '--out', 'ann.tar');
    expect((await here('client', 'import', 'ann.tar', ...NO_CONTEXT)).exit).toBe(0);
    const { json } = await here('client', 'list', '--json');
    expect(json.result.clients[0]).toMatchObject({ name: 'ann', key: 'here', imported: false });
  });
});
