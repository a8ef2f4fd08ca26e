import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoredClient } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { inspectCertificate } from '../../src/core/domain/pki/inspect.ts';
import { commandLine, signByCommand, splitCommand } from '../../src/features/issuers/adapters/sign-command.ts';
import { writeSignScript } from '../features/issuers/support/sign-script.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
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

/** A CA made by openssl alone, with its own key and extensions; the file of its certificate, and beside it `-key.pem`. */
function own(
  subject: string,
  extensions: readonly string[] = [],
  key: readonly string[] = ec('P-256'),
  usage = true,
): string {
  const base = file(`own-${randomUUID()}`);
  const lines = ['[req]', 'distinguished_name=dn', '[dn]', '[ext]', 'basicConstraints=critical,CA:TRUE'];
  writeFileSync(
    `${base}.cnf`,
    [...lines, ...(usage ? ['keyUsage=critical,keyCertSign,cRLSign'] : []), ...extensions].join('\n'),
  );
  const files = ['-keyout', `${base}-key.pem`, '-out', `${base}.pem`, '-config', `${base}.cnf`, '-extensions', 'ext'];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-newkey', ...key, '-subj', subject, ...files], { stdio: 'pipe' });
  return `${base}.pem`;
}
const ec = (curve: string) => ['ec', '-pkeyopt', `ec_paramgen_curve:${curve}`];
/** Name constraints that exclude every DNS name (an empty one) and every address, which openssl's own words cannot say. */
const NOTHING = ['3036a134', '30028200', `300a8708${'00'.repeat(8)}`, `30228720${'00'.repeat(32)}`]
  .join('')
  .replace(/..(?=.)/g, '$&:');
const keyOf = (cert: string) => cert.replace(/\.pem$/, '-key.pem');
const withKey = (cert: string) => [cert, '--key', keyOf(cert)];

