/** Files that a CA needs to sign: each computer names its own, and a shared store names none, whatever a colleague writes into it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import type { Contents } from '../../../../src/features/team/store/contents.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { CertificateFactory, type Issued } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { enrol, type Member, newTeam } from '../../team/support/team.ts';

const factory = new CertificateFactory();
let ca: Issued;
beforeAll(() => {
  ca = factory.issue('company', { ca: true });
});
afterAll(() => {
  factory.remove();
  removeHomes();
});

const URL_OF_CA = 'https://127.0.0.1:1';

async function team(...signer: string[]) {
  const made = newTeam();
  const [ada, bob] = [made.member('ada'), made.member('bob')];
  await enrol(ada, bob);
  for (const { env, name } of [ada, bob])
    for (const file of ['key', 'words', 'pin']) writeFileSync(join(env.HOME ?? '', file), `${name}\n`, { mode: 0o600 });
  /** The requests that a CA at this address would get: the kind of the CA and the credential that is read. */
  const asked: string[] = [];
  const as = ({ env, home, name }: Member, ...argv: string[]) =>
    runCli([...argv, '--home', home, '--store', made.url, '--json'], {
      ...{ env: { HOME: env.HOME }, cwd: env.HOME ?? '/', operator: `${name}@laptop` },
      sign: (async (external: { url: string; credentialFile: string; passphraseFile?: string }) => {
        const { url, credentialFile, passphraseFile = '' } = external;
        asked.push([url, credentialFile, passphraseFile].join(' ').trim());
        throw new Error('asked');
      }) as never,
      signByToken: (async (token: object, { pin }: { pin: { revealText(): string } }) => {
        asked.push(JSON.stringify({ ...token, pin: pin.revealText() }));
        throw new Error('asked');
      }) as never,
    });
  const given = ['ca', 'import', '--cert', ca.certFile, '--no-ca-passphrase', ...signer];
  const imported = await as(ada, ...given);
  return { ...made, ada, bob, as, asked, imported };
}

/** Everything in the store in clear. */
async function textOf(member: Member): Promise<string> {
  const { contents } = await member.session().read();
  return [...contents.values()].map(({ bytes }) => (typeof bytes === 'string' ? bytes : bytes.revealText())).join('\n');
}

const ACCEPT = /--trust-store-settings (\S+)/;
const accepted = (hints: readonly string[] = []) => ['--trust-store-settings', ACCEPT.exec(hints.join())?.[1] ?? ''];

test('each computer names its own credential, and the store has the path of none', async () => {
  const made = await team('--step-ca', URL_OF_CA, '--credential-file', 'key', '--passphrase-file', 'words');
  const { ada, bob, as, asked } = made;
  expect(made.imported.json.error).toBeUndefined();
  expect(await textOf(bob)).toContain(URL_OF_CA);
  expect(await textOf(bob)).not.toContain(ada.env.HOME);
  await as(ada, 'client', 'add', 'x', '--yes');
  expect(asked).toEqual([`${URL_OF_CA} ${ada.env.HOME}/key ${ada.env.HOME}/words`]);

  // Not even the question comes before the file is named.
  const unnamed = await as(bob, 'client', 'add', 'x', '--yes');
  expect(unnamed.json.error).toMatchObject({
    code: 'E_SECRET_FILE',
    message: expect.toSay('no-credential-step-ca-named', URL_OF_CA),
    hints: [`docker-tls --home ${bob.home} ca import --credential-file FILE`],
  });
  const plan = (await as(bob, 'client', 'add', 'x', '--dry-run')).json.result.signer.values;
  expect(plan).toContainEqual({ name: 'the file', value: expect.toSay('you-yet-name-computer') });
  const before = (await bob.session().read()).sequence;
  const named = await as(bob, 'ca', 'import', '--credential-file', 'key');
  expect([named.json.error, named.json.result.subject]).toEqual([undefined, 'company']);
  expect((await as(bob, 'ca', 'show')).json.result.external.credentialFile).toBe(`${bob.env.HOME}/key`);
  // It is a fact of this computer: no commit, and ada's file stays hers.
  expect((await bob.session().read()).sequence).toBe(before);
  const consent = await as(bob, 'client', 'add', 'x', '--yes');
  expect(consent.json.error?.code).toBe('E_STORE_SETTINGS');
  await as(bob, 'client', 'add', 'x', '--yes', ...accepted(consent.json.error?.hints));
  expect(asked.slice(1)).toEqual([`${URL_OF_CA} ${bob.env.HOME}/key`]);
  expect((await as(ada, 'ca', 'show')).json.result.external.credentialFile).toBe(`${ada.env.HOME}/key`);
});

