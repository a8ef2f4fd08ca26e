/** Settings of a colleague that would make another computer run, send or read something; and additional readers of the keys. */

import '../../../../../src/features/team/feature.ts';
import { storeOf } from '../../../../../src/core/actions/open-store.ts';
import { approvingUse, consentTo } from '../../../../../src/core/actions/store-consent.ts';
import { jumpOptions } from '../../../../../src/core/adapters/ssh/resolve-endpoint.ts';
import { storeSettings } from '../../../../../src/core/domain/store-settings.ts';
import type { StoreConsent } from '../../../../../src/core/seams/stores.ts';
import { openKeys, renderKeys } from '../../../../../src/features/team/store/operators.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';
import { placeSettings } from '../../../../../src/features/team/store/ways.ts';
import type { Member } from '../team.ts';
import type { Attack } from './attack.ts';
import { reading, refusalOf } from './outcomes.ts';
import type { Scene } from './scene.ts';

const KEY = `ssh-ed25519 ${'A'.repeat(68)}`;
const WHO = { who: 'colleague with bad intent' } as const;
type Fields = Record<string, unknown>;
type Job = Parameters<typeof consentTo>[0];

/** Bob commits a record as no program writes it. */
async function rewrite(scene: Scene, path: string, change: (record: Fields) => Fields): Promise<void> {
  const session = scene.member('bob').session();
  const opened = await session.read();
  const bytes = JSON.stringify(change(JSON.parse(String(opened.contents.get(path)?.bytes))));
  const contents = new Map([...opened.contents, [path, { kind: 'record' as const, bytes }]]);
  await session.commit(opened, { contents }, { subject: 'x', lines: [] });
}

const inCa = (scene: Scene, signer: Fields) => rewrite(scene, 'ca/ca.json', (record) => ({ ...record, ...signer }));
const inSsh = (scene: Scene, ssh: Fields) =>
  rewrite(scene, 'hosts/web/host.json', (record) => ({ ...record, ssh: { ...(record.ssh as Fields), ...ssh } }));

/** A job of this member: nobody answers a question. */
function jobOf({ home, env, name }: Member, url: string): Job {
  const runtime = { now: () => new Date(), env, cwd: home, operator: `${name}@laptop` };
  const global = { home, store: url, trustStoreSettings: [] };
  const prompts = { interactive: false };
  return { global, runtime, progress: { note() {}, changes() {} }, prompts } as never;
}

async function consentGiven(job: Job, ...way: Parameters<StoreConsent['way']>): Promise<void> {
  await (await consentTo(job))?.way(...way);
}

/** What becomes of a signature on ada's computer; her credential is the one that she named for vault at https://vault.example.org/v1/pki. */
async function signing(scene: Scene): Promise<string> {
  const job = jobOf(scene.member('ada'), scene.url);
  const { ca } = await storeOf(job).read();
  return refusalOf(approvingUse(job)(ca?.record ?? {}));
}

const VAULT = {
  ...{ kind: 'vault', url: 'https://vault.example.org/v1/pki' },
  profiles: { server: 's', client: 'c', issuer: 'i' },
};

/** Ada has named a credential, and accepted how the CA signs. */
async function vaultOfAda(scene: Scene): Promise<void> {
  const { cert: trust } = (await teamStore(scene.member('ada').session()).read()).ca ?? { cert: '' };
  await inCa(scene, { external: { ...VAULT, trust } });
  const store = teamStore(scene.member('ada').session());
  const { ca } = await store.read();
  if (ca?.record.external?.kind !== 'vault') throw new Error('no Vault');
  const external = { ...ca.record.external, credentialFile: '/home/ada/token' };
  await store.withLock('test', () => store.write({ ca: { ...ca, record: { ...ca.record, external } } }));
  await store.accept(storeSettings({ external })?.id ?? '');
  if ((await signing(scene)) !== 'accepted') throw new Error('ada cannot sign');
}

const signers: readonly [name: string, what: string, expected: string, change: (external: Fields) => Fields][] = [
  [
    'colleague-sign-command',
    'a command that signs',
    'E_STORE_SETTINGS',
    () => ({ kind: 'command', command: 'curl evil' }),
  ],
  [
    'colleague-signer-url',
    'another address of the CA that signs, for which ada has named no credential',
    'E_SECRET_FILE',
    (external) => ({ ...external, url: 'https://evil.example.org/v1/pki' }),
  ],
  [
    'colleague-tls-root',
    'another TLS root for the address of the CA',
    'E_STORE_SETTINGS',
    (external) => ({ ...external, trust: `${external.trust}${external.trust}` }),
  ],
  [
    'colleague-profile',
    'another path at the address of the CA',
    'E_STORE_SETTINGS',
    (external) => ({ ...external, profiles: { ...VAULT.profiles, issuer: '../sys/seal' } }),
  ],
];