describe('ca import', () => {
  test('of a key file that holds more than the key, only the key is kept', async () => {
    const cert = own('/CN=x');
    execFileSync('openssl', [
      'pkcs12',
      '-export',
      '-in',
      cert,
      '-inkey',
      keyOf(cert),
      '-out',
      file('x.p12'),
      '-passout',
      'pass:',
    ]);
    execFileSync('openssl', ['pkcs12', '-in', file('x.p12'), '-passin', 'pass:', '-nodes', '-out', file('all.pem')], {
      stdio: 'pipe',
    });
    const all = readFileSync(file('all.pem'), 'utf8');
    expect(all).toMatch(/Bag Attributes[\s\S]*BEGIN CERTIFICATE[\s\S]*BEGIN PRIVATE KEY/);
    const { exit, err } = await run('ca', 'import', '--cert', cert, '--key', 'all.pem', '--no-ca-passphrase');
    expect([exit, err]).toEqual([0, '']);
    expect(readFileSync(join(home, 'ca/ca-key.pem'), 'utf8')).toMatch(
      /^-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n$/,
    );
  });

  test('several things against it are said together', async () => {
    const { exit, json } = await run(
      'ca',
      'import',
      '--cert',
      own('/CN=x', ['extendedKeyUsage=codeSigning'], ec('secp256k1')),
      '--json',
    );
    expect(exit).toBe(2);
    expect(json.error?.errors?.map(({ code }) => code)).toEqual(['E_CA_USAGE', 'E_CA_KEY_TYPE']);
  });

  test.each([
    ['P-384', ec('P-384')],
    ['P-521', ec('P-521')],
    ['Ed25519', ['ed25519']],
    ['RSA 2048', ['rsa:2048']],
  ])('%s works: what it issues holds for openssl', async (_, key) => {
    const cert = own('/CN=x', ['extendedKeyUsage=serverAuth,clientAuth'], key);
    expect((await run('ca', 'import', '--cert', cert, '--key', keyOf(cert), '--no-ca-passphrase')).exit).toBe(0);
    await issueStore(home, { clients: { ci: undefined } });
    const client = join(home, 'clients/ci/cert.pem');
    const args = ['verify', '-x509_strict', '-CAfile', cert, '-untrusted', client, '-purpose', 'sslclient', client];
    expect(execFileSync('openssl', args, { encoding: 'utf8' })).toContain('OK');
  });

  test('without key usage, or an intermediate: it works, and the verifiers that refuse it are named', async () => {
    const bare = await run('ca', 'import', '--cert', own('/CN=bare', [], ec('P-256'), false), '--dry-run', '--json');
    expect(bare.json.result.warnings).toEqual([expect.stringContaining('"bare" has no key usage')]);
    const middle = factory.issue('middle', { ca: true, by: factory.issue('root', { ca: true }) });
    const below = await run('ca', 'import', '--cert', middle.certFile, '--dry-run');
    expect(below.out).toMatch(/warning: "middle" is an intermediate CA: .*docker-py/);
    const root = await run('ca', 'import', '--cert', own('/CN=root'), '--dry-run', '--json');
    expect(root.json.result.warnings).toEqual([]);
  });

  test('what was imported and never used can be replaced; what was used cannot', async () => {
    const [first, second, third] = [own('/CN=first'), own('/CN=second'), own('/CN=third')];
    const take = (cert: string) =>
      run('ca', 'import', '--cert', cert, '--key', keyOf(cert), '--no-ca-passphrase', '--json');
    expect((await take(first)).exit).toBe(0);
    expect((await take(second)).exit).toBe(0);
    expect((await run('ca', 'show', '--json')).json.result).toMatchObject({ subject: 'second', old: [] });
    await issueStore(home, { clients: { ci: undefined } });
    expect((await take(third)).json.error?.code).toBe('E_CA_EXISTS');
  });

  test('of an intermediate, clients get the whole chain if they want it: Node and s_client take that, and not the one without', async () => {
    const root = factory.issue('root', { ca: true });
    const middle = factory.issue('middle', { ca: true, by: root });
    const served = factory.issue('localhost', { by: middle });
    const words = ['ca', 'import', '--cert', middle.certFile, '--key', middle.keyFile, '--no-ca-passphrase'];
    const refused = await run(...words, '--whole-chain', '--json');
    expect(refused.json.error?.code).toBe('E_CA_CHAIN');
    expect((await run(...words)).exit).toBe(0);
    expect((await run('client', 'add', 'bare', '--yes')).exit).toBe(0);
    const again = await run(...words, '--chain', root.certFile, '--whole-chain', '--json');
    expect(again.json.result.warnings).toEqual([]);
    expect((await run('client', 'add', 'whole', '--yes')).exit).toBe(0);
    const options = { cert: readFileSync(served.certFile), key: readFileSync(served.keyFile) };
    const server = tls.createServer(options, (socket) => socket.on('error', () => undefined).end('hello'));
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address() as AddressInfo;
    const node = (ca: string) =>
      new Promise<string>((answer) => {
        const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(ca) }, () =>
          answer('ok'),
        );
        socket.on('error', (error: NodeJS.ErrnoException) => answer(error.code ?? ''));
      });
    const openssl = promisify(execFile);
    const sClient = (ca: string) =>
      openssl('timeout', [
        '5',
        'openssl',
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-CAfile',
        ca,
        '-verify_return_error',
      ]).then(
        ({ stdout }) => /Verify return code: .*/.exec(stdout)?.[0],
        ({ stdout }: { stdout: string }) => /Verify return code: .*/.exec(stdout)?.[0],
      );
    const bundle = (name: string) => join(home, 'clients', name, 'ca.pem');
    expect(await node(bundle('bare'))).toBe('UNABLE_TO_GET_ISSUER_CERT');
    expect(await node(bundle('whole'))).toBe('ok');
    expect(await sClient(bundle('bare'))).toContain('unable to get issuer certificate');
    expect(await sClient(bundle('whole'))).toContain('0 (ok)');
    server.close();
    // What a client gets anew has it, too.
    expect((await run('rotate', 'client', 'bare', '--yes')).exit).toBe(0);
    expect(readFileSync(bundle('bare'), 'utf8')).toBe(readFileSync(bundle('whole'), 'utf8'));
  });

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
    [
      'one whose time has not come',
      () => [factory.issue('new', { ca: true, from: 2, to: 30 }).certFile],
      'E_CA_NOT_YET_VALID',
    ],
    ['one with no name', () => [own('/')], 'E_CA_SUBJECT'],
    [
      'the key of one that may sign leaves only',
      () => withKey(own('/CN=x', ['basicConstraints=critical,CA:TRUE,pathlen:0'])),
      'E_CA_PATHLEN',
    ],
    ['one for servers alone', () => [own('/CN=x', ['extendedKeyUsage=serverAuth'])], 'E_CA_USAGE'],
    ['one for mail', () => [own('/CN=x', ['extendedKeyUsage=emailProtection'])], 'E_CA_USAGE'],
    ['an unknown critical extension', () => [own('/CN=x', ['1.2.3.4.5=critical,ASN1:UTF8String:x'])], 'E_CA_EXTENSION'],
    [
      'constraints that exclude every name',
      () => [own('/CN=x', [`nameConstraints=critical,DER:${NOTHING}`])],
      'E_CA_NAMES',
    ],
    [
      'constraints on directory names',
      () => [own('/CN=x', ['nameConstraints=critical,permitted;dirName:dir', '[dir]', 'O=corp'])],
      'E_CA_NAMES',
    ],
    ['a short RSA key', () => [own('/CN=x', [], ['rsa:1024'])], 'E_CA_KEY_TYPE'],
    ['a short curve', () => [own('/CN=x', [], ec('prime192v1'))], 'E_CA_KEY_TYPE'],
    ['a foreign curve', () => [own('/CN=x', [], ec('secp256k1'))], 'E_CA_KEY_TYPE'],
    ['another one', () => [own('/CN=x', [], ec('brainpoolP256r1'))], 'E_CA_KEY_TYPE'],
    [
      'a curve spelled out',
      () => [own('/CN=x', [], [...ec('P-256'), '-pkeyopt', 'ec_param_enc:explicit'])],
      'E_CA_KEY_TYPE',
    ],
    ['Ed448', () => [own('/CN=x', [], ['ed448'])], 'E_CA_KEY_TYPE'],
    ['RSA-PSS', () => [own('/CN=x', [], ['rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'])], 'E_CA_KEY_TYPE'],
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
    expect((await run('ca', 'import', '--cert', ca.certFile, '--key', ca.keyFile, '--no-ca-passphrase')).exit).toBe(0);
    expect((await run('client', 'add', 'ci')).exit).toBe(0);
    const second = await run('ca', 'import', '--cert', factory.issue('second', { ca: true }).certFile, '--json');
    expect(second.json.error?.code).toBe('E_CA_EXISTS');
  });
});

