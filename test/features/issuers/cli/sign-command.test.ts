/** Sign commands: their input, their allowed answers, and messages about them. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StoredClient } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { inspectCertificate } from '../../../../src/core/domain/pki/inspect.ts';
import { tryPassphrase } from '../../../../src/core/domain/pki/keys.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { commandLine, signByCommand, splitCommand } from '../../../../src/features/issuers/adapters/sign-command.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { writeSignScript } from '../../../support/sign-script.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

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

describe('a command that signs', () => {
  test('with an open quotation mark is refused', async () => {
    const { certFile } = factory.issue('d', { ca: true });
    const argv = ['ca', 'import', '--no-ca-passphrase', '--json', '--cert', certFile, '--sign-command', "sign '"];
    const { exit, json } = await run(...argv);
    expect([exit, json.error?.code]).toEqual([2, 'E_USAGE']);
    expect((await openStore(home).read()).ca).toBeUndefined();
  });

  test('of leaf certificates only: servers and clients get them; no client can be revoked, and that is said', async () => {
    const ca = factory.issue('company', { ca: true });
    const sign = ['--sign-command', writeSignScript(file('sign'), ca), '--leaf-only'];
    expect((await run('ca', 'import', '--cert', ca.certFile, ...sign)).out).toSay('dockerd-cannot-reject-clients');
    expect((await run('ca', 'show')).out).toSay('signs-leaf-certificates-only');
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
    await expect(issueStore(home, { hosts: { web: {} }, clients: { eve: ['db'] } })).rejects.toMatchObject({
      code: 'E_CA_LEAF_ONLY',
    });
  });

  test('that signs issuing CAs: each client has one, whose key is here; clients are issued without the command, and one is revoked', async () => {
    const ca = factory.issue('company', { ca: true });
    const script = writeSignScript(file('sign'), ca);
    writeFileSync(script, readFileSync(script, 'utf8').replace('set -e', `set -e\necho "$1" >>${file('asked')}`));
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', script);
    const { error } = (await run('client', 'add', 'ci', '--json')).json;
    expect(error?.code).toBe('E_CA_PASSPHRASE');
    // client add has no --no-ca-passphrase.
    expect(error?.hints.join('\n')).toContain('ca create --no-ca-passphrase');
    writeFileSync(file('words'), 'correct horse battery\n', { mode: 0o600 });
    const secret = ['--ca-passphrase-file', file('words')];
    expect((await run('client', 'add', 'ci', ...secret)).exit).toBe(0);
    expect((await run('client', 'add', 'eve', ...secret)).exit).toBe(0);
    expect((await run('rotate', 'client', 'ci', ...secret)).exit).toBe(0);
    expect(readFileSync(file('asked'), 'utf8')).toBe('issuer\nissuer\n');
    const { issuers, clients } = await openStore(home).read();
    const issuer = issuers.get('ci');
    expect(issuer?.keyPem?.revealText()).toContain('ENCRYPTED');
    expect(inspectCertificate(issuer?.cert ?? '')).toMatchObject({ pathLen: 0, extKeyUsage: ['clientAuth'] });
    expect(clients.get('ci')?.cert.match(/BEGIN/g)).toHaveLength(2);
    writeFileSync(file('issuer.pem'), issuer?.cert ?? '');
    const verified = ['-purpose', 'sslclient', '-untrusted', file('issuer.pem'), join(home, 'clients/ci/cert.pem')];
    expect(execFileSync('openssl', ['verify', '-CAfile', ca.certFile, ...verified], { encoding: 'utf8' })).toContain(
      'OK',
    );
    const revoked = await run('client', 'revoke', 'eve', '--yes', '--json');
    expect([revoked.exit, (await openStore(home).read()).clients.get('eve')?.record.revokedAt]).toEqual([
      0,
      expect.any(String),
    ]);
  });

  const CAUSES: Readonly<Record<string, readonly [number, string]>> = {
    refuses: [4, 'E_SIGN_COMMAND'],
    'changes the name': [2, 'E_SIGN_ANSWER'],
    'gives it for too long': [2, 'E_SIGN_ANSWER'],
  };
  const ISSUER = 'basicConstraints=critical,CA:TRUE,pathlen:0';
  test.each<[string, (script: string) => string, unknown]>([
    [
      'refuses',
      (text) => text.replace('set -e', 'set -e; [ "$1" != issuer ] || exit 3'),
      expect.stringMatching(/ended with status 3/),
    ],
    ['gives a leaf', (text) => text.replace(ISSUER, 'basicConstraints=CA:FALSE'), expect.toSay('certificate-leaf')],
    [
      'sets no path length',
      (text) => text.replace(ISSUER, ISSUER.replace(',pathlen:0', '')),
      expect.toSay('any-number-cas-below'),
    ],
    [
      'allows a CA below',
      (text) => text.replace(ISSUER, ISSUER.replace(':0', ':1')),
      expect.stringMatching(/have 1 CAs below/),
    ],
    [
      'allows servers',
      (text) => text.replace('=clientAuth', '=clientAuth,serverAuth'),
      expect.toSay('not-clients-alone'),
    ],
    [
      'sets no purpose',
      (text) => text.replace("'extendedKeyUsage=clientAuth\\n", "'"),
      expect.toSay('not-clients-alone'),
    ],
    [
      'forgets keyCertSign',
      (text) => text.replace('keyCertSign', 'cRLSign'),
      expect.stringMatching(/may not sign certificates|is not a CA/),
    ],
    [
      'changes the name',
      (text) => text.replace('openssl x509 -req', 'openssl x509 -req -set_subject /CN=x'),
      expect.stringMatching(/is called "x"/),
    ],
    [
      'gives it for too long',
      (text) => text.replace('-days "$2"', '-days 3650'),
      expect.stringMatching(/after its CA/),
    ],
  ])('that %s where an issuing CA is asked for: no client, and the cause', async (what, change, message) => {
    const ca = factory.issue('company', { ca: true });
    const script = writeSignScript(file('sign'), ca);
    const text = readFileSync(script, 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(script, change(text));
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', script, '--no-ca-passphrase');
    const { json, exit } = await run('client', 'add', 'ci', '--json');
    const [status, code] = CAUSES[what] ?? [2, 'E_CA_LEAF_ONLY'];
    expect([exit, json.error?.code, json.error?.message]).toEqual([status, code, message]);
    // After a wrong answer, no hint suggests that the CA cannot sign it.
    expect(json.error?.hints.join('\n').includes('--leaf-only')).toBe(code !== 'E_SIGN_ANSWER');
    expect((await openStore(home).read()).clients.size).toBe(0);
  });

  test('that gives less time than was asked for: what it gave is used, and said', async () => {
    const ca = factory.issue('company', { ca: true });
    const script = writeSignScript(file('sign'), ca);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', script, '--no-ca-passphrase');
    expect((await run('client', 'add', 'ci')).err).toBe('');
    writeFileSync(script, readFileSync(script, 'utf8').replace('-days "$2"', '-days 2'));
    const { exit, err } = await run('client', 'add', 'eve');
    expect([exit, err]).toEqual([0, expect.toSay('ca-until-not-requested', 'eve')]);
  });

  test('whose passphrase changes before or while it signs: no key comes under the former one', async () => {
    const ca = factory.issue('company', { ca: true });
    const script = writeSignScript(file('sign'), ca);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', script);
    writeFileSync(file('old'), 'correct horse battery\n', { mode: 0o600 });
    writeFileSync(file('new'), 'staple under the moon\n', { mode: 0o600 });
    const add = (name: string) => run('client', 'add', name, '--ca-passphrase-file', file('old'), '--json');
    expect((await add('ci')).exit).toBe(0);
    const waits = `touch ${file('asked')}; while [ ! -e ${file('go')} ]; do sleep 0.1; done`;
    writeFileSync(script, readFileSync(script, 'utf8').replace('set -e', `set -e\n${waits}`));
    const adding = add('eve');
    await vi.waitUntil(() => existsSync(file('asked')), { timeout: 30_000 });
    const change = ['--ca-passphrase-file', file('old'), '--new-passphrase-file', file('new')];
    expect((await run('ca', 'passphrase', ...change)).exit).toBe(0);
    writeFileSync(file('go'), '');
    expect((await adding).json.error?.code).toBe('E_STORE_CHANGED');
    expect((await add('bob')).json.error?.code).toBe('E_KEY_PASSPHRASE');
    const { issuers } = await openStore(home).read();
    expect([...issuers.keys()]).toEqual(['ci']);
    const words = new Secret('staple under the moon');
    for (const { keyPem } of issuers.values()) expect(await tryPassphrase(keyPem as Secret, words)).toBeDefined();
  });

  test('whose CA has a path length of 0 is not asked for issuing CAs', async () => {
    const ca = factory.issue('company', { ca: true, pathLen: 0 });
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', writeSignScript(file('sign'), ca));
    expect((await run('client', 'add', 'ci')).exit).toBe(0);
    expect((await openStore(home).read()).issuers.size).toBe(0);
  });

  test('by hand, by the script of examples/sign-command: the request is there until the operator brings the certificate', async () => {
    const script = readFileSync(new URL('../../../../examples/sign-command/sign-by-hand', import.meta.url), 'utf8');
    writeFileSync(file('by-hand'), script.replace('/srv/requests', directory));
    chmodSync(file('by-hand'), 0o755);
    const ca = factory.issue('company', { ca: true });
    const sign = writeSignScript(file('sign'), ca);
    const command = './by-hand {profile} {days} {name}';
    expect((await run('ca', 'import', '--cert', ca.certFile, '--sign-command', command)).exit).toBe(0);
    const carried: string[] = [];
    const operator = setInterval(() => {
      for (const request of ['server-web.csr', 'issuer-ci.csr'].filter((name) => existsSync(file(name)))) {
        if (carried.includes(request) || !readFileSync(file(request), 'utf8').includes('END CERTIFICATE REQUEST'))
          continue;
        carried.push(request);
        const [profile = ''] = request.split('-');
        const cert = execFileSync(sign, [profile, '29'], { input: readFileSync(file(request)) });
        writeFileSync(file(request.replace('.csr', '.pem')), cert);
      }
    }, 100);
    try {
      await issueStore(home, { hosts: { web: { address: '10.0.0.9' } }, clients: { ci: undefined } });
    } finally {
      clearInterval(operator);
    }
    expect(carried.sort()).toEqual(['issuer-ci.csr', 'server-web.csr']);
    const { hosts } = await openStore(home).read();
    expect(inspectCertificate(hosts.get('web')?.serverCert ?? '').sans.map(({ value }) => value)).toContain('10.0.0.9');
  });

  test('while a person signs, other runs use the store; what they changed of the CA or the client is not overwritten', async () => {
    const ca = factory.issue('company', { ca: true });
    const sign = writeSignScript(file('sign'), ca);
    writeFileSync(
      file('slow'),
      `#!/bin/sh\ncd ${directory}\ntouch asked\nwhile [ ! -e go ]; do sleep 0.05; done\nexec ${sign} "$@"\n`,
    );
    chmodSync(file('slow'), 0o755);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', file('slow'), '--leaf-only');
    const until = async (name: string) => {
      while (!existsSync(file(name))) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const first = run('client', 'add', 'ann', '--yes', '--json');
    await until('asked');
    const store = openStore(home);
    await store.withLock('another run', async () => {
      expect((await store.read()).clients.size).toBe(0);
    });
    writeFileSync(file('go'), '');
    expect((await first).exit).toBe(0);
    rmSync(file('go'));
    rmSync(file('asked'));
    const second = run('rotate', 'client', 'ann', '--yes', '--json');
    await until('asked');
    await store.withLock('another run', async () => {
      const ann = (await store.read()).clients.get('ann') as StoredClient;
      const { directory: _, ...stored } = ann as StoredClient & { directory?: string };
      await store.write({ clients: { ann: { ...stored, record: { ...ann.record, days: 7 } } } });
    });
    writeFileSync(file('go'), '');
    expect((await second).json.error?.code).toBe('E_STORE_CHANGED');
    expect((await store.read()).clients.get('ann')?.record.days).toBe(7);
  });

  test.each<[string, string, number, unknown, string?]>([
    ['fails', '#!/bin/sh\necho no such profile >&2; exit 3\n', 4, expect.stringMatching(/status 3/)],
    [
      'Ctrl-C ends',
      '#!/bin/sh\nkill -INT $$\n',
      130,
      expect.toSay('interrupted-while-sign-command', 'ci'),
      'E_INTERRUPTED',
    ],
    ['prints nothing', '#!/bin/sh\ncat >/dev/null\n', 2, expect.stringMatching(/no certificate/), 'E_SIGN_ANSWER'],
  ])('that %s says so', async (_, text, exit, message, code = 'E_SIGN_COMMAND') => {
    const ca = factory.issue('company', { ca: true });
    writeFileSync(file('bad'), text);
    chmodSync(file('bad'), 0o755);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', file('bad'), '--leaf-only');
    const { json, exit: status } = await run('client', 'add', 'ci', '--json');
    expect([status, json.error?.code]).toEqual([exit, code]);
    expect(json.error?.message).toEqual(message);
  });

  test.each<[string, (script: string) => string, unknown]>([
    ['for clients as well', (text) => text.replace('=%sAuth', '=%sAuth,clientAuth'), expect.toSay('good-clients-well')],
    [
      'for any purpose',
      (text) => text.replace('extendedKeyUsage=%sAuth\\n', '#%s\\n'),
      expect.toSay('good-clients-well'),
    ],
    ['for clients', (text) => text.replace('=%sAuth', '=clientAuth#%s'), expect.stringMatching(/it is for clientAuth/)],
    [
      'that may not sign',
      (text) => text.replace('digitalSignature', 'keyEncipherment'),
      expect.stringMatching(/may not sign/),
    ],
    ['that outlives its CA', (text) => text.replace('-days "$2"', '-days 3650'), expect.stringMatching(/after its CA/)],
    [
      'that has expired',
      (text) => text.replace('-days "$2"', '-not_before 20200101000000Z -not_after 20200201000000Z'),
      /expired/,
    ],
    ['cut short', (text) => text.replace('2>/dev/null', '2>/dev/null | sed 5d'), /cannot be read/],
  ])('a server certificate %s is refused before any host is dialled', async (_, change, message) => {
    const ca = factory.issue('company', { ca: true });
    const script = writeSignScript(file('sign'), ca);
    const text = readFileSync(script, 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(script, change(text));
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', script);
    await expect(issueStore(home, { hosts: { web: {} } })).rejects.toMatchObject({
      code: 'E_SIGN_ANSWER',
      exit: 2,
      message,
    });
  });

  test('that is named from the directory of the import is found from any other, and asked for no day beyond the CA', async () => {
    const ca = factory.issue('company', { ca: true });
    writeSignScript(file('sign'), ca);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', './sign {profile} {days}', '--leaf-only');
    const { ca: stored } = await openStore(home).read();
    expect(stored?.record.external).toEqual({ kind: 'command', command: `${file('sign')} {profile} {days}` });
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
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', command, '--leaf-only');
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

  test('its words reach the program as they are: no shell reads them, nor what is filled in', async () => {
    writeFileSync(file('words'), '#!/bin/sh\ncat >/dev/null\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
    const name = '$(id); `id`';
    const request = { profile: 'client', days: 30, name, commonName: name, csr: '', ca: '', now: new Date() } as const;
    const printed = await signByCommand(`${file('words')} '$HOME' 'a  b' --for={name}`, request);
    expect(printed.split('\n')).toEqual(['$HOME', 'a  b', '--for=$(id); `id`', '']);
  });
});
