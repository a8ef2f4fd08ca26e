import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { ensureDirSync, readJsonSync, removeSync } from 'fs-extra/esm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DockerTlsError } from '../../../../src/errors/errors.ts';
import { gitEngine } from '../../../../src/features/team/engines/git.ts';
import { checkTeamStore, restoreTeamStore } from '../../../../src/features/team/store/restore-store.ts';
import { readLog } from '../../../../src/features/team/store/signed-log.ts';
import { listingOf } from '../../../../src/features/team/store/store-manifest.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { CHILD_BUNDLE } from '../../../support/child-bundle.ts';
import { newHome, removeHomes, removeLater, sampleCa, sampleHost } from '../../../support/store.ts';
import { runChild } from '../../../support/store-child.ts';
import { enrol, type Member, newTeam, type Team } from '../support/team.ts';

const path = process.env.PATH ?? '';
const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
let made: Team & { ada: Member; bob: Member };
let bundle = '';

beforeAll(() => {
  const directory = join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', '.cache', 'store-test');
  ensureDirSync(directory);
  bundle = join(directory, `team-${process.pid}.mjs`);
  removeLater(bundle);
  buildSync({
    stdin: {
      contents: `export * from './src/features/team/store/open-team-store.ts'; export * from './src/features/team/store/team-store.ts'; export * from './test/support/store.ts';`,
      resolveDir: join(import.meta.dirname, '..', '..', '..', '..'),
      loader: 'ts',
    },
    outfile: bundle,
    ...CHILD_BUNDLE,
  });
});
beforeEach(async () => {
  const team = newTeam();
  made = { ...team, ada: team.member('ada'), bob: team.member('bob') };
  await enrol(made.ada, made.bob);
});
afterEach(() => {
  process.env.PATH = path;
});
afterAll(removeHomes);

/** A git in front of the real one. `$n` is the number of the call. */
function gitOf(body: string): string {
  const directory = newHome();
  ensureDirSync(directory);
  const text = `#!/bin/sh\nn=$(($(cat '${directory}/n' 2>/dev/null || echo 0) + 1))\necho "$n" >'${directory}/n'\n${body}\nexec ${real} "$@"\n`;
  writeFileSync(join(directory, 'git'), text, { mode: 0o755 });
  return directory;
}

function put(member: Member, name: string) {
  const store = teamStore(member.session());
  return store.withLock('docker-tls test', () => store.write({ hosts: { [name]: sampleHost(name, 1) } }));
}

async function hostsOf(member: Member): Promise<string[]> {
  return [...(await teamStore(member.session()).read()).hosts.keys()];
}

function commits(): number {
  return Number(
    execFileSync('git', ['--git-dir', made.repository, 'rev-list', '--count', 'docker-tls'], { encoding: 'utf8' }),
  );
}

describe('a network that is cut', () => {
  test('before the push arrives: it is pushed again, once', async () => {
    const before = commits();
    const cut = gitOf(
      'case " $* " in *" push "*) [ -e "$0.once" ] || { : >"$0.once"; echo "fatal: the remote end hung up" >&2; exit 128; };; esac',
    );
    process.env.PATH = `${cut}:${path}`;
    await put(made.ada, 'a');
    expect([commits(), await hostsOf(made.bob)]).toEqual([before + 1, ['a']]);
  });

  test('after the push arrived: it counts, and is not made twice', async () => {
    const before = commits();
    const cut = gitOf(`case " $* " in *" push "*) ${real} "$@"; echo "fatal: early EOF" >&2; exit 128;; esac`);
    process.env.PATH = `${cut}:${path}`;
    await put(made.ada, 'a');
    expect([commits(), await hostsOf(made.bob)]).toEqual([before + 1, ['a']]);
  });

  test('for good, while it is not known whether it arrived: said so, and the next run begins from what is there', async () => {
    const cut = gitOf(
      `case " $* " in *" push "*) ${real} "$@"; : >"$0.gone"; exit 128;; *" ls-remote "*) [ ! -e "$0.gone" ] || exit 128;; esac`,
    );
    process.env.PATH = `${cut}:${path}`;
    await expect(put(made.ada, 'a')).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      message: expect.toSay('may-stored-not'),
    });
    process.env.PATH = path;
    await put(made.ada, 'b');
    expect(await hostsOf(made.bob)).toEqual(['a', 'b']);
  });
});

