/**
 * The store that the attacks are played on, in git or in etcd. Its history: ada, bob and eve are operators, carol without the CA; `before`
 * has client anna; `revoked`: without her; `removed`: without eve; `head`: with one host more. ada has seen the head, bob only `before`.
 */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreChange } from '../../../../../src/core/adapters/store/records.ts';
import type { StoreEngine } from '../../../../../src/features/team/engines/engine.ts';
import { historyOf } from '../../../../../src/features/team/engines/git-past.ts';
import { addOperator, removeOperator } from '../../../../../src/features/team/store/admin.ts';
import { openTeamSession } from '../../../../../src/features/team/store/open-team-store.ts';
import type { Session } from '../../../../../src/features/team/store/session.ts';
import { type SigningKey, signingKeysOf } from '../../../../../src/features/team/store/signatures.ts';
import { fingerprintOf, readSigners, SIGNERS, type Signers } from '../../../../../src/features/team/store/signers.ts';
import {
  FILES,
  MANIFEST,
  type Manifest,
  renderStoreManifest,
} from '../../../../../src/features/team/store/store-manifest.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';
import { sampleCa, sampleClient, sampleHost } from '../../../../support/store.ts';
import type { EtcdServers } from '../etcd.ts';
import { enrol, type Member, type Members, membersOf } from '../team.ts';

/** A server, as its administrator has it: everything can be kept and put back. */
type Server<Kept> = {
  readonly name: 'git' | 'etcd';
  readonly url: string;
  keep(): Promise<Kept>;
  show(kept: Kept): Promise<void>;
  empty(): Promise<void>;
  /** git: the present content on these parents, as any account that can push can have it; without parents, as the first commit. */
  merge?(parents: readonly string[]): string;
  /** git: nobody reaches the server until the next reset. */
  cut?(): void;
};

export type State = {
  readonly revision: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly signers: Signers;
  /** The server presents this state. */
  show(): Promise<void>;
};

const WHO_GIT = ['-c', 'user.name=mallory', '-c', 'user.email=mallory@laptop'];
const WHO = { who: 'mallory', subject: 'mallory', lines: [] };

export const ANNA = sampleClient('anna', 0);
const REVOKED = { ...ANNA, record: { ...ANNA.record, revokedAt: '2026-11-26T10:00:00.000Z' } };

export type Scene = Awaited<ReturnType<typeof newScene>>;

