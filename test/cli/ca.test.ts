import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { commandLine, splitCommand } from '../../src/adapters/issuer/sign-command.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import { inspectCertificate } from '../../src/domain/pki/inspect.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { writeSignScript } from '../support/sign-script.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let directory: string;
const factory = new CertificateFactory();

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
});
afterAll(() => {
  removeHomes();
  factory.remove();
});

const run = (...argv: string[]) =>
  runCli([...argv, '--home', home], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker') },
  });
const file = (name: string) => join(directory, name);

describe('ca create, show, export', () => {
  test('made once, shown, and exported: the certificate is public, the key only leaves encrypted', async () => {
    expect((await run('ca', 'create', '--json')).json.error?.code).toBe('E_CA_PASSPHRASE');
    writeFileSync(file('pass'), 'correct horse\n', { mode: 0o600 });
    const made = await run('ca', 'create', '--ca-name', 'acme', '--ca-passphrase-file', 'pass');
    expect([made.exit, made.err]).toEqual([0, '']);
    const shown = await run('ca', 'show', '--json');
    expect(shown.json.result).toMatchObject({ key: 'encrypted', clientIssuers: 0, old: [], intermediate: false });
    const exported = await run('ca', 'export');
    expect(exported.out).toBe(readFileSync(join(home, 'ca/ca.pem'), 'utf8'));
    writeFileSync(file('other'), 'another one\n', { mode: 0o600 });
    const key = await run(
      'ca',
      'export',
      '--with-key',
      '--out',
      'ca.pem',
      '--ca-passphrase-file',
      'pass',
      '--passphrase-file',
      'other',
    );
    expect([key.exit, key.err]).toEqual([0, '']);
    expect(statSync(file('ca.pem')).mode & 0o777).toBe(0o600);
    const text = readFileSync(file('ca.pem'), 'utf8');
    expect(text.match(/BEGIN [A-Z ]+/g)).toEqual(['BEGIN CERTIFICATE', 'BEGIN ENCRYPTED PRIVATE KEY']);
    const opened = execFileSync('openssl', ['pkey', '-in', file('ca.pem'), '-passin', 'pass:another one', '-pubout'], {
      encoding: 'utf8',
    });
    expect(opened).toContain('BEGIN PUBLIC KEY');
    expect((await run('ca', 'create', '--no-ca-passphrase', '--json')).json.error?.code).toBe('E_CA_EXISTS');
  });

  test('without a CA there is nothing to show', async () => {
    expect((await run('ca', 'show', '--json')).json.error?.code).toBe('E_NO_CA');
    expect(existsSync(home)).toBe(false);
  });
});

