/** `ca import`: which CAs are taken, what is kept of their files, and what holds for other tools. */

import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
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

/** A CA made by openssl alone, with its own key and extensions: its certificate file, and `-key.pem` next to it. */
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
/** Name constraints that exclude every DNS name (an empty one) and every address; openssl's configuration syntax cannot express them. */
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
    expect(bare.json.result.warnings).toEqual([expect.toSay('no-key-usage', '"bare"')]);
    const middle = factory.issue('middle', { ca: true, by: factory.issue('root', { ca: true }) });
    const below = await run('ca', 'import', '--cert', middle.certFile, '--dry-run');
    expect(below.out).toSay('warning-intermediate-ca-docker-py', '"middle"');
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
    // New files of a client have it, too.
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
  ])('refuses %s', async (_, files, code) => {
    const { exit, json } = await run('ca', 'import', '--no-ca-passphrase', '--json', '--cert', ...files());
    expect([exit, json.error?.code]).toEqual([2, code]);
    expect((await openStore(home).read()).ca).toBeUndefined();
  });

  test.each(['loop', '/dev/zero'])('from %s is refused at once', async (name) => {
    symlinkSync('loop', file('loop'));
    const { exit, json } = await run('ca', 'import', '--cert', name, '--key', name, '--json');
    expect([exit, json.error?.code]).toEqual([2, 'E_FILE']);
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