describe('a server', () => {
  const engineOf = (home: string, more: object = {}) => {
    const remote = `file://${made.repository}`;
    return gitEngine({
      ...{ url: `git+${remote}`, remote, branch: 'docker-tls', listing: listingOf(() => []) },
      ...{ cache: join(home, 'cache.git'), ...more },
    });
  };

  test('that never answers a push is given up once, also where its end goes on: the change may be stored or not', async () => {
    const hanging = gitOf(`case " $* " in *" push "*) echo push >>"$0.pushes"; sleep 60; exit 1;; esac`);
    process.env.PATH = `${hanging}:${path}`;
    const engine = engineOf(made.ada.home, { timeoutMs: 5000 });
    const message = { who: 'ada', subject: 'x', lines: [] };
    const put = new Map([['a', Buffer.from('a')]]);
    await expect(engine.commit(await engine.read(), { put, remove: [], message })).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      message: expect.toSay('no-answer-within-may', '5'),
    });
    expect(readFileSync(join(hanging, 'git.pushes'), 'utf8')).toBe('push\n');
  });

  test.each(['ls-remote', 'push --quiet --no-verify --dry-run'])(
    'that never answers %s is left at once when the run is stopped',
    async (call) => {
      const hanging = gitOf(`case " $* " in *" ${call} "*) touch '${made.ada.home}.asked'; sleep 60; exit 1;; esac`);
      process.env.PATH = `${hanging}:${path}`;
      const stop = new AbortController();
      const engine = engineOf(made.ada.home, { signal: stop.signal });
      const asked = expect(engine.requireWritable()).rejects.toThrow('stopped here');
      await expect.poll(() => existsSync(`${made.ada.home}.asked`)).toBe(true);
      const began = performance.now();
      stop.abort(new Error('stopped here'));
      await asked;
      expect(performance.now() - began).toBeLessThan(50_000);
      await expect(engine.read()).rejects.toThrow('stopped here');
    },
  );

  test('that never answers a push leaves a stopped run a moment to find out whether the change is stored', async () => {
    const hanging = gitOf(`case " $* " in *" push "*) touch '${made.ada.home}.asked'; sleep 60; exit 1;; esac`);
    const stop = new AbortController();
    const engine = engineOf(made.ada.home, { signal: stop.signal });
    const base = await engine.read();
    process.env.PATH = `${hanging}:${path}`;
    const put = new Map([['a', Buffer.from('a')]]);
    const message = { who: 'ada', subject: 'x', lines: [] };
    const stored = expect(engine.commit(base, { put, remove: [], message })).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      message: expect.toSay('sigterm-may-stored-not'),
    });
    await expect.poll(() => existsSync(`${made.ada.home}.asked`)).toBe(true);
    const began = performance.now();
    stop.abort(new Error('stopped here'));
    await stored;
    expect(performance.now() - began).toBeLessThan(50_000);
    // Remaining work, such as undoing a stored change, still reaches the server.
    process.env.PATH = path;
    expect((await engine.read()).revision).toBe(base.revision);
  });

  test('that refuses says why in its own words', async () => {
    const hook = join(made.repository, 'hooks/pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho "no changes on Sunday" >&2\nexit 1\n', { mode: 0o755 });
    await expect(put(made.ada, 'a')).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      message: expect.toSay('changes-computer-no-changes'),
    });
  });

  test.each([
    ['ssh: connect to host h port 22: Connection refused', 'Connection refused'],
    ['git@h: Permission denied (publickey).', 'Permission denied (publickey)'],
    ['No ED25519 host key is known for h.\nHost key verification failed.', 'Host key verification failed'],
    ['remote: \nremote: ====\nremote: ERROR: no such project\nremote: ', 'no such project'],
  ])('that ssh does not reach: %j', async (said, why) => {
    const words = `${said}\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.`;
    process.env.PATH = `${gitOf(`case " $* " in *" ls-remote "*) printf '%s\n' '${words}' >&2; exit 128;; esac`)}:${path}`;
    await expect(made.member('dora').session().read()).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      message: expect.toSay('store-cannot-reached', /ERROR/.test(said) ? 'ERROR: ' : ''),
    });
    await expect(made.member('dora').session().read()).rejects.toThrow(why);
  });

  test('that was asked before, by another address, does not answer for this one', async () => {
    const dora = made.member('dora');
    // Not an operator: only the fetched data is stored.
    await expect(dora.session().read()).rejects.toMatchObject({ code: 'E_STORE_CLOSED' });
    const remote = `file://${made.repository}.other`;
    const other = engineOf(dora.home, { url: `git+${remote}`, remote });
    await expect(other.read()).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
    // Same length, so that only the address itself differs.
    const alike = `file://${made.repository.replace(/t$/, 'x')}`;
    await expect(engineOf(dora.home, { remote: alike }).read()).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
    const branch = engineOf(dora.home, { remote, branch: 'x' });
    await expect(branch.read()).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
  });

  test('that was empty when it was asked has none of what another one had', async () => {
    const cache = newHome();
    expect((await engineOf(cache).read()).files.size).toBeGreaterThan(0);
    const repository = join(newHome(), 'empty.git');
    execFileSync('git', ['init', '--quiet', '--bare', repository]);
    const remote = `file://${repository}`;
    expect((await engineOf(cache, { url: `git+${remote}`, remote }).read()).files.size).toBe(0);
    removeSync(repository);
    await expect(engineOf(cache, { url: `git+${remote}`, remote }).read()).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
    });
  });
});