describe('ca import', () => {
  test('with its key this store issues; openssl follows from client to root', async () => {
    const root = factory.issue('root', { ca: true });
    const middle = factory.issue('middle', { ca: true, by: root });
    const { exit, err } = await run(
      'ca',
      'import',
      '--cert',
      middle.certFile,
      '--key',
      middle.keyFile,
      '--chain',
      root.certFile,
      '--no-ca-passphrase',
    );
    expect([exit, err]).toEqual([0, '']);
    expect((await run('ca', 'show', '--json')).json.result).toMatchObject({ intermediate: true, key: 'not encrypted' });
    await issueStore(home, { clients: { ci: undefined } });
    const client = join(home, 'clients/ci/cert.pem');
    const verified = execFileSync(
      'openssl',
      [
        'verify',
        '-CAfile',
        root.certFile,
        '-untrusted',
        middle.certFile,
        '-untrusted',
        client,
        '-purpose',
        'sslclient',
        client,
      ],
      { encoding: 'utf8' },
    );
    expect(verified).toContain('OK');
  });

  test('a key under a passphrase stays under it', async () => {
    const ca = factory.issue('ours', { ca: true });
    execFileSync('openssl', [
      'pkcs8',
      '-topk8',
      '-in',
      ca.keyFile,
      '-out',
      file('key.pem'),
      '-passout',
      'pass:secret words',
    ]);
    writeFileSync(file('pass'), 'secret words\n', { mode: 0o600 });
    expect(
      (await run('ca', 'import', '--cert', ca.certFile, '--key', 'key.pem', '--ca-passphrase-file', 'pass')).exit,
    ).toBe(0);
    expect((await run('ca', 'show', '--json')).json.result.key).toBe('encrypted');
  });

  test.each([
    ['a leaf', () => [factory.issue('leaf', {}).certFile], 'E_CA_NOT_CA'],
    [
      "another CA's key",
      () => [factory.issue('a', { ca: true }).certFile, '--key', factory.issue('b', { ca: true }).keyFile],
      'E_CA_KEY',
    ],
    ['one whose time is over', () => [factory.issue('old', { ca: true, from: -10, to: -1 }).certFile], 'E_CA_EXPIRED'],
    [
      'a chain of others',
      () => [
        factory.issue('c', { ca: true, by: factory.issue('r', { ca: true }) }).certFile,
        '--chain',
        factory.issue('x', { ca: true }).certFile,
      ],
      'E_CA_CHAIN',
    ],
    [
      'a command with an open quotation mark',
      () => [factory.issue('d', { ca: true }).certFile, '--sign-command', "sign '"],
      'E_USAGE',
    ],
  ])('refuses %s', async (_, files, code) => {
    const { exit, json } = await run('ca', 'import', '--no-ca-passphrase', '--json', '--cert', ...files());
    expect([exit, json.error?.code]).toEqual([2, code]);
    expect((await openStore(home).read()).ca).toBeUndefined();
  });

  test('another CA does not take the place of one that is there; the same one may bring its key later', async () => {
    const ca = factory.issue('first', { ca: true });
    await run('ca', 'import', '--cert', ca.certFile);
    const add = await run('client', 'add', 'ci', '--json');
    expect(add.json.error?.code).toBe('E_CA_KEY_EXTERNAL');
    const second = await run('ca', 'import', '--cert', factory.issue('second', { ca: true }).certFile, '--json');
    expect(second.json.error?.code).toBe('E_CA_EXISTS');
    expect((await run('ca', 'import', '--cert', ca.certFile, '--key', ca.keyFile, '--no-ca-passphrase')).exit).toBe(0);
    expect((await run('client', 'add', 'ci')).exit).toBe(0);
  });
});