export async function newScene<Kept>(server: Server<Kept>, directory: string) {
  const members: Members = membersOf(server.url, directory);
  const scratch = mkdtempSync(join(tmpdir(), 'store-test-attacks-'));

  function open(member: Member, query = '', now = () => new Date()): Session {
    const url = `${server.url}${query === '' ? '' : `${server.url.includes('?') ? '&' : '?'}${query}`}`;
    const options = { env: member.env, cwd: scratch, who: `${member.name}@runner`, now, note() {} };
    return openTeamSession({ ...options, home: join(scratch, randomUUID()), url }) as Session;
  }

  /** An account that can write to the server: it has an engine of its own, and no key. */
  const stranger = (): StoreEngine => open(members.member('mallory')).engine;

  async function keep(): Promise<State> {
    const [{ files, revision }, kept] = [await stranger().read(), await server.keep()];
    return { revision, files, signers: readSigners(files.get(SIGNERS)) as Signers, show: () => server.show(kept) };
  }

  async function write(member: Member, change: StoreChange): Promise<void> {
    const store = teamStore(member.session());
    await store.withLock('docker-tls test', () => store.write(change));
  }

  async function keyOf(name: string): Promise<SigningKey> {
    const [identity] = await members.member(name).session().identities();
    return (await signingKeysOf(identity as NonNullable<typeof identity>))[0] as SigningKey;
  }

  /** One commit with these files and no others, on top of what the server has. */
  async function push(files: ReadonlyMap<string, Uint8Array>, regained?: string): Promise<void> {
    const engine = stranger();
    const now = await engine.read();
    const remove = [...now.files.keys()].filter((path) => !files.has(path));
    await engine.commit(now, { put: files, remove, message: WHO, regained });
  }

  /** The same with a manifest that this operator, or who calls themselves one, has signed as the next. */
  async function pushSigned(
    name: string,
    base: ReadonlyMap<string, Uint8Array>,
    about: Partial<Manifest> = {},
    merged?: string,
  ) {
    const now = await stranger().read();
    const { sequence } = JSON.parse(
      Buffer.from(now.files.get(MANIFEST) ?? [])
        .toString()
        .split('\n\n')[0] ?? '{}',
    );
    const files = new Map([...base].filter(([path]) => path !== MANIFEST && path !== FILES));
    const lists = JSON.parse(Buffer.from(files.get(SIGNERS) ?? []).toString()) as Signers;
    const message = { at: new Date().toISOString(), by: `${name}@laptop`, subject: 'x', lines: [] };
    const rest = {
      sequence: sequence + 1,
      parent: now.revision,
      signers: fingerprintOf(lists.at(-1) as Signers[number]),
    };
    const made = await renderStoreManifest(
      files,
      { ...message, ...rest, ...about, regained: about.regained ?? merged },
      await keyOf(name),
    );
    await push(new Map([...files, ...made]), about.regained);
  }

  /** The same on other parents, as a merge. */
  async function pushMerge(
    name: string,
    base: ReadonlyMap<string, Uint8Array>,
    parents: readonly string[],
    about: Partial<Manifest> = {},
  ) {
    const { parent, regained } = historyOf(parents);
    await pushSigned(name, base, { parent, ...about }, regained);
    server.merge?.(parents);
  }

  const [ada, bob, carol, eve] = ['ada', 'bob', 'carol', 'eve'].map(members.member) as [Member, Member, Member, Member];
  await enrol(ada, bob, eve);
  await addOperator(ada.session(), { ...carol, ca: false });
  await write(ada, { ca: sampleCa(0), clients: { anna: ANNA }, hosts: { web: sampleHost('web', 0) } });
  await teamStore(bob.session()).read();
  const before = await keep();
  await write(ada, { clients: { anna: REVOKED } });
  await teamStore(eve.session()).read();
  const revoked = await keep();
  await removeOperator(ada.session(), 'eve');
  const removed = await keep();
  await write(ada, { hosts: { next: sampleHost('next', 1) } });
  const head = await keep();
  const pin = fingerprintOf(before.signers.at(-1) as Signers[number]);
  const pristine = mkdtempSync(join(tmpdir(), 'store-test-attacks-'));
  cpSync(directory, pristine, { recursive: true });

  return {
    name: server.name,
    url: server.url,
    ...{ before, revoked, removed, head, pin, keyOf, push, pushSigned, pushMerge, write, open, stranger },
    empty: server.empty,
    ...{ cut: server.cut, merge: server.merge },
    member: members.member,
    /** As the list of operators has them: the key without its comment. */
    asOperator(name: string) {
      const [type, key] = members.member(name).recipient.split(' ');
      return { name, recipient: `${type} ${key}`, ca: true };
    },
    /** A computer without memory, with bob's key. */
    runner: () => open(bob),
    /** A computer without memory whose address names the signers of `before`, eve among them. */
    pinned: () => open(bob, `key=${pin}`),
    /** Everything as before the first attack. */
    async reset() {
      rmSync(directory, { recursive: true, force: true });
      cpSync(pristine, directory, { recursive: true });
      await head.show();
    },
    async stop() {
      for (const one of [scratch, pristine, directory]) rmSync(one, { recursive: true, force: true });
    },
  };
}

export function gitScene(): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-attacks-'));
  const repository = join(directory, 'store.git');
  const git = (...args: string[]) =>
    execFileSync('git', ['--git-dir', repository, ...args], { encoding: 'utf8' }).trim();
  execFileSync('git', ['init', '-q', '--bare', '--template=', repository]);
  const branch = 'refs/heads/docker-tls';
  return newScene(
    {
      ...{ name: 'git', url: `git+file://${repository}` },
      keep: async () => git('rev-parse', branch),
      show: async (commit) => void git('update-ref', branch, commit),
      empty: async () => void git('update-ref', '-d', branch),
      merge(parents) {
        const before = parents.flatMap((one) => ['-p', one]);
        const commit = git(...WHO_GIT, 'commit-tree', '-m', 'x', ...before, `${branch}^{tree}`);
        git('update-ref', branch, commit);
        return commit;
      },
      cut: () => rmSync(repository, { recursive: true, force: true }),
    },
    directory,
  );
}

export function etcdScene({ endpoints }: EtcdServers): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-attacks-'));
  const prefix = `attacks/${randomUUID()}`;
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  const all = { key: encoded(`/${prefix}/`), range_end: encoded(`/${prefix}0`) };
  async function ask(path: string, body: object) {
    const answer = await fetch(`http://${endpoints}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as { kvs?: { key: string; value?: string }[] };
  }
  const empty = async () => void (await ask('deleterange', all));
  return newScene(
    {
      ...{ name: 'etcd', url: `etcd://${endpoints}/${prefix}?tls=off`, empty },
      keep: async () => (await ask('range', all)).kvs ?? [],
      async show(kept) {
        await empty();
        for (const { key, value = '' } of kept) await ask('put', { key, value });
      },
    },
    directory,
  );
}
