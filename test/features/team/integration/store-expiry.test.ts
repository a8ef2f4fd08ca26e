/** Expiry of a shared store's newest state: a server that hides later commits is believed for a limited time only. */

import { execFileSync } from 'node:child_process';
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
});
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
  refreshStore(session, { dryRun: false, confirm: async () => {}, ...more });
const EXPIRED = { code: 'E_STORE_EXPIRED', exit: 2 };

/** A store, and how its server loses everything. */
type Place = Members & { lose(): void | Promise<void> };

function inGit(): Place {
  const team = newTeam();
  const lose = () =>
    void execFileSync('git', ['--git-dir', team.repository, 'update-ref', '-d', 'refs/heads/docker-tls']);
  return { ...team, lose };
}

function inEtcd(): Place {
  const prefix = `expiry/${Math.random()}`;
  const endpoint = `http://${etcd.endpoints.split(',')[0]}`;
  const lose = () => void execFileSync('etcdctl', [`--endpoints=${endpoint}`, 'del', '--prefix', `/${prefix}/`]);
  return { ...membersOf(`etcd://${etcd.endpoints}/${prefix}?tls=off`), lose };
}

describe.each<[string, () => Place]>([
  ['git', inGit],
  ['etcd', inEtcd],
])('in %s', (_engine, place) => {
  let rewind: Place['lose'];
  async function store(): Promise<{ ada: Member; bob: Member; carol: Member }> {
    const { member, lose } = place();
    rewind = lose;
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
      details: [expect.toSay('last-commit-commit-current', '3', 'ada', 'ada@laptop', '90'), expect.anything()],
      hints: ['docker-tls store check --witness hosts', expect.stringMatching(/: docker-tls store refresh$/)],
    });
    await expect(write(bob.session(later(91)), 'x')).rejects.toMatchObject(EXPIRED);
    const declined = refresh(bob.session(later(91)), { confirm: () => Promise.reject(new Error('no')) });
    await expect(declined).rejects.toThrow('no');
    const asked: unknown[] = [];
    const done = await refresh(bob.session(later(91)), { confirm: async ({ last }) => void asked.push(last) });
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
    expect(bob.notes.at(-1)).toSay('store-expires', 'docker-tls store refresh');
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

  test('a restored state keeps its days, which begin anew: so it is confirmed first, with its own date', async () => {
    const { ada } = await store();
    await refresh(ada.session(), { validDays: 30 });
    expect(await restoreTeamStore(ada.session())).toBeUndefined();
    await expect(checkTeamStore(ada.session(later(31)), false)).rejects.toMatchObject(EXPIRED);
    await rewind();
    const declined = restoreTeamStore(ada.session(later(100)), false, () => Promise.reject(new Error('no')));
    await expect(declined).rejects.toThrow('no');
    const asked: unknown[] = [];
    await restoreTeamStore(ada.session(later(100)), false, async ({ last }) => void asked.push(last));
    expect(asked).toEqual([expect.objectContaining({ sequence: 4, validDays: 30 })]);
    await checkTeamStore(ada.session(later(129)), false);
    await expect(checkTeamStore(ada.session(later(131)), false)).rejects.toMatchObject(EXPIRED);
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
    details: [expect.anything(), expect.toSay('last-copy-store-cannot')],
  });
});

test('a clock that is behind or ahead when a commit is made: the commit expires early, or late, and the latter is noted', async () => {
  const { member } = newTeam();
  const [ada, bob] = [member('ada'), member('bob')];
  await enrol(ada, bob);
  await write(ada.session(later(-0.5)), 'web');
  // One that is further behind commits nothing, unless a person says that the date in the store is the wrong one.
  await expect(write(ada.session(later(-365)), 'never')).rejects.toMatchObject({
    code: 'E_CLOCK',
    hints: ['timedatectl set-ntp true', expect.stringMatching(/: docker-tls store refresh$/)],
  });
  await bob.session().read();
  await expect(write(ada.session(later(365)), 'next')).rejects.toMatchObject(EXPIRED);
  await write(ada.session(later(60)), 'next');
  await bob.session().read();
  expect(bob.notes.at(-1)).toSay('newest-commit-store-clock');
  expect(bob.notes.filter((one) => one.includes('the clock of this computer'))).toHaveLength(1);
  await expect(write(bob.session(), 'more')).rejects.toMatchObject({ code: 'E_CLOCK' });
  expect((await refresh(bob.session())).sequence).toBe(5);
  await write(bob.session(), 'more');
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
  expect(check.json.error?.hints).toContainEqual(expect.stringContaining('store check --witness hosts'));
  // --yes is no answer: only people know whether that commit is the last one.
  for (const yes of [[], ['--yes']]) {
    const { error } = (await run(200, 'store', 'refresh', ...yes)).json;
    expect(error).toMatchObject({
      code: 'E_STORE_EXPIRED',
      message: expect.toSay('whether-commit', '2', 'ada'),
    });
    expect(error?.hints.at(-1)).toMatch(/docker-tls .*store refresh --last-commit NUMBER$/);
  }
  const wrong = await run(200, 'store', 'refresh', '--last-commit', '1');
  expect(wrong.json.error).toMatchObject({
    code: 'E_STORE_OLDER',
    message: expect.stringContaining('--last-commit says 1'),
  });
  const dry = await run(200, 'store', 'refresh', '--dry-run');
  expect([dry.json.error, dry.json.result]).toMatchObject([undefined, { dryRun: true, expires: expect.any(String) }]);
  const words = await runCli(['store', 'refresh', '--dry-run', '--home', ada.home, '--store', url], {
    ...{ env: { HOME: ada.env.HOME }, cwd: ada.env.HOME ?? '/', operator: 'ada@laptop', now: later(200) },
  });
  expect(words.out).toSay('current-until');
  expect(words.err).not.toContain('docker-tls store refresh');
  expect((await run(200, 'store', 'refresh', '--last-commit', '2')).json.result.sequence).toBe(3);
  expect((await run(200, 'store', 'refresh', '--valid-for', '0')).json.error?.code).toBe('E_USAGE');
  const none = await run(200, 'store', 'refresh', '--valid-for', 'none');
  expect(none.json.result).toEqual({ store: url, sequence: 4, witnesses: [] });
  expect(none.err).not.toContain('never expires');
  const kept = [await run(2000, 'store', 'check'), await run(2000, 'store', 'refresh')];
  expect(kept.map(({ json }) => json.error)).toEqual([undefined, undefined]);
  for (const { err } of kept) expect(err).toContain('never expires');
});