test('what a colleague writes into the record names no file here, and another address gets no credential', async () => {
  const { ada, bob, as, asked } = await team('--vault', `${URL_OF_CA}/v1/pki`, '--credential-file', 'key');
  /** Bob's program stores any record. */
  const write = async (change: (record: { external: object }) => object) => {
    const session = bob.session();
    const opened = await session.read();
    const file = opened.contents.get('ca/ca.json') as NonNullable<ReturnType<Contents['get']>>;
    const bytes = JSON.stringify(change(JSON.parse(String(file.bytes))));
    const contents = new Map([...opened.contents, ['ca/ca.json', { kind: 'record' as const, bytes }]]);
    await session.commit(opened, { contents }, { subject: 'x', lines: [] });
  };
  const files = { credentialFile: '/etc/shadow', passphraseFile: '/etc/passwd' };
  await write(({ external, ...record }) => ({ ...record, external: { ...external, ...files } }));
  const { ca: read } = await teamStore(ada.session()).read();
  expect(read?.record.external).toMatchObject({ credentialFile: `${ada.env.HOME}/key`, passphraseFile: undefined });
  await as(ada, 'client', 'add', 'x', '--yes');
  expect(asked).toEqual([`${URL_OF_CA}/v1/pki ${ada.env.HOME}/key`]);
  // Even accepted by hand, the credential is for the address that it was named for.
  await write(({ external, ...record }) => ({ ...record, external: { ...external, url: 'https://evil/v1/pki' } }));
  const moved = await as(ada, 'client', 'add', 'x', '--yes');
  expect(moved.json.error).toMatchObject({ code: 'E_SECRET_FILE', message: expect.stringContaining('https://evil') });
  // Nor a module that would be loaded, or a PIN file.
  const token = { uri: 'pkcs11:object=ca', module: '/tmp/evil.so', pinFile: '/etc/shadow' };
  await write(({ external: _, ...record }) => ({ ...record, token }));
  expect((await teamStore(ada.session()).read()).ca?.record.token).toEqual({ uri: token.uri });
  expect(asked).toHaveLength(1);
});

test('PIN and module of a token are named for its key', async () => {
  const made = await team('--sign-command', 'true');
  const { ada, bob, as, asked } = made;
  const session = ada.session();
  const store = teamStore(session);
  const { ca: known } = await store.read();
  if (known === undefined) throw new Error('no CA');
  const record = { ...known.record, external: undefined, token: { uri: 'pkcs11:object=ca' } };
  await store.withLock('test', () => store.write({ ca: { ...known, record } }));
  const refused = await as(bob, 'ca', 'import', '--pkcs11', 'pkcs11:object=other', '--pin-file', 'pin');
  expect(refused.json.error).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('pkcs11:object=ca') });
  expect((await as(bob, 'ca', 'import', '--credential-file', 'key')).json.error?.code).toBe('E_USAGE');
  const uri = 'pkcs11:object=ca?module-path=/usr/lib/hsm.so';
  expect((await as(bob, 'ca', 'import', '--pkcs11', uri, '--pin-file', 'pin')).json.error).toBeUndefined();
  const consent = await as(bob, 'client', 'add', 'x', '--yes');
  await as(bob, 'client', 'add', 'x', '--yes', ...accepted(consent.json.error?.hints));
  expect(asked.map((one) => JSON.parse(one))).toEqual([
    { uri: 'pkcs11:object=ca', module: '/usr/lib/hsm.so', pinFile: `${bob.env.HOME}/pin`, pin: 'bob' },
  ]);
  expect(await textOf(bob)).not.toMatch(/hsm|pinFile/);
  // Another PIN file is for the same module.
  expect((await as(bob, 'ca', 'import', '--pin-file', 'words')).json.error).toBeUndefined();
  const { token } = (await as(bob, 'ca', 'show')).json.result;
  expect(token).toMatchObject({ module: '/usr/lib/hsm.so', pinFile: `${bob.env.HOME}/words` });
});

test('a credential that is named anew keeps its passphrase file, and the reverse', async () => {
  const { ada, as } = await team('--step-ca', URL_OF_CA, '--credential-file', 'key', '--passphrase-file', 'words');
  const files = async () => {
    const { ca: read } = await teamStore(ada.session()).read();
    const { external } = read?.record ?? {};
    return external?.kind === 'step-ca' ? [external.credentialFile, external.passphraseFile] : [];
  };
  expect((await as(ada, 'ca', 'import', '--credential-file', 'pin')).json.error).toBeUndefined();
  expect(await files()).toEqual([`${ada.env.HOME}/pin`, `${ada.env.HOME}/words`]);
  expect((await as(ada, 'ca', 'import', '--passphrase-file', 'key')).json.error).toBeUndefined();
  expect(await files()).toEqual([`${ada.env.HOME}/pin`, `${ada.env.HOME}/key`]);
});

test('a copy into a directory has the files of this computer; without any, --cert stays necessary', async () => {
  const { ada, as } = await team('--cfssl', URL_OF_CA, '--credential-file', 'key');
  const directory = join(newHome(), 'copy');
  expect((await as(ada, 'store', 'copy', '--to', directory)).json.error).toBeUndefined();
  const { ca: copied } = await openStore(directory).read();
  expect(copied?.record.external).toMatchObject({ credentialFile: `${ada.env.HOME}/key` });
  expect(readFileSync(join(ada.home, 'local.json'), 'utf8')).toContain(`cfssl ${URL_OF_CA}`);
  for (const argv of [[], ['--credential-file', 'key', '--step-ca', URL_OF_CA]])
    expect((await as(ada, 'ca', 'import', ...argv)).json.error).toMatchObject({ message: '--cert is missing' });
});