test('the history is read where git is set to show signatures', async () => {
  await put(made.ada, 'a');
  const key = join(newHome(), 'key');
  ensureDirSync(dirname(key));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const set = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${key}`, '-c', 'user.name=ada', '-c', 'user.email=a@x'];
  const at = ['--git-dir', made.repository, ...set];
  const commit = execFileSync('git', [
    ...at,
    'commit-tree',
    '-S',
    '-m',
    'signed',
    '-p',
    'docker-tls',
    'docker-tls^{tree}',
  ]);
  execFileSync('git', [...at, 'update-ref', 'refs/heads/docker-tls', commit.toString().trim()]);
  const home = newHome();
  ensureDirSync(home);
  const signers = join(home, 'signers');
  writeFileSync(signers, `a@x ${readFileSync(`${key}.pub`, 'utf8')}`);
  const config = `[log]\n\tshowSignature = true\n[gpg]\n\tformat = ssh\n[gpg "ssh"]\n\tallowedSignersFile = ${signers}\n`;
  writeFileSync(join(home, '.gitconfig'), config);
  const before = process.env.HOME;
  process.env.HOME = home;
  const remote = `file://${made.repository}`;
  const listing = listingOf(() => []);
  const cache = join(home, 'cache.git');
  const engine = gitEngine({ url: `git+${remote}`, remote, branch: 'docker-tls', cache, listing });
  await engine.read();
  const entries = await engine.log(commit.toString().trim(), 1);
  process.env.HOME = before;
  expect(entries[0]).toMatchObject({ revision: commit.toString().trim(), subject: 'signed' });
});