describe('a command that signs', () => {
  test('of leaf certificates only: servers, clients and requests get them; no client can be revoked, and that is said', async () => {
    const ca = factory.issue('company', { ca: true });
    const sign = ['--sign-command', writeSignScript(file('sign'), ca), '--leaf-only'];
    expect((await run('ca', 'import', '--cert', ca.certFile, ...sign)).out).toContain('cannot be revoked one by one');
    expect((await run('ca', 'show')).out).toContain('signs leaf certificates only by: ');
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
    // The CA would certify the name in the request, which is its sender's word.
    const renamed = await run('client', 'sign', 'ann.csr', '--name', 'bea', '--out', 'bea.tar', '--json');
    expect([renamed.exit, renamed.json.error?.code]).toEqual([2, 'E_NAME']);
    const signed = await run('client', 'sign', 'ann.csr', '--out', 'ann.tar', '--json');
    expect(signed.json.result).toMatchObject({ client: 'ann', hosts: ['web'] });
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
  test.each<[string, (script: string) => string, RegExp]>([
    ['refuses', (text) => text.replace('set -e', 'set -e; [ "$1" != issuer ] || exit 3'), /ended with status 3/],
    ['gives a leaf', (text) => text.replace(ISSUER, 'basicConstraints=CA:FALSE'), /certificate of a leaf/],
    [
      'sets no path length',
      (text) => text.replace(ISSUER, ISSUER.replace(',pathlen:0', '')),
      /any number of CAs below/,
    ],
    ['allows a CA below', (text) => text.replace(ISSUER, ISSUER.replace(':0', ':1')), /have 1 CAs below/],
    ['allows servers', (text) => text.replace('=clientAuth', '=clientAuth,serverAuth'), /not for clients alone/],
    ['sets no purpose', (text) => text.replace("'extendedKeyUsage=clientAuth\\n", "'"), /not for clients alone/],
    ['forgets keyCertSign', (text) => text.replace('keyCertSign', 'cRLSign'), /may not sign certificates|is no CA/],
    [
      'changes the name',
      (text) => text.replace('openssl x509 -req', 'openssl x509 -req -set_subject /CN=x'),
      /is called "x"/,
    ],
    ['gives it for too long', (text) => text.replace('-days "$2"', '-days 3650'), /after its CA/],
  ])('that %s where an issuing CA is asked for: no client, and the cause', async (what, change, message) => {
    const ca = factory.issue('company', { ca: true });
    const script = writeSignScript(file('sign'), ca);
    const text = readFileSync(script, 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(script, change(text));
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', script, '--no-ca-passphrase');
    const { json, exit } = await run('client', 'add', 'ci', '--json');
    const [status, code] = CAUSES[what] ?? [2, 'E_CA_LEAF_ONLY'];
    expect([exit, json.error?.code, json.error?.message]).toEqual([status, code, expect.stringMatching(message)]);
    // Nothing says that the CA cannot where it gave something else.
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
    expect([exit, err]).toEqual([
      0,
      expect.stringMatching(/eve: the CA made its issuing CA until \S+Z, and \d+ days were asked for/),
    ]);
  });

  test('whose CA has a path length of 0 is not asked for issuing CAs', async () => {
    const ca = factory.issue('company', { ca: true, pathLen: 0 });
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', writeSignScript(file('sign'), ca));
    expect((await run('client', 'add', 'ci')).exit).toBe(0);
    expect((await openStore(home).read()).issuers.size).toBe(0);
  });

  test('by hand, as docs/ca.md has it: the request is there until the operator brings the certificate', async () => {
    const docs = readFileSync(new URL('../../docs/ca.md', import.meta.url), 'utf8');
    const script = /^ {4}#!\/bin\/sh\n {4}# sign-by-hand[\s\S]*?\n\n/m.exec(`${docs}\n`)?.[0] ?? '';
    writeFileSync(file('by-hand'), script.replace(/^ {4}/gm, '').replace('/srv/requests', directory));
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
  }, 30_000);

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
  }, 30_000);

  test.each<[string, string, number, RegExp, string?]>([
    ['fails', '#!/bin/sh\necho no such profile >&2; exit 3\n', 4, /status 3/],
    ['Ctrl-C ends', '#!/bin/sh\nkill -INT $$\n', 130, /interrupted while the sign command for ci ran/, 'E_INTERRUPTED'],
    ['prints nothing', '#!/bin/sh\ncat >/dev/null\n', 2, /no certificate/, 'E_SIGN_ANSWER'],
  ])('that %s says so', async (_, text, exit, message, code = 'E_SIGN_COMMAND') => {
    const ca = factory.issue('company', { ca: true });
    writeFileSync(file('bad'), text);
    chmodSync(file('bad'), 0o755);
    await run('ca', 'import', '--cert', ca.certFile, '--sign-command', file('bad'), '--leaf-only');
    const { json, exit: status } = await run('client', 'add', 'ci', '--json');
    expect([status, json.error?.code]).toEqual([exit, code]);
    expect(json.error?.message).toMatch(message);
  });

  test.each<[string, (script: string) => string, RegExp]>([
    ['for clients as well', (text) => text.replace('=%sAuth', '=%sAuth,clientAuth'), /good for clients as well/],
    ['for any purpose', (text) => text.replace('extendedKeyUsage=%sAuth\\n', '#%s\\n'), /good for clients as well/],
    ['for clients', (text) => text.replace('=%sAuth', '=clientAuth#%s'), /it is for clientAuth/],
    ['that may not sign', (text) => text.replace('digitalSignature', 'keyEncipherment'), /may not sign/],
    ['that outlives its CA', (text) => text.replace('-days "$2"', '-days 3650'), /after its CA/],
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
      message: expect.stringMatching(message),
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
