import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { offeredCommands } from '../../../../src/core/seams/offered-commands.ts';
import { buildProgram, runCli } from '../../../support/cli.ts';
import { picture, removeHomes } from '../../../support/store.ts';
import { type Member, newTeam } from '../support/team.ts';

afterAll(removeHomes);

const NOW = new Date('2026-11-26T12:00:00Z');

function as({ env, home, name }: Member, ...argv: string[]) {
  const operator = `${name}@laptop`;
  return runCli([...argv, '--home', home], { env: { HOME: env.HOME }, cwd: env.HOME ?? '/', operator, now: () => NOW });
}

test('a directory becomes the store of a team, and its operators come and go', async () => {
  const { url, repository, member } = newTeam();
  const [ada, bob, carol] = [member('ada'), member('bob'), member('carol')];
  for (const argv of [
    ['ca', 'create', '--no-ca-passphrase'],
    ['client', 'add', 'ada'],
    ['client', 'add', 'carol'],
  ])
    expect((await as(ada, ...argv, '--yes')).exit).toBe(0);
  const refused = await as(ada, 'operator', 'list', '--json');
  expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_USAGE']);
  expect((await as(ada, 'status', '--store', url, '--json')).json.error).toMatchObject({ code: 'E_STORE_OTHER' });

  const before = picture(ada.home);
  expect((await as(ada, 'store', 'copy', '--to', url, '--dry-run')).exit).toBe(0);
  expect(existsSync(`${ada.home}.team`)).toBe(false);
  const copied = await as(ada, 'store', 'copy', '--to', url);
  expect([copied.exit, copied.out]).toEqual([0, expect.toSay('copied-hosts-clients', '0', '2')]);
  expect(picture(ada.home)).toEqual(before);
  const again = await as(ada, 'store', 'copy', '--to', url, '--json');
  expect(again.json.error).toMatchObject({
    code: 'E_STORE_OTHER',
    hints: [expect.toSay('copy-before-set-aside', ada.home)],
  });
  renameSync(ada.home, `${ada.home}.before`);
  renameSync(`${ada.home}.team`, ada.home);

  // The directory now knows its store.
  const closed = await as(bob, 'status', '--store', url, '--json');
  expect(closed.json.error).toMatchObject({
    code: 'E_STORE_CLOSED',
    hints: [expect.stringContaining(bob.recipient.split(' ')[1] as string)],
  });
  expect((await as(ada, 'operator', 'add', 'bob', bob.recipient, '--dry-run')).exit).toBe(0);
  expect((await as(bob, 'status', '--store', url, '--json')).exit).toBe(2);
  const other = await as(ada, 'operator', 'add', 'bob', bob.recipient);
  expect([other.exit, other.out]).toEqual([0, expect.toSay('on-that-computer', url)]);
  const file = join(dirname(ada.home), 'carol.pub');
  mkdirSync(dirname(file), { recursive: true });
  execFileSync('cp', [join(carol.env.HOME ?? '', '.ssh/id_ed25519.pub'), file]);
  const added = await as(ada, 'operator', 'add', 'carol', file, '--without-ca', '--client', 'carol');
  expect(added.out).toSay('verify-but-not-open', 'carol');
  writeFileSync(file, `# the team\n${bob.recipient}\n\n${carol.recipient} carol@laptop\n`);
  const several = await as(ada, 'operator', 'add', 'dora', file, '--json');
  expect(several.json.error).toMatchObject({ code: 'E_RECIPIENT', message: expect.stringContaining('several keys') });
  const shown = await as(ada, 'store', 'export', '--recipient', file, '--out', `${file}.age`, '--json');
  expect(shown.json.result.recipients).toBe(2);
  const directory = await as(ada, 'store', 'export', '--recipient', dirname(file), '--out', `${file}.2.age`, '--json');
  expect(directory.json.error?.code).toBe('E_FILE');
  const { json } = await as(bob, 'operator', 'list', '--store', url, '--json');
  expect(json.result.operators.map((one: { name: string; ca: boolean }) => [one.name, one.ca])).toEqual([
    [expect.any(String), true],
    ['bob', true],
    ['carol', false],
  ]);

  expect((await as(carol, 'client', 'list', '--store', url)).exit).toBe(0);
  expect(readFileSync(join(carol.home, 'clients/carol/key.pem'), 'utf8')).toContain('PRIVATE KEY');
  expect(existsSync(join(carol.home, 'clients/ada'))).toBe(false);
  const tried = await as(carol, 'client', 'add', 'mallory', '--yes', '--json');
  expect(tried.json.error?.code).toBe('E_STORE_READ_ONLY');
  expect((await as(bob, 'client', 'add', 'dora', '--yes')).exit).toBe(0);

  // Without consent nothing changes: the branch stays where it was.
  const head = () => execFileSync('git', ['--git-dir', repository, 'rev-parse', 'docker-tls'], { encoding: 'utf8' });
  const untouched = head();
  for (const argv of [
    ['operator', 'remove', 'carol'],
    ['store', 'check', '--accept'],
  ])
    expect((await as(bob, ...argv, '--json')).json.error?.code).toBe('E_NO_TERMINAL');
  for (const argv of [
    ['operator', 'remove', 'carol'],
    ['operator', 'add', 'x', member('xenia').recipient],
    ['store', 'restore'],
  ])
    expect((await as(bob, ...argv, '--yes', '--dry-run', '--json')).exit).toBe(0);
  expect(head()).toBe(untouched);

  const removed = await as(bob, 'operator', 'remove', 'carol', '--yes', '--json');
  expect(removed.json.result).toMatchObject({ removed: 'carol', rotate: [] });
  expect((await as(carol, 'status', '--json')).json.error?.code).toBe('E_STORE_CLOSED');
  const planned = await as(ada, 'operator', 'remove', 'bob', '--dry-run', '--json');
  expect(planned.json.result).toMatchObject({ rotate: ['ca'], passphrase: false });
  const gone = await as(ada, 'operator', 'remove', 'bob', '--yes');
  expect(gone.out).toSay('can-still-read-their', 'bob');
  expect(/new CA.*rotate ca/.test(gone.out)).toBe(offeredCommands('new CA').length > 0);

  const log = await as(ada, 'log', '--json');
  expect(log.json.result.entries[1]).toMatchObject({
    who: 'bob (bob@laptop)',
    lines: [expect.toSay('operator-removed-everything-encrypted', 'carol')],
  });
  expect((await as(ada, 'log')).out).toContain('client dora: added');
  expect((await as(ada, 'store', 'check')).out).toContain('is whole');

  // A restored old state: refused, and repaired by one command.
  execFileSync('git', ['--git-dir', repository, 'update-ref', 'refs/heads/docker-tls', 'docker-tls~2']);
  expect((await as(ada, 'status', '--json')).json.error?.code).toBe('E_STORE_OLDER');
  const rewound = head();
  const unasked = await as(ada, 'store', 'restore', '--json');
  expect([unasked.json.error?.code, head()]).toEqual(['E_NO_TERMINAL', rewound]);
  expect((await as(ada, 'store', 'restore', '--yes')).exit).toBe(0);
  expect((await as(ada, 'status', '--json')).exit).toBe(0);
  expect((await as(ada, 'store', 'restore', '--yes')).out).toContain('has lost nothing');

  const archive = join(dirname(ada.home), 'store.tar.age');
  expect((await as(ada, 'store', 'export', '--out', archive)).exit).toBe(0);
  const tar = execFileSync('age', ['-d', '-i', join(ada.env.HOME ?? '', '.ssh/id_ed25519'), archive]);
  const names = execFileSync('tar', ['-t'], { input: tar, encoding: 'utf8' }).trim().split('\n');
  expect(names).toEqual(expect.arrayContaining(['ca/ca-key.pem', 'clients/dora/key.pem', 'store.json']));
});

