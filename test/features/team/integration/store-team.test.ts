import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { addOperator, listOperators, removeOperator } from '../../../../src/features/team/store/admin.ts';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import { checkTeamStore, restoreTeamStore } from '../../../../src/features/team/store/restore-store.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import {
  newHome,
  removeHomes,
  removeLater,
  sampleCa,
  sampleClient,
  sampleHost,
  sampleIssuer,
} from '../../../support/store.ts';
import { enrol, type Member, newTeam, type Team } from '../support/team.ts';

afterAll(removeHomes);

const everything = {
  ca: sampleCa(0),
  issuers: { anna: sampleIssuer(1) },
  hosts: { web: sampleHost('web', 0) },
  clients: { anna: sampleClient('anna', 0) },
};

function write(member: Member, change: Parameters<ReturnType<typeof teamStore>['write']>[0]) {
  const store = teamStore(member.session());
  return store.withLock('docker-tls test', () => store.write(change));
}

async function team(): Promise<Team & { ada: Member; bob: Member }> {
  const made = newTeam();
  const [ada, bob] = [made.member('ada'), made.member('bob')];
  await enrol(ada, bob);
  await write(ada, everything);
  return { ...made, ada, bob };
}

function git(repository: string, ...args: string[]): string {
  return execFileSync('git', ['--git-dir', repository, ...args], { encoding: 'utf8' }).trim();
}

/** Changes the branch as an account that can write to the repository but is not an operator. */
function tamper({ repository }: Team, change: (tree: string) => void): void {
  const tree = mkdtempSync(join(tmpdir(), 'store-test-tree-'));
  removeLater(tree);
  const run = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=m', '-c', 'user.email=m@m', ...args], { cwd: tree, stdio: 'pipe' });
  run('clone', '-q', '-b', 'docker-tls', repository, '.');
  change(tree);
  run('add', '-A');
  run('commit', '-qm', 'tampered');
  run('push', '-q', 'origin', 'docker-tls');
}

test('a state that was read is current until another member commits, or this computer writes a field of its own', async () => {
  const { ada, bob } = await team();
  const store = teamStore(ada.session());
  const state = await store.read();
  expect([await store.isCurrent(state), await store.isCurrent({ ...state })]).toEqual([true, false]);
  await write(bob, { clients: { carl: sampleClient('carl', 2) } });
  const next = await store.read({ fresh: true });
  expect([await store.isCurrent(state), await store.isCurrent(next)]).toEqual([false, true]);
  const { directory: _, ...anna } = next.clients.get('anna') as NonNullable<ReturnType<typeof next.clients.get>>;
  await store.withLock('test', () =>
    store.write({ clients: { anna: { ...anna, record: { ...anna.record, own: true } } } }),
  );
  expect(await store.isCurrent(next)).toBe(false);
});