/** Key files for these recipients, in place of those of the operators. */
async function resealed(scene: Scene, change: (names: readonly string[]) => readonly string[]) {
  const { files } = scene.head;
  const keys = await openKeys(files, await scene.member('bob').session().identities());
  if (keys?.ca === undefined) throw new Error('bob opens the CA');
  const full = { ...keys, ca: keys.ca };
  const of = (names: readonly string[]) => change(names).map((name) => ({ ...scene.asOperator(name), addedAt: '' }));
  const [everyone, able] = [of(['ada', 'bob', 'carol']), of(['ada', 'bob'])];
  const all = await renderKeys(everyone, full);
  const ca = await renderKeys(able, full);
  const path = (name: string, from: ReadonlyMap<string, Uint8Array>) => [name, from.get(name) as Uint8Array] as const;
  return new Map([...files, path('keys/store.age', all), path('keys/ca.age', ca)]);
}

const readers: readonly [name: string, what: string, change: Parameters<typeof resealed>[1]][] = [
  ['colleague-adds-reader', 'encrypts the keys for one more', (names) => [...names, 'mallory']],
  [
    'colleague-swaps-reader',
    'encrypts the keys for somebody in the place of an operator',
    (names) => names.map((name) => (name === 'carol' || (name === 'bob' && names.length === 2) ? 'mallory' : name)),
  ],
];

export const SETTINGS_ATTACKS: readonly Attack[] = [
  ...signers.map(
    ([name, what, expected, change]): Attack => ({
      ...{ ...WHO, name, what, expected },
      async play(scene) {
        await vaultOfAda(scene);
        await rewrite(scene, 'ca/ca.json', ({ external, ...record }) => ({
          ...record,
          external: change(external as Fields),
        }));
        return signing(scene);
      },
    }),
  ),
  {
    ...{ ...WHO, name: 'colleague-credential-path', expected: 'own files' },
    what: 'paths of a credential, a passphrase, a PIN and a module of ada',
    async play(scene) {
      await vaultOfAda(scene);
      const evil = { credentialFile: '/etc/shadow', passphraseFile: '/etc/shadow', pinFile: '/etc/shadow' };
      await rewrite(scene, 'ca/ca.json', ({ external, ...record }) => ({
        ...record,
        external: { ...(external as Fields), ...evil },
        token: { uri: 'pkcs11:object=a', module: '/tmp/evil.so', ...evil },
      }));
      const { ca } = await teamStore(scene.member('ada').session()).read();
      const { external, token } = ca?.record ?? {};
      const named = external?.kind === 'vault' ? [external.credentialFile, external.passphraseFile] : [];
      return [...named, token?.pinFile, token?.module].join() === '/home/ada/token,,,'
        ? 'own files'
        : 'files of the store';
    },
  },
  {
    ...{ ...WHO, name: 'colleague-ssh-files', what: 'SSH keys and an ssh configuration of ada', expected: 'own files' },
    async play(scene) {
      await inSsh(scene, { identities: ['/etc/shadow'], configFile: '/tmp/evil' });
      const { hosts } = await teamStore(scene.member('ada').session()).read();
      const text = JSON.stringify(hosts.get('web')?.record.ssh);
      return /shadow|evil/.test(text) ? 'files of the store' : 'own files';
    },
  },
  {
    ...{ ...WHO, name: 'colleague-accepts-keys', expected: 'strict' },
    what: 'the mark of a run that accepts unknown keys of jump hosts',
    async play(scene) {
      await inSsh(scene, { hostKey: KEY, acceptNewJumps: true });
      const ssh = (await teamStore(scene.member('ada').session()).read()).hosts.get('web')?.record.ssh;
      return jumpOptions({ destination: 'web', ...ssh, host: 'web' }, 'root@gate').hostKey ?? 'unset';
    },
  },
  {
    ...{ ...WHO, name: 'colleague-jump-host', what: 'a jump host on the way to a host', expected: 'E_STORE_SETTINGS' },
    async play(scene) {
      await inSsh(scene, { jump: ['root@evil.example.org'] });
      const job = jobOf(scene.member('ada'), scene.url);
      const { hosts } = await storeOf(job).read();
      return refusalOf(consentGiven(job, { ...hosts.get('web')?.record.ssh, host: 'web' }));
    },
  },
  {
    ...{ ...WHO, name: 'colleague-moves-host', expected: 'E_STORE_SETTINGS' },
    what: 'another place of a host where ada logged in before',
    async play(scene) {
      const before = jobOf(scene.member('ada'), scene.url);
      const known = (await storeOf(before).read()).hosts.get('web')?.record.ssh;
      await storeOf(before).loggedIn('web', known?.placeFromStore?.place ?? '');
      await inSsh(scene, { destination: 'evil.example.org' });
      const job = jobOf(scene.member('ada'), scene.url);
      const { placeFromStore, ...ssh } = (await storeOf(job).read()).hosts.get('web')?.record.ssh ?? {};
      if (placeFromStore === undefined || (await storeOf(job).accepts(placeSettings(placeFromStore.place).id)))
        return 'accepted';
      return refusalOf(consentGiven(job, { ...ssh, placeFromStore, host: 'web' }));
    },
  },
  ...readers.map(
    ([name, what, change]): Attack => ({
      ...{ ...WHO, name, what, expected: 'E_STORE_TAMPERED' },
      async play(scene) {
        await scene.pushSigned('bob', await resealed(scene, change));
        return reading(scene.member('ada').session());
      },
    }),
  ),
];