describe('a command that signs', () => {
  test('servers, clients and requests get their credentials; nobody can be revoked, and that is said', async () => {
    const ca = factory.issue('company', { ca: true });
    expect(
      (await run('ca', 'import', '--cert', ca.certFile, '--sign-command', writeSignScript(file('sign'), ca))).exit,
    ).toBe(0);
    await issueStore(home, { hosts: { web: { address: '10.0.0.9' } }, clients: { ci: undefined } });
    const state = await openStore(home).read();
    expect(state.issuers.size).toBe(0);
    for (const [purpose, path] of [
      ['sslclient', 'clients/ci/cert.pem'],
      ['sslserver', 'hosts/web/server-cert.pem'],
    ] as const) {
      expect(
        execFileSync('openssl', ['verify', '-CAfile', ca.certFile, '-purpose', purpose, join(home, path)], {
          encoding: 'utf8',
        }),
      ).toContain('OK');
    }
    const other = newHome();
    await runCli(['client', 'request', 'ann', '--out', file('ann.csr'), '--home', other], { env: { HOME: directory } });
    const signed = await run('client', 'sign', 'ann.csr', '--out', 'ann.tar', '--json');
    expect(signed.json.result).toMatchObject({ client: 'ann', hosts: ['web'] });
    await expect(issueStore(home, { hosts: { web: {} }, clients: { eve: ['db'] } })).rejects.toMatchObject({
      code: 'E_CA_LEAF_ONLY',
    });
  });

  test('by hand, as docs/ca.md has it: the request lies there until somebody brings the certificate', async () => {
    const docs = readFileSync(new URL('../../docs/ca.md', import.meta.url), 'utf8');
    const script = /^ {4}#!\/bin\/sh\n {4}# sign-by-hand[\s\S]*?\n\n/m.exec(`${docs}\n`)?.[0] ?? '';
    writeFileSync(file('by-hand'), script.replace(/^ {4}/gm, '').replace('/srv/requests', directory));
    chmodSync(file('by-hand'), 0o755);
    const ca = factory.issue('company', { ca: true });
    const sign = writeSignScript(file('sign'), ca);
    const command = './by-hand {profile} {days} {name}';
    expect((await run('ca', 'import', '--cert', ca.certFile, '--sign-command', command)).exit).toBe(0);
    const carried: string[] = [];
    const somebody = setInterval(() => {
      for (const request of ['server-web.csr', 'client-ci.csr'].filter((name) => existsSync(file(name)))) {
        if (carried.includes(request) || !readFileSync(file(request), 'utf8').includes('END CERTIFICATE REQUEST'))
          continue;
        carried.push(request);
        const [profile = ''] = request.split('-');
        const cert = execFileSync(sign, [profile, '30'], { input: readFileSync(file(request)) });
        writeFileSync(file(request.replace('.csr', '.pem')), cert);
      }
    }, 100);
    try {
      await issueStore(home, { hosts: { web: { address: '10.0.0.9' } }, clients: { ci: undefined } });
    } finally {
      clearInterval(somebody);
    }
    expect(carried.sort()).toEqual(['client-ci.csr', 'server-web.csr']);
    const { hosts } = await openStore(home).read();
    expect(inspectCertificate(hosts.get('web')?.serverCert ?? '').sans.map(({ value }) => value)).toContain('10.0.0.9');
  }, 30_000);

  test.each<[string, string, number, RegExp, string?]>([
    ['fails', '#!/bin/sh\necho no such profile >&2; exit 3\n', 4, /status 3/],
    ['Ctrl-C ends', '#!/bin/sh\nkill -INT $$\n', 130, /interrupted while the sign command for ci ran/, 'E_INTERRUPTED'],
    ['prints nothing', '#!/bin/sh\ncat >/dev/null\n', 2, /no certificate/, 'E_SIGN_ANSWER'],
  ])('that %s says so', async (_, text, exit, message, code = 'E_SIGN_COMMAND') => {
    const ca = factory.issue('company', { ca: true });
    writeFileSync(file('bad'), text);
    chmodSync(file('bad'), 0o755);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', file('bad'));
    const { json, exit: status } = await run('client', 'add', 'ci', '--json');
    expect([status, json.error?.code]).toEqual([exit, code]);
    expect(json.error?.message).toMatch(message);
  });

  test('that is named from the directory of the import is found from any other, and asked for no day beyond the CA', async () => {
    const ca = factory.issue('company', { ca: true });
    writeSignScript(file('sign'), ca);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', './sign {profile} {days}');
    const { ca: stored } = await openStore(home).read();
    expect(stored?.record.signCommand).toBe(`${file('sign')} {profile} {days}`);
    expect((await run('client', 'add', 'ci', '--days', '36500')).exit).toBe(0);
    const { clients } = await openStore(home).read();
    const [end, limit] = [clients.get('ci')?.cert ?? '', stored?.cert ?? ''].map(
      (pem) => inspectCertificate(pem).notAfter,
    );
    expect(end?.getTime()).toBeLessThanOrEqual(limit?.getTime() ?? 0);
  });

  test('that fails is shown so that it can be pasted', async () => {
    const ca = factory.issue('company', { ca: true });
    const command = "/bin/sh -c 'cat >/dev/null; exit 3' sh";
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', command);
    const { json } = await run('client', 'add', 'ci', '--json');
    expect(json.error?.hints[0]).toMatch(/ \| \/bin\/sh -c 'cat >\/dev\/null; exit 3' sh client [0-9]+$/);
  });

  test.each([
    ['a b', ['a', 'b', 'server', '30']],
    ['step \'my profile\' "x y"', ['step', 'my profile', 'x y', 'server', '30']],
    ['sign --as={profile} -d {days} {name}', ['sign', '--as=server', '-d', '30', 'web']],
    ['a\\ b $HOME `id` ; rm', ['a b', '$HOME', '`id`', ';', 'rm', 'server', '30']],
    ["x ''", ['x', '', 'server', '30']],
  ])('%s is split by the rule', (command, words) => {
    expect(commandLine(command, { profile: 'server', days: 30, name: 'web' })).toEqual(words);
    expect(() => splitCommand(`${command} "`)).toThrow(/not closed/);
  });
});