test('the name of an author cannot pass for a signature, or for another field', async () => {
  const evil = 'eve\x1fG\x1froot';
  execFileSync('git', ['config', '--file', join(dirname(dirname(made.ada.home)), '.gitconfig'), 'user.name', evil]);
  execFileSync('git', ['config', '--file', join(dirname(dirname(made.ada.home)), '.gitconfig'), 'user.email', 'e@x']);
  const home = process.env.HOME;
  process.env.HOME = dirname(dirname(made.ada.home));
  await put(made.ada, 'a');
  process.env.HOME = home;
  const [entry] = await readLog(made.bob.session(), 1);
  expect(entry).toMatchObject({ who: 'ada (ada@laptop)', lines: [expect.stringContaining('host a: added')] });
  expect(entry?.signedBy).toBe('ada');
  const author = execFileSync('git', ['--git-dir', made.repository, 'log', '-1', '--format=%an', 'docker-tls']);
  expect(author.toString().trim()).toBe(evil);
});

test('a run that is killed at any call of git leaves the old or the new, and nothing that stops the next run', async () => {
  const script = `
    const { openTeamSession, teamStore, sampleHost } = await import(process.argv[1]);
    const [home, url, cwd, name] = process.argv.slice(2);
    const session = openTeamSession({ home, url, cwd, env: { HOME: cwd }, who: 'ada@laptop', now: () => new Date(), note() {} });
    const store = teamStore(session);
    await store.withLock('docker-tls test', () => store.write({ hosts: { [name]: sampleHost(name, 1) } }));
    console.log('end');`;
  const { ada, bob, url } = made;
  const outcomes: string[] = [];
  for (let call = 1; call < 40; call++) {
    // Every other time the call itself still happens.
    const killing = gitOf(`if [ "$n" = ${call} ]; then ${call % 2 ? `${real} "$@"; ` : ''}kill -9 $PPID; exit 1; fi`);
    process.env.PATH = `${killing}:${path}`;
    const name = `host-${call}`;
    const { stdout } = await runChild(script, [bundle, ada.home, url, dirname(dirname(ada.home)), name]).ended;
    process.env.PATH = path;
    const there = (await hostsOf(bob)).includes(name);
    outcomes.push(`${stdout.includes('end') ? 'ended' : 'killed'}, ${there ? 'stored' : 'not stored'}`);
    if (stdout.includes('end')) break;
  }
  await checkTeamStore(bob.session(), false);
  expect(outcomes.at(-1)).toBe('ended, stored');
  expect(new Set(outcomes)).toEqual(new Set(['killed, not stored', 'killed, stored', 'ended, stored']));
});

test('clocks that differ by an hour change nothing: numbers decide, not times', async () => {
  const { ada, bob } = made;
  await put(ada, 'a');
  const hour = 3_600_000;
  const early = teamStore(bob.session(() => new Date(Date.now() - hour)));
  await early.withLock('docker-tls test', () => early.write({ ca: sampleCa(0), removeHosts: ['a'] }));
  await put(ada, 'b');
  expect(await hostsOf(bob)).toEqual(['b']);
  expect(readJsonSync(join(ada.home, 'store.json')).seen.sequence).toBe(5);
});

test('a repository whose objects are damaged: who is new is told so, and the one command puts everything back from a cache', async () => {
  const { ada, bob, repository } = made;
  await put(ada, 'web');
  execFileSync('git', ['--git-dir', repository, 'gc', '-q']);
  const packs = join(repository, 'objects/pack');
  for (const name of readdirSync(packs).filter((each) => each.endsWith('.pack'))) {
    chmodSync(join(packs, name), 0o600);
    truncateSync(join(packs, name), 300);
  }
  const error = await teamStore(bob.session())
    .read()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'E_STORE_UNREACHABLE' });
  expect(String((error as DockerTlsError).hints.at(-1))).toMatch(/damaged.*docker-tls store restore$/);
  removeSync(repository);
  execFileSync('git', ['init', '-q', '--bare', repository]);
  await restoreTeamStore(ada.session());
  expect([...(await teamStore(bob.session()).read()).hosts.keys()]).toEqual(['web']);
});