test('a copy into a shared store is one commit, with all operators: it is there whole or not at all', async () => {
  const { url, member } = newTeam();
  const [ada, bob, carol] = [member('ada'), member('bob'), member('carol')];
  const done = async (...argv: string[]) => expect((await as(ada, ...argv)).exit, argv.join(' ')).toBe(0);
  await done('operator', 'add', 'ada', '--store', url);
  await done('ca', 'create', '--no-ca-passphrase', '--yes');
  for (const name of ['carol', 'left']) await done('client', 'add', name, '--yes');
  await done('operator', 'add', 'bob', bob.recipient);
  await done('operator', 'add', 'carol', carol.recipient, '--without-ca', '--client', 'carol');

  const other = newTeam();
  const hook = join(other.repository, 'hooks/pre-receive');
  const refs = () => execFileSync('git', ['--git-dir', other.repository, 'for-each-ref'], { encoding: 'utf8' });
  writeFileSync(hook, '#!/bin/sh\necho "no changes on Sunday" >&2\nexit 1\n', { mode: 0o755 });
  const refused = await as(ada, 'store', 'copy', '--to', other.url, '--json');
  expect(refused.json.error).toMatchObject({ code: 'E_STORE_UNREACHABLE' });
  expect([refs(), existsSync(`${ada.home}.team`)]).toEqual(['', false]);

  // It accepts one push.
  writeFileSync(hook, '#!/bin/sh\n[ ! -e pushed ] && touch pushed\n', { mode: 0o755 });
  await done('store', 'copy', '--to', other.url);
  const operators = async (who: Member) => {
    const { json } = await as(who, 'operator', 'list', '--json');
    return json.result.operators.map(({ addedAt: _, ...one }: { addedAt: string }) => one);
  };
  const there = { ...ada, home: `${ada.home}.team` };
  expect(await operators(there)).toEqual(await operators(ada));
  const log = await as(there, 'log', '--json');
  expect(log.json.result.entries).toEqual([
    expect.objectContaining({
      lines: expect.arrayContaining(['operator carol: added', expect.stringContaining('client left: added')]),
    }),
  ]);
  rmSync(`${ada.home}.team`, { recursive: true });
  const again = await as(ada, 'store', 'copy', '--to', other.url, '--json');
  expect(again.json.error).toMatchObject({
    code: 'E_STORE_OTHER',
    hints: [
      expect.toSay('interrupted-copy-stored-whole', '--home', ada.home, '--store', other.url),
      `docker-tls --home ${ada.home} store copy --to OTHER`,
    ],
  });
  expect((await as(there, 'status', '--store', other.url)).exit).toBe(0);
});