describe('an administrator of the repository', () => {
  test('reads names and messages, and nothing of what the files hold', async () => {
    const { repository, ada } = await team();
    const objects = git(repository, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype)');
    const blobs = objects.split('\n').flatMap((line) => (line.endsWith(' blob') ? [line.split(' ')[0] as string] : []));
    expect(blobs.length).toBeGreaterThan(10);
    for (const blob of blobs) {
      expect(git(repository, 'cat-file', 'blob', blob)).not.toMatch(/PRIVATE|BEGIN CERT|web\.example|root@web|"anna"/);
    }
    expect(git(repository, 'ls-tree', '-r', '--name-only', 'docker-tls').split('\n')).toEqual([
      'ca/active/keys',
      'ca/active/public',
      'ca/issuers/anna/keys',
      'ca/issuers/anna/public',
      'clients/anna/keys',
      'clients/anna/public',
      'files.json',
      'hosts/web/keys',
      'hosts/web/public',
      'keys/ca.age',
      'keys/signers.json',
      'keys/store.age',
      'manifest.json',
      'operators',
    ]);
    expect(git(repository, 'log', '-1', '--format=%B', 'docker-tls')).toBe(
      'docker-tls test: 3 changes\n\n- CA ca-0: made\n- client anna: added, until 2036-11-22\n- host web: added, generation 0, certificate until 2036-11-22\n\nBy: ada (ada@laptop)'.replaceAll(
        '2036-11-22',
        /until (\S+)/.exec(git(repository, 'log', '-1', '--format=%B', 'docker-tls'))?.[1] as string,
      ),
    );
    // On the operator's machine, only the client in use is unencrypted, with the modes that docker expects.
    expect(statSync(join(ada.home, 'clients/anna/key.pem')).mode & 0o777).toBe(0o400);
    expect(existsSync(join(ada.home, 'hosts'))).toBe(false);
  });

  test.each<[string, (tree: string) => void, unknown]>([
    [
      'a file that was changed',
      (tree) => writeFileSync(join(tree, 'hosts/web/public'), 'x'),
      expect.stringMatching(/another hosts\/web\/public/),
    ],
    [
      'a file that is missing',
      (tree) => execFileSync('rm', [join(tree, 'clients/anna/public')]),
      expect.stringMatching(/lacks clients\/anna/),
    ],
    ['a file too many', (tree) => writeFileSync(join(tree, 'hosts/x'), ''), expect.stringMatching(/holds hosts\/x/)],
    [
      'a file in the place of another',
      (tree) => renameSync(join(tree, 'ca/active/keys'), join(tree, 'ca/issuers/anna/keys')),
      expect.stringMatching(/another|lacks/),
    ],
    [
      'a manifest that was edited',
      (tree) => edit(join(tree, 'manifest.json'), '"sequence": 3', '"sequence": 9'),
      expect.toSay('no-operator-signed'),
    ],
    [
      'keys for another recipient',
      (tree) => writeFileSync(join(tree, 'keys/store.age'), 'x'),
      expect.stringMatching(/another keys\/store.age/),
    ],
    [
      'a link',
      (tree) => execFileSync('ln', ['-s', '/etc/passwd', join(tree, 'hosts/l')]),
      expect.stringMatching(/holds hosts\/l/),
    ],
  ])('cannot pass off %s', async (_what, change, message) => {
    const made = await team();
    tamper(made, change);
    const error = await teamStore(made.bob.session())
      .read()
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: 'E_STORE_TAMPERED', exit: 2, message });
    await expect(write(made.ada, { removeHosts: ['web'] })).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
    // One command by an operator who has seen the whole store repairs it.
    await restoreTeamStore(made.ada.session());
    expect((await teamStore(made.bob.session()).read()).hosts.has('web')).toBe(true);
  });

  test('cannot pass off a store of their own, however well signed', async () => {
    const made = await team();
    const mallory = newTeam();
    const stranger = mallory.member('mallory');
    await addOperator(stranger.session(), { name: 'mallory', ca: true });
    await addOperator(stranger.session(), { name: 'ada', recipient: made.ada.recipient, ca: true });
    git(made.repository, 'fetch', '-q', mallory.repository, '+docker-tls:docker-tls');
    await expect(teamStore(made.ada.session()).read()).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
  });

  test('cannot bring back an older state, and one command of who has seen the newer one undoes it', async () => {
    const made = await team();
    const old = git(made.repository, 'rev-parse', 'docker-tls');
    const anna = sampleClient('anna', 0);
    await write(made.ada, {
      clients: { anna: { ...anna, record: { ...anna.record, revokedAt: '2026-11-26T10:00:00.000Z' } } },
    });
    await teamStore(made.bob.session()).read();
    git(made.repository, 'update-ref', 'refs/heads/docker-tls', old);
    for (const one of [made.ada, made.bob]) {
      await expect(teamStore(one.session()).read()).rejects.toMatchObject({
        code: 'E_STORE_OLDER',
        hints: expect.arrayContaining([expect.stringContaining('docker-tls store restore')]),
      });
    }
    await restoreTeamStore(made.bob.session());
    const state = await teamStore(made.ada.session()).read();
    expect(state.clients.get('anna')?.record.revokedAt).toBe('2026-11-26T10:00:00.000Z');
    expect(await restoreTeamStore(made.ada.session())).toBeUndefined();

    // Other operators continued from the old state: a higher number, but not based on the newest seen state.
    git(made.repository, 'update-ref', 'refs/heads/docker-tls', old);
    const carol = made.member('carol');
    await expect(addOperator(made.bob.session(), { ...carol, ca: true })).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
    });
    await checkTeamStore(made.bob.session(), true);
    for (const name of ['x', 'y']) await write(made.bob, { hosts: { [name]: sampleHost(name, 1) } });
    await expect(teamStore(made.ada.session()).read()).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      message: expect.toSay('another-commit-number'),
    });
    await write(made.bob, { hosts: { z: sampleHost('z', 1) } });
    await expect(teamStore(made.ada.session()).read()).rejects.toMatchObject({ code: 'E_STORE_OLDER' });
  });

  test('cannot go on with the key of an operator who was removed, not even with --accept', async () => {
    const made = await team();
    const old = git(made.repository, 'rev-parse', 'docker-tls');
    await removeOperator(made.ada.session(), 'bob');
    git(made.repository, 'update-ref', 'refs/heads/docker-tls', old);
    await write(made.bob, { hosts: { evil: sampleHost('evil', 1) } });
    await expect(checkTeamStore(made.ada.session(), true)).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
    // Their earlier signatures count as an older state.
    git(made.repository, 'update-ref', 'refs/heads/docker-tls', old);
    await checkTeamStore(made.ada.session(), true);
  });

  test('cannot have a store of another key accepted', async () => {
    const made = await team();
    await teamStore(made.ada.session()).read();
    const strange = newTeam();
    await enrol(strange.member('mallory'));
    git(made.repository, 'fetch', '-q', '-f', strange.repository, 'docker-tls:docker-tls');
    await expect(checkTeamStore(made.ada.session(), true)).rejects.toMatchObject({
      code: 'E_STORE_TAMPERED',
      message: expect.toSay('names-signers-no-operator'),
    });
  });

  test('cannot show an empty store to a computer whose address names the signing key', async () => {
    const pinned = newTeam(`?key=${'0'.repeat(32)}`);
    await expect(teamStore(pinned.member('ada').session()).read()).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
  });

  test('cannot show another store than the one whose signing key the address names', async () => {
    const { ada, repository } = await team();
    const { signers } = await listOperators(ada.session());
    const first = (key: string) => {
      const url = `git+file://${repository}?key=${key}`;
      const notes: string[] = [];
      const options = { home: newHome(), url, env: ada.env, cwd: repository, who: 'ada@other', now: () => new Date() };
      return { notes, session: openTeamSession({ ...options, note: (text) => notes.push(text) }) as Session };
    };
    const [good, wrong] = [first(signers ?? ''), first('0'.repeat(32))];
    await teamStore(good.session).read();
    expect(good.notes).toEqual([]);
    await expect(teamStore(wrong.session).read()).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
  });

  test('is not trusted unseen: at the first use on a computer, and only then, the signing key is said', async () => {
    const { bob, ada } = await team();
    const { signers } = await listOperators(ada.session());
    for (let run = 0; run < 2; run += 1) await teamStore(bob.session()).read();
    expect(bob.notes).toEqual([expect.toSay('first-use', 'git+file:', signers)]);
  });

  test('cannot empty it', async () => {
    const made = await team();
    git(made.repository, 'update-ref', '-d', 'refs/heads/docker-tls');
    await expect(teamStore(made.ada.session()).read()).rejects.toMatchObject({ code: 'E_STORE_OLDER' });
  });
});

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

