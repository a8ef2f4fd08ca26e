/** Real external CAs: requests, results, and messages for refusals. Needs no host. */

import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { inspectCertificate } from '../../../../src/core/domain/pki/inspect.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { readProvisionerKey } from '../../../../src/features/issuers/adapters/jwk.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { type CliRun, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { buildStepCa, type ExternalServer, STEP_KEY, startCfssl, startStepCa, startVault } from '../support/issuers.ts';

const factory = new CertificateFactory();
const servers: ExternalServer[] = [];
let home: string;

beforeAll(async () => {
  await buildStepCa();
}, 400_000);
beforeEach(() => {
  home = newHome();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});
afterAll(() => {
  removeHomes();
  factory.remove();
});

async function running(server: Promise<ExternalServer>): Promise<ExternalServer> {
  servers.push(await server);
  return server;
}

const run = (...argv: string[]): Promise<CliRun> =>
  runCli([...argv, '--home', home, '--json'], { cwd: dirname(home), env: { HOME: dirname(home) } });
const stored = () => openStore(home).read();
const problem = ({ exit, json }: CliRun) => [exit, json.error?.code];

function openssl(purpose: string, server: ExternalServer, path: string): string {
  const untrusted = ['-untrusted', server.intermediate.certFile, '-untrusted', path];
  const words = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', server.root.certFile, ...untrusted, path];
  return execFileSync('openssl', words, { encoding: 'utf8' });
}

describe.each([
  ['step-ca', startStepCa, 'E_ISSUER_REFUSED'],
  // It signs with its default profile, and the result is not a server certificate.
  ['cfssl', startCfssl, 'E_SIGN_ANSWER'],
  ['a stand-in for Vault', startVault, 'E_ISSUER_REFUSED'],
] as const)('%s', (_, start, unknownProfile) => {
  test('certifies hosts and issuing CAs of clients, which then sign here; a plan asks it for nothing', async () => {
    const server = await running(start(factory));
    expect((await run('ca', 'import', '--no-ca-passphrase', ...server.args, '--dry-run')).exit).toBe(0);
    expect((await run('ca', 'import', '--no-ca-passphrase', ...server.args)).json.result).toMatchObject({
      issues: 'signer',
    });
    await run('client', 'add', 'ci', '--dry-run');
    expect(server.requests()).toBe(0);
    await issueStore(home, {
      hosts: { web: { sans: ['10.0.0.9', 'web.example.org'] } },
      clients: { ci: undefined },
      days: 90,
    });
    await run('rotate', 'client', 'ci');
    await expect.poll(server.requests).toBe(2);
    const { issuers, hosts } = await stored();
    const issuer = inspectCertificate(issuers.get('ci')?.cert ?? '');
    expect(issuer).toMatchObject({
      isCa: true,
      pathLen: 0,
      extKeyUsage: ['clientAuth'],
      issuer: 'Company intermediate',
    });
    expect(issuer.subject).toMatch(/^client ci [0-9a-f]{8}$/);
    expect(issuers.get('ci')?.keyPem?.revealText()).toContain('PRIVATE KEY');
    const sans = inspectCertificate(hosts.get('web')?.serverCert ?? '').sans.map(({ value }) => value);
    expect(sans.sort()).toEqual(['10.0.0.9', 'web.example.org']);
    expect(openssl('sslclient', server, join(home, 'clients/ci/cert.pem'))).toContain('OK');
    expect(openssl('sslserver', server, join(home, 'hosts/web/server-cert.pem'))).toContain('OK');
  });

  test('is believed only under its own CA, and with its credential', async () => {
    const server = await running(start(factory));
    const other = factory.issue('another', { ca: true });
    await run('ca', 'import', '--no-ca-passphrase', ...server.args, '--tls-root', other.certFile);
    expect(problem(await run('client', 'add', 'ci'))).toEqual([4, 'E_ISSUER_TLS']);
    // A variable that turns off verification in other programs.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      expect(problem(await run('client', 'add', 'ci'))).toEqual([4, 'E_ISSUER_TLS']);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
    // A certificate of its CA for another name.
    const elsewhere = server.args.map((word) => word.replace('https://127.0.0.1:', 'https://localhost:'));
    await run('ca', 'import', '--no-ca-passphrase', ...elsewhere);
    expect(problem(await run('client', 'add', 'ci'))).toEqual([4, 'E_ISSUER_TLS']);
    expect(server.requests()).toBe(0);
    await run('ca', 'import', '--no-ca-passphrase', ...server.args);
    const secret = server.args[server.args.indexOf('--credential-file') + 1] ?? '';
    chmodSync(secret, 0o644);
    expect(problem(await run('client', 'add', 'ci'))).toEqual([2, 'E_SECRET_FILE']);
    chmodSync(secret, 0o600);
    await server.stop();
    const gone = await run('client', 'add', 'ci');
    expect(problem(gone)).toEqual([4, 'E_ISSUER_UNREACHABLE']);
    expect(gone.json.error?.message).toContain('connection refused');
    expect((await stored()).clients.size).toBe(0);
  });

  test('that has no such profile fails with its own words, and says how clients go without an issuing CA', async () => {
    const server = await running(start(factory));
    await run(
      'ca',
      'import',
      '--no-ca-passphrase',
      ...server.args,
      '--profile',
      'server=nothing',
      '--profile',
      'issuer=nothing',
    );
    const { exit, json } = await run('client', 'add', 'ci');
    expect([exit, json.error?.code]).toEqual([4, 'E_ISSUER_REFUSED']);
    expect(json.error?.hints.join('\n')).toContain('--leaf-only');
    await expect(issueStore(home, { hosts: { web: {} }, days: 90 })).rejects.toMatchObject({
      code: unknownProfile,
    });
    await run('ca', 'import', '--no-ca-passphrase', ...server.args, '--leaf-only');
    expect((await run('client', 'add', 'ci', '--days', '90')).exit).toBe(0);
    expect((await stored()).issuers.size).toBe(0);
    expect(openssl('sslclient', server, join(home, 'clients/ci/cert.pem'))).toContain('OK');
  });
});

test('step-ca that signs for a shorter time only is told by the lifetime that was asked', async () => {
  const server = await running(startStepCa(factory, { maxDuration: '48h' }));
  await run('ca', 'import', '--no-ca-passphrase', ...server.args);
  const { json } = await run('client', 'add', 'ci');
  expect(json.error?.details.join()).toMatch(/maximum|lacked necessary authorization/);
  expect(json.error?.hints.join('\n')).toContain('--x509-max-dur');
});

test('the key of a provisioner opens with its passphrase alone, in both forms of a JWE', () => {
  const { protected: header, encrypted_key, iv, ciphertext, tag } = STEP_KEY.encrypted;
  const compact = [header, encrypted_key, iv, ciphertext, tag].join('.');
  for (const text of [JSON.stringify(STEP_KEY.encrypted), compact]) {
    const read = (words?: string) =>
      readProvisionerKey(new Secret(text), words === undefined ? undefined : new Secret(words), 'key.jwk');
    const [head = ''] = read(STEP_KEY.passphrase).sign({ sub: 'x' }).split('.');
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({
      ...{ alg: 'ES256', typ: 'JWT', kid: STEP_KEY.public.kid },
    });
    expect(() => read('wrong horse battery')).toThrow(
      expect.objectContaining({ code: 'E_ISSUER_CREDENTIAL', message: expect.stringMatching(/passphrase is wrong/) }),
    );
    expect(() => read()).toThrow(/is encrypted/);
  }
  expect(() => readProvisionerKey(new Secret('{}'), undefined, 'key.jwk')).toThrow(/neither a JWK nor a JWE/);
  expect(() => readProvisionerKey(new Secret(JSON.stringify(STEP_KEY.public)), undefined, 'k')).toThrow(/public key/);
});

test.each([
  ['http', ['--step-ca', 'http://ca', '--credential-file', 'key'], expect.stringMatching(/only https/)],
  [
    'a password in the URL',
    ['--cfssl', 'https://u:p@ca', '--credential-file', 'key'],
    expect.stringMatching(/no user, password/),
  ],
  [
    'Vault without its mount',
    ['--vault', 'https://vault:8200', '--credential-file', 'key'],
    expect.toSay('path-pki-mount'),
  ],
  ['no credential', ['--step-ca', 'https://ca'], expect.stringMatching(/needs --credential-file/)],
  [
    'two at once',
    ['--step-ca', 'https://ca', '--cfssl', 'https://ca', '--credential-file', 'key'],
    expect.stringMatching(/give one of/),
  ],
  [
    'a profile of nothing',
    ['--cfssl', 'https://ca', '--credential-file', 'key', '--profile', 'x=y'],
    expect.stringMatching(/server=NAME/),
  ],
  [
    'a credential for a command',
    ['--sign-command', 'true', '--credential-file', 'key'],
    expect.stringMatching(/belong to/),
  ],
])('ca import refuses %s', async (_, argv, message) => {
  writeFileSync(join(dirname(home), 'key'), 'x', { mode: 0o600 });
  const ca = factory.issue('company', { ca: true });
  const { exit, json } = await run('ca', 'import', '--cert', ca.certFile, ...argv);
  expect([exit, json.error?.code, json.error?.message]).toEqual([2, 'E_USAGE', message]);
});

test('no secret is in the store but the path of its file', async () => {
  const server = await running(startCfssl(factory));
  await run('ca', 'import', '--no-ca-passphrase', ...server.args);
  const secret = readFileSync(server.args[server.args.indexOf('--credential-file') + 1] ?? '', 'utf8').trim();
  expect(readFileSync(join(home, 'ca/ca.json'), 'utf8')).not.toContain(secret);
  const shown = await run('ca', 'show');
  expect(shown.json.result.external).toMatchObject({ kind: 'cfssl', url: server.url });
});
