/** Hosts as witnesses: a run on a machine without memory is refused before it changes a host, if any of its hosts has seen another store. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import type { HostState, StoreMark } from '../../../../src/core/domain/plan/host-state.ts';
import type { Connect, HostSession } from '../../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { type CliRun, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes, sampleHost } from '../../../support/store.ts';
import { ENGINES, stopEngines } from '../support/store-engines.ts';
import { type Member, newTeam, type Team } from '../support/team.ts';

afterAll(async () => {
  await stopEngines();
  removeHomes();
});

describe.each(ENGINES.filter(({ name }) => name !== 'directory'))('a store in $name', ({ place }) => {
  test('continues what was seen of it, is older than a later number, and has no other hash', async () => {
    const { open } = await place();
    const [ada, bob] = [await open('ada'), await open('bob')];
    const write = (name: string) => ada.withLock('test', () => ada.write({ hosts: { [name]: sampleHost(name, 1) } }));
    await write('a');
    const first = (await ada.mark()) as StoreMark;
    await write('b');
    await write('c');
    const last = (await ada.mark()) as StoreMark;
    expect([last.id, last.number]).toEqual([first.id, first.number + 2]);
    expect(await bob.mark()).toEqual(last);
    const refused = (seen: Partial<StoreMark>) =>
      bob.requireSeen('h1', { generations: [], store: { ...last, ...seen } } as unknown as HostState).then(
        () => 'accepted',
        ({ code }) => code,
      );
    expect(await refused({})).toBe('accepted');
    expect(await refused(first)).toBe('accepted');
    expect(await refused({ number: last.number + 1 })).toBe('E_HOST_NEWER');
    expect(await refused({ hash: first.hash })).toBe('E_HOST_FORKED');
    const changed = first.hash.replace(/.$/, (one) => (one === '0' ? '1' : '0'));
    expect(await refused({ ...first, hash: changed })).toBe('E_HOST_FORKED');
    expect(await refused({ id: '0'.repeat(32), number: 99 })).toBe('E_HOST_FORKED');
    // The store as it is now, though it was read a moment ago.
    await write('d');
    expect(await refused((await ada.mark()) as StoreMark)).toBe('accepted');
  });
});

describe('a runner without memory', () => {
  const now = new Date();
  let team: Team;
  let ada: Member;
  let home: string;
  /** The store's revision before and after ada's last commit, and one of another line with the later number. */
  let marks: Readonly<Record<'before' | 'after' | 'forked', StoreMark>>;

  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=m', '-c', 'user.email=m@m', '--git-dir', team.repository, ...args], {
      encoding: 'utf8',
    }).trim();

  beforeAll(async () => {
    team = newTeam();
    ada = team.member('ada');
    home = newHome();
    await issueStore(home, { now, hosts: { h1: {}, h2: {}, h3: {} }, clients: { laptop: undefined } });
    const copied = await as(ada.env.HOME, ['store', 'copy', '--to', team.url, '--yes'], home);
    expect([copied.err, copied.exit]).toEqual(['', 0]);
    const session = teamStore(sessionOf());
    const commit = async (name: string) => {
      await session.withLock('test', () => session.write({ hosts: { [name]: sampleHost(name, 1) } }));
      return (await session.mark()) as StoreMark;
    };
    const before = await commit('x');
    const forked = await commit('y');
    git('update-ref', 'refs/heads/docker-tls', before.hash);
    const other = teamStore(sessionOf());
    await other.withLock('test', () => other.write({ hosts: { z: sampleHost('z', 1) } }));
    const after = (await other.mark()) as StoreMark;
    expect([forked.number, forked.hash === after.hash]).toEqual([after.number, false]);
    marks = { before, after, forked };
  });

  /** Ada's key at a computer that has seen nothing. */
  function sessionOf(): Session {
    const options = { env: ada.env, cwd: ada.home, who: 'ada@runner', now: () => new Date(), note: () => {} };
    return openTeamSession({ ...options, home: newHome(), url: team.url }) as Session;
  }

  function as(
    HOME: string | undefined,
    argv: readonly string[],
    at: string,
    connect?: Connect,
    today = now,
  ): Promise<CliRun> {
    const env = { HOME, PATH: process.env.PATH, DOCKER_CONFIG: join(HOME ?? '/', 'docker'), DOCKER_TLS_HOME: at };
    return runCli(argv, { env, cwd: HOME ?? '/', operator: 'ada@runner', now: () => today, connect, probe });
  }

  const probe = async ({ credentials, maxVersion }: { credentials?: unknown; maxVersion?: string }) => {
    const { serverCert } = (await openStore(home).read()).hosts.get('h1') as { serverCert: string };
    return credentials !== undefined && maxVersion === undefined
      ? ({ kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain: serverCert, elapsedMs: 1 } as const)
      : ({ kind: 'refused', cause: 'client-refused', reason: 'why', chain: serverCert, elapsedMs: 1 } as const);
  };

  /** A fresh runner over hosts that have seen these revisions; `changed`: the hosts that it began to change, `sent`: what they keep. */
  async function run(
    argv: readonly string[],
    seen: Readonly<Record<string, StoreMark | 'silent' | undefined>>,
    { at = newHome(), today = now }: { readonly at?: string; readonly today?: Date } = {},
  ) {
    const changed: string[] = [];
    const passwords = new Set<string | undefined>();
    const connect: Connect = async (options) => {
      const { host } = options;
      passwords.add(options.sudoPassword?.revealText());
      if (seen[host] === 'silent') throw new DockerTlsError('E_SSH_TIMEOUT', 'no answer');
      const generations = [1, 2].map((number) => ({ number, at: now.toISOString(), by: 'ada', reason: 'test' }));
      const managed = [{ kind: 'link', path: '/etc/docker/tls/current' }];
      const state = { schema: 1, name: host, generation: 2, generations, managed, store: seen[host] };
      const facts = { 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}` };
      const onChange = () => changed.push(host);
      return (await answeringHosts({ home, now, facts, onChange })(options)) as HostSession;
    };
    const done = await as(ada.env.HOME, [...argv, '--store', team.url, '--json'], at, connect, today);
    return { ...done, json: done.json, changed, passwords };
  }

  const rotate = ['rotate', 'server', 'h1', 'h2', 'h3', '--parallel', '1', '--yes'];

  test.each([
    ['newer', 'E_HOST_NEWER', () => ({ ...marks.after, number: marks.after.number + 1 })],
    ['of another line', 'E_HOST_FORKED', () => marks.forked],
  ] as const)('changes no host if the last one has seen a store that is %s', async (_what, code, last) => {
    const { json, exit, changed } = await run(rotate, { h1: marks.before, h2: undefined, h3: last() });
    expect([exit, json.error?.code, json.error?.where, changed]).toEqual([4, code, 'h3', []]);
    const plan = await run(['plan', 'h1', 'h2', 'h3'], { h3: last() });
    expect([plan.exit, plan.json.error?.code]).toEqual([4, code]);
    // Its hint works.
    const hint = json.error?.hints.at(-1)?.replace(/^.*docker-tls /, '') as string;
    expect(hint).toBe('apply h3 --take-over');
    const taken = await run([...hint.split(' '), '--dry-run'], { h3: last() });
    expect([taken.exit, taken.json.error]).toEqual([0, undefined]);
  });

  test('begins to change them if all that answer have seen what the store continues, or nothing', async () => {
    const { json, changed } = await run(rotate, { h1: marks.before, h2: 'silent', h3: undefined });
    expect([JSON.stringify(json.error).match(/E_HOST_(NEWER|FORKED)/), new Set(changed)]).toEqual([
      null,
      new Set(['h1', 'h3']),
    ]);
    expect((await run(rotate, { h1: marks.after, h2: marks.after, h3: marks.before })).changed).toContain('h2');
  });

  describe('store check --witness', () => {
    const check = (...witnesses: string[]) => [
      ...['store', 'check', '--yes'],
      ...witnesses.flatMap((one) => ['--witness', one]),
    ];

    test('hosts: each says what it has seen; one that has seen more, or another line, is an error with both revisions', async () => {
      const good = await run(check('hosts'), { h1: marks.before, h2: marks.after });
      expect([good.json.error, good.exit]).toEqual([undefined, 0]);
      expect(good.json.result).toMatchObject({ head: marks.after, sequence: marks.after.number });
      expect(good.json.result.witnesses).toEqual(
        expect.arrayContaining([
          { witness: 'h1', line: 'continues', number: marks.before.number },
          { witness: 'h2', line: 'continues', number: marks.after.number },
          { witness: 'h3', line: 'nothing' },
        ]),
      );
      const bad = await run(check('hosts'), { h1: marks.forked, h2: 'silent', h3: marks.after });
      expect([bad.exit, bad.changed]).toEqual([4, []]);
      expect(JSON.stringify(bad.json.error)).toSay(
        'does-not-continue-hashes',
        'h1',
        marks.forked.hash,
        marks.after.hash,
      );
      expect(JSON.stringify(bad.json.error)).toContain('E_SSH_TIMEOUT');
      const older = { ...marks.after, number: 99 };
      const { error } = (await run(check('hosts'), { h3: older })).json;
      expect(error).toMatchObject({ code: 'E_STORE_OLDER', message: expect.stringContaining('older than what h3') });
    });

    /** A repository with the branch `docker-tls` at a commit of the store. */
    function mirrorOf(commit: string): string {
      const repository = join(newHome(), 'mirror.git');
      execFileSync('git', ['clone', '-q', '--bare', team.repository, repository]);
      // A commit that the store no longer names is not cloned.
      execFileSync('git', ['--git-dir', repository, 'fetch', '-q', team.repository, commit]);
      execFileSync('git', ['--git-dir', repository, 'update-ref', 'refs/heads/docker-tls', commit]);
      return repository;
    }

    test('a mirror of the repository', async () => {
      git('config', 'uploadpack.allowAnySHA1InWant', 'true');
      for (const mark of [marks.before, marks.after]) {
        const url = `git+file://${mirrorOf(mark.hash)}`;
        const { json } = await run(check(url), {});
        expect(json.result?.witnesses).toEqual([{ witness: url, line: 'continues', number: mark.number }]);
      }
      // The mirrored branch gets a file that says what a head.json of an old state would.
      const planted = mirrorOf(marks.after.hash);
      const text = JSON.stringify(marks.before);
      const input = `commit refs/heads/docker-tls\ncommitter m <m@m> 1 +0000\ndata 1\nx\nfrom ${marks.after.hash}\nM 100644 inline head.json\ndata ${text.length}\n${text}\n`;
      execFileSync('git', ['--git-dir', planted, 'fast-import', '--quiet', '--force'], { input });
      const lying = await run(check(`git+file://${planted}`), {});
      expect([lying.exit, lying.json.error?.code]).toEqual([2, 'E_STORE_OLDER']);
      const forked = await run(check(`git+file://${mirrorOf(marks.forked.hash)}`), {});
      expect([forked.exit, forked.json.error?.code]).toEqual([2, 'E_STORE_OLDER']);
      // The store's server shows an old state; the mirror has the newer one.
      const newer = `git+file://${mirrorOf(marks.after.hash)}`;
      git('update-ref', 'refs/heads/docker-tls', marks.before.hash);
      const older = await run(check(newer), {});
      git('update-ref', 'refs/heads/docker-tls', marks.after.hash);
      expect([older.exit, older.json.error?.message]).toEqual([2, expect.stringMatching(/older than what git\+file/)]);
    });

    test('a repository with the output of store check --json; one of another store, or with nothing, is no witness', async () => {
      const { json } = await run(check(), {});
      const publish = (document: unknown) => {
        const repository = join(newHome(), 'head.git');
        execFileSync('git', ['init', '-q', '--bare', repository]);
        const text = JSON.stringify(document);
        const input = `commit refs/heads/docker-tls\ncommitter m <m@m> 1 +0000\ndata 1\nx\nM 100644 inline head.json\ndata ${text.length}\n${text}\n`;
        execFileSync('git', ['--git-dir', repository, 'fast-import', '--quiet'], { input });
        return `git+file://${repository}`;
      };
      const url = publish(json);
      expect((await run(check(url), {})).json.result?.witnesses).toEqual([
        { witness: url, line: 'continues', number: marks.after.number },
      ]);
      for (const wrong of [{ ...marks.after, id: '0'.repeat(32) }, { ...marks.after, hash: '--output=x' }, []]) {
        const refused = await run(check(publish(wrong)), {});
        expect([refused.exit, refused.json.error?.code]).toEqual([4, 'E_STORE_WITNESS']);
      }
      const etcd = await run(check('etcd://h:1/x'), {});
      expect([etcd.exit, etcd.json.error?.code]).toEqual([4, 'E_STORE_WITNESS']);
    });
  });

  const SILENT = { h1: 'silent', h2: 'silent', h3: 'silent', x: 'silent', z: 'silent' } as const;
  const later = (days: number) => new Date(now.getTime() + days * 86_400_000);

  describe('store refresh', () => {
    const refresh = ['store', 'refresh', '--valid-for', '30', '--dry-run'];

    test('refuses what a host has seen more of, names that host and its claim, and a flag leads out', async () => {
      const newer = { ...marks.after, number: 99 };
      const { json, exit } = await run(refresh, { h1: newer, h2: marks.forked, h3: marks.after });
      expect([exit, json.error]).toMatchObject([2, { code: 'E_STORE_OLDER', where: team.url }]);
      expect(json.error?.message).toSay('older-what-seen-commit', 'h1', '99');
      expect(json.error?.details.join()).toSay('does-not-continue-what', 'h2');
      const hint = json.error?.hints.at(-1)?.replace(/^.*docker-tls /, '') as string;
      expect(hint).toBe('store refresh --except h1 --except h2');
      const done = await run([...hint.split(' '), ...refresh.slice(2)], { h1: newer, h2: marks.forked });
      expect([done.json.error, done.exit]).toEqual([undefined, 0]);
      expect(done.json.result.witnesses).toContainEqual({ witness: 'h1', line: 'older', number: 99 });
      expect((await run([...refresh, '--except', 'nobody'], {})).json.error?.code).toBe('E_USAGE');
    });

    test('a host of another store says nothing about this one: it is named, and not believed', async () => {
      const done = await run(refresh, { h1: { ...marks.after, id: '0'.repeat(32), number: 99 } });
      expect([done.json.error, done.exit]).toEqual([undefined, 0]);
      expect(done.err).toSay('seen-another-store', 'h1');
    });

    test('no answer is not a good answer: how many were compared is said, and with none a person has to say it', async () => {
      const some = await as(ada.env.HOME, ['store', 'refresh', '--valid-for', '30', '--store', team.url], newHome());
      expect([some.exit, some.err]).toEqual([4, expect.toSay('none-hosts-says', '5')]);
      const { json } = await run(['store', 'refresh', '--valid-for', '30', '--yes'], SILENT);
      expect(json.error).toMatchObject({ code: 'E_STORE_WITNESS', message: expect.stringContaining('commit') });
      const told = ['store', 'refresh', '--valid-for', '80', '--last-commit', String(marks.after.number)];
      expect((await run(told, SILENT)).json.result.sequence).toBe(marks.after.number + 1);
      git('update-ref', 'refs/heads/docker-tls', marks.after.hash);
      expect((await run(refresh, { ...SILENT, h1: marks.after })).json.error).toBeUndefined();
    });

    test('an expired state is compared before anybody is asked; the sudo password goes to the hosts', async () => {
      const file = join(newHome(), 'sudo');
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'let me in\n', { mode: 0o600 });
      const argv = ['store', 'refresh', '--sudo-password-file', file];
      // A password goes only where this computer has logged in before.
      const at = newHome();
      await run(['store', 'check', '--witness', 'hosts'], {}, { at });
      const refused = await run(argv, { h1: { ...marks.after, number: 99 } }, { at, today: later(91) });
      expect([refused.json.error?.code, refused.passwords]).toEqual(['E_STORE_OLDER', new Set(['let me in'])]);
      const asked = await run([...argv, '--yes'], {}, { at, today: later(91) });
      expect(asked.json.error?.code).toBe('E_STORE_EXPIRED');
    });
  });

  test('store restore: the hosts have to agree, and a person with what has expired', async () => {
    const [at, other] = [newHome(), newHome()];
    for (const one of [at, other]) expect((await run(['store', 'check'], {}, { at: one })).exit).toBe(0);
    git('update-ref', 'refs/heads/docker-tls', marks.before.hash);
    const restore = ['store', 'restore', '--yes'];
    const newer = { ...marks.after, number: 99 };
    const refused = await run(restore, { h1: newer }, { at });
    expect(refused.json.error).toMatchObject({
      code: 'E_STORE_OLDER',
      hints: expect.arrayContaining([expect.stringContaining('docker-tls store restore --except h1')]),
    });
    expect((await run(restore, SILENT, { at })).json.error?.code).toBe('E_STORE_WITNESS');
    const expired = await run(restore, { h1: marks.after }, { at, today: later(91) });
    expect(expired.json.error).toMatchObject({
      code: 'E_STORE_EXPIRED',
      message: expect.stringContaining('it expired'),
    });
    expect(git('rev-parse', 'docker-tls')).toBe(marks.before.hash);
    const told = [...restore, '--last-commit', String(marks.after.number)];
    expect((await run(told, { h1: marks.after }, { at, today: later(91) })).json.error).toBeUndefined();
    // What only the hosts have seen is undone where that is said.
    git('update-ref', 'refs/heads/docker-tls', marks.before.hash);
    expect((await run([...restore, '--replace-unseen'], { h1: newer }, { at: other })).json.error).toBeUndefined();
    git('update-ref', 'refs/heads/docker-tls', marks.after.hash);
  });

  test('store check --witness hosts puts nothing of an expired state on this computer', async () => {
    const at = newHome();
    expect((await run(['client', 'use', 'laptop'], {}, { at })).exit).toBe(0);
    rmSync(join(at, 'clients'), { recursive: true });
    const argv = ['store', 'check', '--witness', 'hosts'];
    const { json, err } = await run(argv, { h1: marks.after }, { at, today: later(91) });
    expect([json.error?.code, existsSync(join(at, 'clients'))]).toEqual(['E_STORE_EXPIRED', false]);
    expect(err).not.toContain('docker-tls store refresh');
    await run(['client', 'list'], {}, { at });
    expect(existsSync(join(at, 'clients'))).toBe(true);
  });
});