describe('operators', () => {
  test('without the CA read what needs none, their own client included, and change nothing', async () => {
    const made = await team();
    const carol = made.member('carol');
    await expect(teamStore(carol.session()).read()).rejects.toMatchObject({ code: 'E_STORE_CLOSED', exit: 2 });
    await addOperator(made.ada.session(), { name: 'carol', recipient: carol.recipient, ca: false, client: 'anna' });
    const store = teamStore(carol.session());
    const state = await store.read();
    expect([state.ca?.cert, state.ca?.keyPem, state.hosts.get('web')?.serverKey]).toEqual([
      sampleCa(0).cert,
      undefined,
      undefined,
    ]);
    expect(state.issuers.get('anna')?.keyPem).toBeUndefined();
    expect(state.clients.get('anna')?.key?.revealText()).toBe(sampleClient('anna', 0).key?.revealText());
    expect(readFileSync(join(carol.home, 'clients/anna/key.pem'), 'utf8')).toBe(
      sampleClient('anna', 0).key?.revealText(),
    );
    for (const refused of [() => store.requireWritable(), () => write(carol, { removeHosts: ['web'] })])
      await expect(refused()).rejects.toMatchObject({
        code: 'E_STORE_READ_ONLY',
        message: expect.stringContaining('ada and bob'),
      });
    // A client's key is for its own operator; others cannot read it without the CA.
    const dora = made.member('dora');
    await addOperator(made.ada.session(), { name: 'dora', recipient: dora.recipient, ca: false });
    const others = (await teamStore(dora.session()).read()).clients.get('anna');
    expect([others?.cert, others?.key]).toEqual([sampleClient('anna', 0).cert, undefined]);
    // Local data of this machine is kept and does not change the store.
    const anna = state.clients.get('anna') as NonNullable<ReturnType<typeof state.clients.get>>;
    await write(carol, { clients: { anna: { ...anna, record: { ...anna.record, own: true } } } });
    expect((await teamStore(carol.session()).read()).clients.get('anna')?.record.own).toBe(true);
    expect((await teamStore(made.ada.session()).read()).clients.get('anna')?.record.own).toBeUndefined();
  });

  test('who were removed open nothing that is written from then on, and nothing of what is there', async () => {
    const made = await team();
    const before = git(made.repository, 'rev-parse', 'docker-tls');
    const { left } = await removeOperator(made.ada.session(), 'bob');
    expect(left.map(({ name }) => name)).toEqual(['ada']);
    await expect(teamStore(made.bob.session()).read()).rejects.toMatchObject({ code: 'E_STORE_CLOSED' });
    // Each file is under new keys: no earlier blob is used again.
    const blobs = (revision: string) =>
      git(made.repository, 'ls-tree', '-r', '--format=%(objectname)', revision).split('\n');
    const old = new Set(blobs(before));
    expect(blobs('docker-tls').filter((blob) => old.has(blob))).toEqual([]);
    expect((await teamStore(made.ada.session()).read()).ca?.keyPem?.revealText()).toBe(
      sampleCa(0).keyPem?.revealText(),
    );
    await expect(removeOperator(made.ada.session(), 'ada')).rejects.toMatchObject({
      code: 'E_OPERATOR',
      message: expect.stringContaining('last operator'),
    });
    // A colleague who has seen the store accepts the new signing key, because the previous one has signed it.
    const dora = made.member('dora');
    await addOperator(made.ada.session(), { name: 'dora', recipient: dora.recipient, ca: true });
    await teamStore(dora.session()).read();
    await addOperator(made.ada.session(), { name: 'bob', recipient: made.bob.recipient, ca: true });
    expect((await teamStore(made.bob.session()).read()).hosts.size).toBe(1);
  });

  test('are given a client later, without a new key and without more rights; another client needs their removal', async () => {
    const made = await team();
    const carol = made.member('carol');
    await addOperator(made.ada.session(), { name: 'carol', recipient: carol.recipient, ca: false });
    const key = async () => (await teamStore(carol.session()).read()).clients.get('anna')?.key;
    expect(await key()).toBeUndefined();
    const give = (client: string, more: { recipient?: string; dryRun?: boolean } = {}) =>
      addOperator(made.ada.session(), { name: 'carol', ca: true, client, ...more }, more);
    expect(await give('anna', { dryRun: true })).toMatchObject({ ca: false, client: 'anna' });
    expect(await key()).toBeUndefined();
    expect(await give('anna')).toMatchObject({ ca: false, client: 'anna' });
    expect((await key())?.revealText()).toBe(sampleClient('anna', 0).key?.revealText());
    expect((await teamStore(carol.session()).read()).ca?.keyPem).toBeUndefined();
    // A repetition makes no commit.
    const head = git(made.repository, 'rev-parse', 'docker-tls');
    await give('anna', { recipient: carol.recipient });
    expect(git(made.repository, 'rev-parse', 'docker-tls')).toBe(head);
    await write(made.ada, { clients: { ben: sampleClient('ben', 1) } });
    await expect(give('ben')).rejects.toMatchObject({
      code: 'E_OPERATOR',
      hints: ['docker-tls operator remove carol', expect.stringMatching(/add carol '.*' --client ben --without-ca$/)],
    });
    await expect(give('anna', { recipient: made.member('dora').recipient })).rejects.toMatchObject({
      code: 'E_OPERATOR',
    });
    // This does not take the CA away as a side effect: that needs new keys.
    await expect(addOperator(made.ada.session(), { name: 'bob', ca: false, client: 'anna' })).rejects.toMatchObject({
      code: 'E_OPERATOR',
      message: expect.toSay('can-open-ca-keeps', 'bob'),
      hints: ['docker-tls operator remove bob', expect.stringMatching(/add bob '.*' --client anna --without-ca$/)],
    });
  });

  test('are refused twice, and where no key of theirs is the first', async () => {
    const made = newTeam();
    const [ada, bob] = [made.member('ada'), made.member('bob')];
    await expect(write(ada, everything)).rejects.toMatchObject({ code: 'E_STORE_NEW' });
    await expect(addOperator(ada.session(), { ...bob, ca: true })).rejects.toMatchObject({ code: 'E_OPERATOR' });
    await enrol(ada);
    for (const name of ['ada', 'other']) {
      await expect(addOperator(ada.session(), { name, ca: true })).rejects.toMatchObject({ code: 'E_OPERATOR' });
    }
  });
});

