/** Expiry of a shared store's newest state: a server that hides later commits is believed for a limited time only. */

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refreshStore } from '../../../../src/features/team/store/refresh.ts';
import { checkTeamStore, restoreTeamStore } from '../../../../src/features/team/store/restore-store.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { runCli } from '../../../support/cli.ts';
import { removeHomes, sampleHost } from '../../../support/store.ts';
import { type EtcdServers, startEtcd } from '../support/etcd.ts';
import { enrol, type Member, type Members, membersOf, newTeam } from '../support/team.ts';

let etcd: EtcdServers;
beforeAll(async () => {
  etcd = await startEtcd();
}, 60_000);
afterAll(async () => {
  await etcd.stop();
  removeHomes();
});

const DAY_MS = 86_400_000;
const later = (days: number) => () => new Date(Date.now() + days * DAY_MS);
const write = (session: Session, name: string) => {
  const store = teamStore(session);
  return store.withLock('docker-tls test', () => store.write({ hosts: { [name]: sampleHost(name, 1) } }));
};
const refresh = (session: Session, more: Partial<Parameters<typeof refreshStore>[1]> = {}) =>
  refreshStore(session, { dryRun: false, agree: async () => {}, compare: async () => {}, ...more });
const EXPIRED = { code: 'E_STORE_EXPIRED', exit: 2 };

describe.each<[string, () => Members]>([
  ['git', newTeam],
  ['etcd', () => membersOf(`etcd://${etcd.endpoints}/expiry/${Math.random()}?tls=off`)],
])('in %s', (_engine, place) => {
  async function store(): Promise<{ ada: Member; bob: Member; carol: Member }> {
    const { member } = place();
    const made = { ada: member('ada'), bob: member('bob'), carol: member('carol') };
    await enrol(made.ada, made.bob);
    await write(made.ada.session(), 'web');
    await made.bob.session().read();
    return made;
  }

  test('after 90 days nothing is read or written; one command, after a question, begins the time anew', async () => {
    const { ada, bob } = await store();
    await bob.session(later(89)).read();
    const refused = await bob
      .session(later(91))
      .read()
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({
      ...EXPIRED,
      details: [
        expect.stringMatching(/^its last commit: commit 3, by ada \(ada@laptop\), .*, current for 90 days; the clock/),
        expect.anything(),
      ],
      hints: ['docker-tls store check --witness hosts', expect.stringMatching(/: docker-tls store refresh$/)],
    });
    await expect(write(bob.session(later(91)), 'x')).rejects.toMatchObject(EXPIRED);
    const declined = refresh(bob.session(later(91)), { agree: () => Promise.reject(new Error('no')) });
    await expect(declined).rejects.toThrow('no');
    const newer = refresh(bob.session(later(91)), { compare: () => Promise.reject(new Error('a host has seen more')) });
    await expect(newer).rejects.toThrow('a host has seen more');
    const asked: unknown[] = [];
    const done = await refresh(bob.session(later(91)), { agree: async (last) => void asked.push(last) });
    expect([done.sequence, asked]).toEqual([4, [expect.objectContaining({ sequence: 3, by: 'ada (ada@laptop)' })]]);
    expect((await teamStore(ada.session(later(180))).read()).hosts.has('web')).toBe(true);
    await expect(ada.session(later(182)).read()).rejects.toMatchObject(EXPIRED);
  });

  test('each change begins it anew; a refresh commits once less than half is left, and keeps the number of days', async () => {
    const { ada, bob } = await store();
    expect((await refresh(ada.session(), { validDays: 30 })).sequence).toBe(4);
    expect((await refresh(bob.session(later(14)))).sequence).toBeUndefined();
    expect((await refresh(bob.session(later(16)))).sequence).toBe(5);
    await write(ada.session(later(40)), 'y');
    await bob.session(later(69)).read();
    expect(bob.notes.at(-1)).toMatch(/^the store expires on 20\d\d-.*: docker-tls store refresh$/);
    await expect(bob.session(later(71)).read()).rejects.toMatchObject(EXPIRED);
    expect((await refresh(bob.session(later(71)), { validDays: 'none' })).expiry).toBeUndefined();
    await ada.session(later(4000)).read();
    await write(ada.session(later(4000)), 'z');
    await bob.session(later(9000)).read();
  });

  test('who cannot open the CA cannot refresh; a dry run commits nothing', async () => {
    const { ada, bob, carol } = await store();
    expect(await refresh(ada.session(later(60)), { dryRun: true })).not.toHaveProperty('sequence');
    const { addOperator } = await import('../../../../src/features/team/store/admin.ts');
    await addOperator(ada.session(), { name: 'carol', recipient: carol.recipient, ca: false });
    await expect(refresh(carol.session(later(60)))).rejects.toMatchObject({ code: 'E_STORE_READ_ONLY' });
    expect((await bob.session().read()).sequence).toBe(4);
  });

  test('a restored state keeps its days, and its own date counts', async () => {
    const { ada } = await store();
    await refresh(ada.session(), { validDays: 30 });
    expect(await restoreTeamStore(ada.session())).toBeUndefined();
    await expect(checkTeamStore(ada.session(later(31)), false)).rejects.toMatchObject(EXPIRED);
  });
});