test.runIf(FLEET_FILES.all.length > 0)(
  'git gets no secret that the fleet file takes from the environment; a fleet file that cannot be read is named',
  async () => {
    const { url, member } = newTeam();
    const ada = member('ada');
    expect((await as(ada, 'operator', 'add', 'ada', '--store', url)).exit).toBe(0);
    const directory = dirname(ada.home);
    const seen = join(directory, 'seen');
    const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin/git'), `#!/bin/sh\nenv >>'${seen}'\nexec '${real}' "$@"\n`, { mode: 0o755 });
    const file = join(directory, 'fleet.yaml');
    const fleet =
      '# not env:TEAM_TEST_OTHER\nversion: 1\nca: { passphrase: "env:TEAM_TEST_PASSPHRASE" }\nhosts:\n  web: { ssh: root@127.0.0.1 }\n';
    writeFileSync(file, fleet);
    const program = buildProgram();
    const env = {
      ...{ HOME: ada.env.HOME, PATH: `${join(directory, 'bin')}:${process.env.PATH}` },
      ...{ TEAM_TEST_PASSPHRASE: 'correct horse', TEAM_TEST_OTHER: 'stays' },
    };
    for (const from of [file, '-']) {
      rmSync(seen, { force: true });
      await program.run(['plan', '-f', from, '--home', ada.home], { env, cwd: directory, input: fleet });
      expect(readFileSync(seen, 'utf8'), from).toContain('GIT_TERMINAL_PROMPT=0');
      expect(readFileSync(seen, 'utf8'), from).toContain('TEAM_TEST_OTHER=stays');
      expect(readFileSync(seen, 'utf8'), from).not.toContain('correct horse');
    }
    program.remove();

    const unread = await as(ada, 'plan', '-f', directory, '--json');
    expect(unread.json.error).toMatchObject({ code: 'E_FLEET', message: expect.stringContaining('cannot be read') });
  },
);

test.runIf(FLEET_FILES.all.length > 0)(
  'no program gets the secrets of a fleet file or of an address, whatever the store is and whether the run needs them or not',
  async () => {
    const ada = newTeam().member('ada');
    const directory = ada.env.HOME ?? '';
    const file = join(directory, 'secrets.yaml');
    const host = 'web: { ssh: root@127.0.0.1, sudo-password: "env:SECRET_SUDO" }';
    writeFileSync(file, `version: 1\nca: { passphrase: "env:SECRET_CA" }\nhosts:\n  ${host}\n`);
    const names = ['SECRET_SUDO', 'SECRET_CA', 'SECRET_ETCD'];
    for (const name of names) process.env[name] = 'correct horse';
    await as({ ...ada, home: join(directory, 'plain') }, 'status', '-f', file, '--offline');
    const etcd = 'etcd://127.0.0.1:1/x?tls=off&user=ada&password=env%3ASECRET_ETCD';
    await as({ ...ada, home: join(directory, 'other') }, 'status', '--offline', '--store', etcd);
    expect(names.filter((name) => name in process.env)).toEqual([]);
  },
);