test('the files of a client that is gone leave the computers where it was used; what else is beside them stays', async () => {
  const made = await team();
  const store = teamStore(made.bob.session());
  const { record, ...anna } = sampleClient('anna', 0);
  await store.withLock('docker-tls test', () =>
    store.write({ clients: { anna: { ...anna, record: { ...record, own: true } } } }),
  );
  const directory = join(made.bob.home, 'clients/anna');
  expect(existsSync(join(directory, 'key.pem'))).toBe(true);
  writeFileSync(join(made.ada.home, 'clients/anna/notes'), 'mine');
  await write(made.ada, { removeClients: ['anna'] });
  expect(readdirSync(join(made.ada.home, 'clients/anna'))).toEqual(['notes']);
  await teamStore(made.bob.session()).read();
  expect(existsSync(directory)).toBe(false);
});

describe('a store that cannot be reached', () => {
  test('is read as it was fetched last, which is said with its age, and is not changed', async () => {
    const made = await team();
    await teamStore(made.bob.session()).read();
    renameSync(made.repository, `${made.repository}.gone`);
    expect((await teamStore(made.bob.session()).read()).hosts.has('web')).toBe(true);
    expect(made.bob.notes.at(-1)).toSay('cannot-reached-using-copy');
    await expect(write(made.bob, { removeHosts: ['web'] })).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      exit: 4,
    });
    await expect(teamStore(made.bob.session()).requireWritable()).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
    });
    await expect(teamStore(made.member('new').session()).read()).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
    renameSync(`${made.repository}.gone`, made.repository);
    await write(made.bob, { removeHosts: ['web'] });
  });

  test('whose server refuses the push is found before anything is done', async () => {
    const made = await team();
    const hook = join(made.repository, 'hooks/pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho "this branch is protected" >&2\nexit 1\n', { mode: 0o755 });
    await expect(write(made.bob, { removeHosts: ['web'] })).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
    expect((await teamStore(made.bob.session()).read()).hosts.has('web')).toBe(true);
  });
});