test('without the server the last copy is read as long as it is current, and no longer', async () => {
  const { member, repository } = newTeam();
  const ada = member('ada');
  await enrol(ada);
  await ada.session().read();
  rmSync(repository, { recursive: true });
  await ada.session(later(89)).read();
  await expect(ada.session(later(91)).read()).rejects.toMatchObject({
    ...EXPIRED,
    details: [expect.anything(), expect.stringContaining('this is the last copy: the store cannot be reached')],
  });
});

test('a clock that is behind or ahead when a commit is made: the commit expires early, or late, and the latter is noted', async () => {
  const { member } = newTeam();
  const [ada, bob] = [member('ada'), member('bob')];
  await enrol(ada, bob);
  await write(ada.session(later(-365)), 'web');
  await expect(bob.session().read()).rejects.toMatchObject(EXPIRED);
  expect((await refresh(bob.session())).sequence).toBe(4);
  await bob.session().read();
  await expect(write(ada.session(later(365)), 'next')).rejects.toMatchObject(EXPIRED);
  await write(ada.session(later(60)), 'next');
  await bob.session().read();
  expect(bob.notes.at(-1)).toMatch(/the newest commit of the store is of .*, and the clock of this computer says/);
  expect(bob.notes.filter((one) => one.includes('the clock of this computer'))).toHaveLength(1);
});

test('the commands: store check says it, store refresh asks, and has no question while the state is current', async () => {
  const { member, url } = newTeam();
  const ada = member('ada');
  await enrol(ada);
  const run = (days: number, ...argv: string[]) =>
    runCli([...argv, '--home', ada.home, '--store', url, '--json'], {
      ...{ env: { HOME: ada.env.HOME }, cwd: ada.env.HOME ?? '/', operator: 'ada@laptop', now: later(days) },
    });
  expect((await run(0, 'store', 'refresh')).json.result).toMatchObject({ store: url, expires: expect.any(String) });
  expect((await run(0, 'store', 'refresh')).json.result).not.toHaveProperty('sequence');
  expect((await run(60, 'store', 'refresh')).json.result.sequence).toBe(2);
  const check = await run(200, 'store', 'check');
  expect([check.exit, check.json.error?.code, check.json.result.sequence]).toEqual([2, 'E_STORE_EXPIRED', 2]);
  expect((await run(200, 'store', 'refresh')).json.error?.code).toBe('E_NO_TERMINAL');
  expect((await run(200, 'store', 'refresh', '--yes')).json.result.sequence).toBe(3);
  expect((await run(200, 'store', 'refresh', '--valid-for', '0')).json.error?.code).toBe('E_USAGE');
  expect((await run(200, 'store', 'refresh', '--valid-for', 'none')).json.result).toEqual({ store: url, sequence: 4 });
  expect((await run(2000, 'store', 'check')).json.error).toBeUndefined();
});
