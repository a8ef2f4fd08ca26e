/** A CA named by the fleet file: imported with the first change, and called as the file says. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { issueServer } from '../../../../src/core/domain/pki/certificate.ts';
import { parseCsr } from '../../../../src/core/domain/pki/csr.ts';
import { openAuthority } from '../../../../src/core/domain/pki/open-authority.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import type { Probe, SignRequest } from '../../../../src/core/runtime.ts';
import { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';
import { namedCa } from '../../../../src/features/issuers/domain/named-ca.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const now = new Date();
const factory = new CertificateFactory();
const own = factory.issue('own CA', { ca: true, to: 4000 });
const other = factory.issue('another CA', { ca: true, to: 4000 });
let home: string;
/** Requests by signer and profile. */
let asked: string[];

afterAll(() => {
  removeHomes();
  factory.remove();
});
beforeEach(() => {
  home = newHome();
  asked = [];
});

const probe: Probe = async ({ credentials, maxVersion }) => {
  const chain = (await openStore(home).read()).hosts.get('h1')?.serverCert ?? '';
  return credentials !== undefined && maxVersion === undefined
    ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
    : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
};

function run(argv: readonly string[], ca: object) {
  const directory = dirname(home);
  const file = join(directory, 'fleet.yaml');
  writeFileSync(
    file,
    `version: 1\nca: ${JSON.stringify({ passphrase: 'none', ...ca })}\nhosts: { h1: }\nclients: { ops: }\n`,
  );
  const sign = async (external: { kind: string; credentialFile?: string }, request: SignRequest) => {
    asked.push(`${external.kind} ${external.credentialFile ?? ''} ${request.profile}`);
    if (request.profile !== 'server') throw new Error('leaf only');
    const authority = await openAuthority({ cert: own.cert, key: new Secret(own.key) });
    const { publicKey } = parseCsr(request.csr);
    return (await issueServer({ ca: authority, sans: [...(request.sans ?? [])], days: request.days, now, publicKey }))
      .cert;
  };
  return runCli([...argv, '-f', file, '--json', '--home', home], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker') },
    now: () => now,
    sign: sign as never,
    probe,
    connect: answeringHosts({ home, now, answers: { hold: 'held' } }),
  });
}

const stepCa = (credential: string) => {
  const file = join(dirname(home), credential);
  writeFileSync(file, 'x', { mode: 0o600 });
  return { cert: own.certFile, 'step-ca': 'https://ca.example.org', 'credential-file': credential };
};

test('a plan names it, asks it for nothing and stores nothing', async () => {
  const { exit, json } = await run(['plan'], stepCa('a.jwk'));
  expect(exit).toBe(0);
  expect(json.result.credentials[0]).toMatchObject({
    change: 'import-ca',
    signer: expect.toSay('signed-step-ca', 'https://ca.example.org'),
  });
  expect([asked, (await openStore(home).read()).ca]).toEqual([[], undefined]);
});

test('apply has it sign, with the credential that this file names', async () => {
  const { exit, json } = await run(['apply', '--yes'], stepCa('a.jwk'));
  expect([exit, json.error?.message]).toEqual([1, expect.stringContaining('leaf only')]);
  expect(asked).toEqual([`step-ca ${join(dirname(home), 'a.jwk')} issuer`]);
});

test('a credential in another place is used from there, and is no reason to store the CA again; another URL is', async () => {
  const record = { name: 'own CA', createdAt: now.toISOString(), keyType: 'p256', days: 4000 } as const;
  const external = (url: string, credentialFile: string) =>
    ({
      kind: 'step-ca',
      url,
      trust: 'x',
      profiles: { server: 's', client: 'c', issuer: 'i' },
      credentialFile,
    }) as const;
  const ca = (url: string, file: string) => ({ cert: own.cert, record: { ...record, external: external(url, file) } });
  const known = ca('https://a', '/home/ada/key');
  expect(namedCa(known, ca('https://a', '/home/bob/key'))).toEqual([]);
  expect(namedCa(known, ca('https://b', '/home/ada/key'))).toMatchObject([{ kind: 'import-ca' }]);
  expect(namedCa({ ...known, keyPem: new Secret('key') }, ca('https://b', '/k'))).toEqual([]);
  expect(() => namedCa({ ...known, cert: other.cert }, known)).toThrow(expect.toSay('another-ca-store'));

  await run(['apply', '--yes'], stepCa('a.jwk'));
  const store = openStore(home);
  const stored = { ...external('https://ca.example.org', '/home/bob/key'), trust: `${own.cert}\n` };
  await store.withLock('bob', () => store.write({ ca: { cert: own.cert, record: { ...record, external: stored } } }));
  await run(['apply', '--yes'], stepCa('b.jwk'));
  expect(asked.at(-1)).toBe(`step-ca ${join(dirname(home), 'b.jwk')} issuer`);
});

test('another CA than the one of the store is refused before anything is asked', async () => {
  await runCli(['ca', 'import', '--cert', other.certFile, '--sign-command', 'true', '--home', home, '--json'], {
    cwd: dirname(home),
    env: {},
  });
  await runCli(['ca', 'create', '--home', home], { cwd: dirname(home), env: {} });
  const store = openStore(home);
  const { ca } = await store.read();
  if (ca === undefined) throw new Error('no CA');
  await store.withLock('test', () => store.write({ ca: { ...ca, record: { ...ca.record, imported: undefined } } }));
  const { exit, json } = await run(['plan'], stepCa('a.jwk'));
  expect([exit, json.error?.code, asked]).toEqual([2, 'E_CA_EXISTS', []]);
});

describe('what contradicts itself in the file is said with its line', () => {
  test.each([
    ['{ step-ca: "https://a" }', expect.toSay('step-ca-belongs-ca-your')],
    ['{ cert: a.pem }', expect.toSay('signer-missing')],
    ['{ cert: a.pem, sign-command: a, cfssl: "https://a" }', expect.stringMatching(/already/)],
    ['{ cert: a.pem, vault: "https://a/v1/pki" }', expect.toSay('vault-needs-credential-file')],
    ['{ cert: a.pem, sign-command: a, credential-file: k }', expect.toSay('credential-file-belongs-step-ca-cfssl')],
    [
      '{ cert: a.pem, cfssl: "https://a", credential-file: k, passphrase-file: p }',
      expect.toSay('passphrase-file-belongs-step-ca'),
    ],
    ['{ cert: a.pem, sign-command: a, pin-file: p }', expect.stringMatching(/pin-file belongs to pkcs11/)],
    ['{ cert: a.pem, pkcs11: "pkcs11:object=a", leaf-only: true }', expect.toSay('leaf-only-belongs-ca-api')],
  ])('%s', (ca, message) => {
    let caught: unknown;
    try {
      parseFleet(`version: 1\nca: ${ca}\nhosts: { a: }\n`, 'f.yaml');
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(DockerTlsErrors);
    const [first] = (caught as DockerTlsErrors).errors;
    expect(first?.message).toEqual(message);
    expect(first?.where).toMatch(/^f\.yaml:2:/);
  });
});
