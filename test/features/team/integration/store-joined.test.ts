/** Steps of one run whose changes form one commit: each is stored once, whatever other runs and the server do. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { readLog } from '../../../../src/features/team/store/signed-log.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { removeHomes, sampleCa, sampleClient, sampleHost } from '../../../support/store.ts';
import { enrol, type Member, newTeam } from '../support/team.ts';

afterAll(removeHomes);

const NAMES = Array.from({ length: 12 }, (_, index) => `host-${index}`);

async function newStore(): Promise<{ ada: Member; bob: Member }> {
  const team = newTeam();
  const [ada, bob] = [team.member('ada'), team.member('bob')];
  await enrol(ada, bob);
  return { ada, bob };
}

/** A run that enrols hosts, all at the same time; returns how often each step began. */
async function enrolHosts(session: Session, names: readonly string[]) {
  const store = teamStore(session);
  const began = new Map<string, number>();
  const done = await Promise.allSettled(
    names.map((name) => {
      const write = async () => {
        began.set(name, (began.get(name) ?? 0) + 1);
        expect((await store.read({ hosts: [name] })).hosts.size).toBe(0);
        await store.write({ hosts: { [name]: sampleHost(name, 1) } });
        expect((await store.read({ hosts: [name] })).hosts.size).toBe(1);
      };
      return store.withLock('docker-tls apply', write, { joins: true });
    }),
  );
  return { began, failed: done.filter(({ status }) => status === 'rejected').length, done };
}

const hostsOf = async (member: Member) => [...(await teamStore(member.session()).read()).hosts.keys()].sort();
const commitsOf = async (member: Member) => (await readLog(member.session(), 1000)).length;

/** Calls `before` ahead of each commit of the engine. */
function watched(member: Member, before: (number: number) => Promise<void> | undefined): Session {
  const session = member.session();
  const { commit } = session.engine;
  let commits = 0;
  session.engine.commit = async (...given) => {
    commits += 1;
    await before(commits);
    return commit(...given);
  };
  return session;
}

test('they are one commit, which names all of them', async () => {
  const { ada, bob } = await newStore();
  const { failed } = await enrolHosts(ada.session(), NAMES);
  expect([failed, await hostsOf(bob)]).toEqual([0, [...NAMES].sort()]);
  const [last, ...before] = await readLog(bob.session(), 10);
  expect([last?.subject, last?.lines.length, before.length]).toEqual(['docker-tls apply: 12 changes', 12, 2]);
});

test('more than fit one are several, each on top of the one before', async () => {
  const { ada, bob } = await newStore();
  const many = Array.from({ length: 90 }, (_, index) => `host-${index}`);
  const { failed } = await enrolHosts(ada.session(), many);
  expect([failed, (await hostsOf(bob)).length]).toEqual([0, 90]);
  expect(await commitsOf(bob)).toBeLessThanOrEqual(2 + 4);
});

test('where another run was faster, all begin again from what is stored then, and what came after them as well', async () => {
  const { ada, bob } = await newStore();
  const session = watched(ada, (number) =>
    number === 1 ? enrolHosts(bob.session(), ['theirs']).then(() => {}) : undefined,
  );
  const store = teamStore(session);
  const first = enrolHosts(session, NAMES.slice(0, 6));
  // While the first commit is in progress; within one run the store would be the same.
  const { began, failed } = await first;
  expect([failed, [...began.values()]]).toEqual([0, [2, 2, 2, 2, 2, 2]]);
  expect(await hostsOf(bob)).toEqual([...NAMES.slice(0, 6), 'theirs'].sort());
  expect((await store.read()).hosts.size).toBe(7);
});

test('a step that throws leaves the others, and nothing of its own', async () => {
  const { ada, bob } = await newStore();
  const store = teamStore(ada.session());
  const step = (name: string, broken: boolean) =>
    store.withLock(
      'docker-tls apply',
      async () => {
        await store.read();
        if (broken) throw new Error('broken');
        await store.write({ hosts: { [name]: sampleHost(name, 1) } });
      },
      { joins: true },
    );
  const done = await Promise.allSettled([step('a', false), step('b', true), step('c', false)]);
  expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await hostsOf(bob)).toEqual(['a', 'c']);
});

test.each(['written', 'only read'])(
  'what was built on a commit that failed (%s by then) is not stored with it: it begins again',
  async (how) => {
    const { ada, bob } = await newStore();
    let onItsWay = (): void => {};
    const begun = new Promise<void>((resolve) => {
      onItsWay = resolve;
    });
    let fail = (): void => {};
    const failing = new Promise<void>((_, reject) => {
      fail = () => reject(new DockerTlsError('E_STORE_UNREACHABLE', 'the server is gone'));
    });
    const session = watched(ada, (number) => {
      if (number > 1) return undefined;
      onItsWay();
      return failing;
    });
    const store = teamStore(session);
    const step = (name: string, between: () => Promise<unknown>) =>
      store.withLock(
        'docker-tls apply',
        async () => {
          await store.read();
          await between();
          await store.write({ hosts: { [name]: sampleHost(name, 1) } });
        },
        { joins: true },
      );
    const first = step('lost', async () => {});
    const refused = expect(first).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
    await begun;
    const second = step('kept', async () => {
      if (how !== 'only read') return;
      fail();
      await refused;
    });
    // Its turn comes while the first commit is in progress.
    await new Promise((resolve) => setImmediate(resolve));
    fail();
    await refused;
    await second;
    expect([await hostsOf(bob), [...(await store.read()).hosts.keys()]]).toEqual([['kept'], ['kept']]);
  },
);

test('a step that does not join waits for those that do, and they for it', async () => {
  const { ada, bob } = await newStore();
  const store = teamStore(ada.session());
  const seen: number[] = [];
  const joined = (name: string) =>
    store.withLock('docker-tls apply', () => store.write({ hosts: { [name]: sampleHost(name, 1) } }), { joins: true });
  const alone = store.withLock('docker-tls apply', async () => {
    seen.push((await store.read()).hosts.size);
    await store.write({ hosts: { alone: sampleHost('alone', 1) } });
    await store.write({ hosts: { twice: sampleHost('twice', 1) } });
  });
  await Promise.all([joined('a'), alone, joined('b')]);
  await Promise.all([
    joined('c'),
    store.withLock('docker-tls apply', async () => {
      seen.push((await store.read()).hosts.size);
    }),
  ]);
  expect([seen, await hostsOf(bob)]).toEqual([
    [0, 5],
    ['a', 'alone', 'b', 'c', 'twice'],
  ]);
});

test('what cannot be stored at all fails by itself: the others of its commit are stored', async () => {
  const { ada, bob } = await newStore();
  const session = ada.session();
  session.engine.requireFits = (path) => {
    if (path.startsWith('hosts/host-3/')) throw new DockerTlsError('E_STORE_FULL', 'too large');
  };
  const { done } = await enrolHosts(session, NAMES);
  expect(done.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { code: 'E_STORE_FULL' } }]);
  expect(await hostsOf(bob)).toEqual(NAMES.filter((name) => name !== 'host-3').sort());
});

test.skipIf(process.getuid?.() !== 0)(
  'a disk that is full here fails nothing that is stored, and says what is missing',
  async () => {
    const { ada, bob } = await newStore();
    const store = teamStore(ada.session());
    const anna = sampleClient('anna', 0);
    const clients = { anna: { ...anna, record: { ...anna.record, own: true } } };
    await store.withLock('docker-tls test', () => store.write({ ca: sampleCa(0), clients }));
    const directory = join(ada.home, 'clients');
    mkdirSync(directory, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,nr_inodes=1,mode=700', 'tmpfs', directory]);
    try {
      const { failed } = await enrolHosts(ada.session(), NAMES);
      expect([failed, (await hostsOf(bob)).length]).toEqual([0, NAMES.length]);
      expect(ada.notes.filter((note) => /files of the clients.*could not be written.*ENOSPC/.test(note))).toHaveLength(
        1,
      );
    } finally {
      execFileSync('umount', [directory]);
    }
    await teamStore(ada.session()).read();
    expect(existsSync(join(directory, 'anna/key.pem'))).toBe(true);
  },
);
