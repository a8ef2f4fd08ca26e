/** States without a valid history: trees on other parents, and restores by a machine that saw an older or another line. */

import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { listOperators } from '../../../../src/features/team/store/admin.ts';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import { restoreTeamStore } from '../../../../src/features/team/store/restore-store.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { newHome, removeHomes, sampleCa, sampleClient, sampleHost } from '../../../support/store.ts';
import { enrol, type Member, newTeamAt } from '../support/team.ts';

afterAll(removeHomes);

/** Every repository knows it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const BRANCH = 'refs/heads/docker-tls';
const anna = sampleClient('anna', 0);
const revoked = { anna: { ...anna, record: { ...anna.record, revokedAt: '2026-11-26T10:00:00.000Z' } } };

function git(repository: string, ...args: string[]): string {
  const who = ['-c', 'user.name=m', '-c', 'user.email=m@m'];
  return execFileSync('git', [...who, '--git-dir', repository, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
}

function write(member: Member, change: Parameters<ReturnType<typeof teamStore>['write']>[0]) {
  const store = teamStore(member.session());
  return store.withLock('docker-tls test', () => store.write(change));
}

async function revocationSeenBy(session: Session): Promise<string | undefined> {
  return (await teamStore(session).read()).clients.get('anna')?.record.revokedAt;
}

/** Commit F, with client anna; A, in which ada revoked her; B, four harmless changes by bob, who was shown F. */
async function newFork() {
  const directory = newHome();
  const team = newTeamAt(directory);
  const [ada, bob, carol] = [team.member('ada'), team.member('bob'), team.member('carol')];
  await enrol(ada, bob, carol);
  await write(ada, { ca: sampleCa(0), clients: { anna } });
  await teamStore(bob.session()).read();
  const { repository } = team;
  const show = (commit: string) => git(repository, 'update-ref', BRANCH, commit);
  const head = () => git(repository, 'rev-parse', BRANCH);
  const f = head();
  await write(ada, { clients: revoked });
  const a = head();
  show(f);
  for (const name of ['u', 'v', 'w', 'x']) await write(bob, { hosts: { [name]: sampleHost(name, 1) } });
  const b = head();
  const { signers } = await listOperators(bob.session());
  show(a);
  const graft = (tree: string, ...parents: string[]) =>
    git(repository, 'commit-tree', '-m', 'x', ...parents.flatMap((one) => ['-p', one]), `${tree}^{tree}`);
  /** Empty commits on top of one. */
  const bury = (commit: string, count: number) => {
    const commits = Array.from({ length: count }, () => `commit ${BRANCH}\ncommitter m <m@m> 1 +0000\ndata 1\nx\n`);
    const input = `${commits[0]}from ${commit}\ndeleteall\n${commits.slice(1).join('')}`;
    execFileSync('git', ['--git-dir', repository, 'fast-import', '--quiet', '--force'], { input });
  };
  /** A commit on top of one, with sibling commits that have its files and one more, each different. */
  const beside = (commit: string, count: number) => {
    const tree = git(repository, 'rev-parse', `${commit}^{tree}`);
    const made = Array.from({ length: count }, (_, at) => {
      const head = `commit refs/beside\nmark :${at + 1}\ncommitter m <m@m> 4000000000 +0000\ndata 1\nx\n`;
      return `${head}from ${commit}^0~1\nM 040000 ${tree} \nM 100644 inline x\ndata <<.\n${at}\n.\n`;
    });
    const marks = join(newHome(), 'marks');
    const options = ['--quiet', '--force', `--export-marks=${marks}`];
    execFileSync('git', ['--git-dir', repository, 'fast-import', ...options], { input: made.join('') });
    const siblings = readFileSync(marks, 'utf8').match(/[0-9a-f]{40,}/g) ?? [];
    return graft(EMPTY_TREE, commit, ...siblings);
  };
  const options = { env: carol.env, cwd: carol.home, who: 'carol@runner', now: () => new Date(), note: () => {} };
  const runner = (query = '') =>
    openTeamSession({ ...options, home: newHome(), url: `git+file://${repository}${query}` }) as Session;
  const pristine = newHome();
  cpSync(directory, pristine, { recursive: true });
  const reset = () => {
    rmSync(directory, { recursive: true });
    cpSync(pristine, directory, { recursive: true });
  };
  return { ...team, ...{ ada, bob, carol, show, head, graft, bury, beside, runner, f, a, b, signers, reset } };
}

let fork: ReturnType<typeof newFork> | undefined;

/** The fork as it was made: server and members, put back for each test, since its making takes as many calls of git as the tests. */
async function forked() {
  fork ??= newFork();
  const made = await fork;
  made.reset();
  return made;
}

const REFUSED = {
  code: 'E_STORE_TAMPERED',
  exit: 2,
  message: expect.stringContaining('another commit before this one'),
};

describe('a tree on a parent that its manifest does not name', () => {
  test('by the server: a fork on top of what revoked a client is refused, also by a runner that knows nothing', async () => {
    const { ada, runner, show, graft, a, b, signers } = await forked();
    for (const commit of [graft(b, a), graft(b, a, b), graft(b, `${b}^`, a)]) {
      show(commit);
      await expect(revocationSeenBy(ada.session())).rejects.toMatchObject(REFUSED);
      for (const query of ['', `?key=${signers}`])
        await expect(revocationSeenBy(runner(query))).rejects.toMatchObject(REFUSED);
    }
    // Further down, the following commits name another commit as well.
    const below = graft(`${b}^`, a);
    show(graft(b, below));
    await expect(revocationSeenBy(ada.session())).rejects.toMatchObject(REFUSED);
  });

  test('by a push alone: the state from before, as the newest, is refused by a runner that knows nothing', async () => {
    const { runner, show, graft, f, a, signers } = await forked();
    show(graft(f, a));
    for (const query of ['', `?key=${signers}`])
      await expect(revocationSeenBy(runner(query))).rejects.toMatchObject(REFUSED);
  });
});

describe('what a computer may put back', () => {
  test('a rewound branch, by who has seen more of the same line', async () => {
    const { ada, runner, show, f } = await forked();
    show(f);
    await expect(revocationSeenBy(ada.session())).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      message: expect.toSay('older-state-computer-seen'),
      hints: expect.arrayContaining([expect.stringContaining('docker-tls store restore')]),
    });
    await restoreTeamStore(ada.session());
    for (const session of [ada.session(), runner()])
      expect(await revocationSeenBy(session)).toBe(revoked.anna.record.revokedAt);
  });

  test('rubbish on top of what others did: their newest state, also by who has not seen it', async () => {
    const { ada, runner, show, head, graft, f, a } = await forked();
    show(f);
    const late = runner();
    await teamStore(late).read();
    for (const rubbish of [graft(f, a), graft(EMPTY_TREE, graft(EMPTY_TREE, a)), graft(EMPTY_TREE, f, a)]) {
      show(rubbish);
      late.forget();
      await expect(revocationSeenBy(late)).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
      await restoreTeamStore(late);
      late.forget();
      for (const session of [late, ada.session(), runner()])
        expect(await revocationSeenBy(session)).toBe(revoked.anna.record.revokedAt);
      expect(head()).not.toBe(rubbish);
    }
  });

  test('nothing over a line of commits that it has not seen, unless it is told to', async () => {
    const { ada, bob, runner, show, head, graft, a, b, repository } = await forked();
    // The valid line, for a reader who saw the other one; and under an unsigned head.
    for (const shown of [a, graft(a, b)]) {
      show(shown);
      const error = await revocationSeenBy(bob.session()).catch((caught) => caught);
      expect(error.code).toBe(shown === a ? 'E_STORE_OLDER' : 'E_STORE_TAMPERED');
      if (shown === a) {
        expect(error.details.join()).toSay(
          'store-commit-seen-commit',
          '5',
          'ada',
          'ada@laptop',
          '8',
          'bob',
          'bob@laptop',
        );
        expect(error.hints.join()).not.toContain('docker-tls');
        // Its suggested command works, and changes nothing.
        expect(execFileSync('sh', ['-c', error.hints[0]], { encoding: 'utf8' })).toSay('docker-tls-test-host');
      }
      const refused = await restoreTeamStore(bob.session()).catch((caught) => caught);
      expect(refused).toMatchObject({ code: 'E_STORE_OLDER', message: expect.stringContaining('has not seen') });
      expect(refused.hints.join()).not.toMatch(/docker-tls|restore|accept/);
      expect(head()).toBe(shown);
    }
    // With an explicit restore it succeeds; a reader of the other line refuses the result.
    await restoreTeamStore(bob.session(), true);
    await expect(revocationSeenBy(ada.session())).rejects.toMatchObject({ code: 'E_STORE_OLDER' });
    await restoreTeamStore(ada.session(), true);
    expect(await revocationSeenBy(runner())).toBe(revoked.anna.record.revokedAt);
    expect(git(repository, 'fsck', '--no-dangling')).toBe('');
  });

  test('below any number of empty commits', async () => {
    const { ada, runner, show, f, a, bury } = await forked();
    show(f);
    const late = runner();
    await teamStore(late).read();
    bury(a, 600);
    const asked: number[] = [];
    await restoreTeamStore(late, false, async ({ sequence }) => {
      asked.push(sequence);
    });
    expect(asked).toEqual([5]);
    late.forget();
    for (const session of [late, ada.session()])
      expect(await revocationSeenBy(session)).toBe(revoked.anna.record.revokedAt);
  });

  test('beside any number of commits that show the newest list with other files, on the same parent and of a later date', async () => {
    const { ada, runner, show, f, a, beside } = await forked();
    show(f);
    const late = runner();
    await teamStore(late).read();
    show(beside(a, 501));
    await restoreTeamStore(late);
    late.forget();
    for (const session of [late, ada.session()])
      expect(await revocationSeenBy(session)).toBe(revoked.anna.record.revokedAt);
  });

  test('its own state continues the one that it puts back, and not the history of what it replaces', async () => {
    const { ada, runner, show, f, a, bury } = await forked();
    show(f);
    const late = runner();
    await teamStore(late).read();
    // The revoking commit is below more rubbish than docker-tls searches.
    bury(a, 13_000);
    await expect(restoreTeamStore(late)).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      message: expect.stringContaining('than docker-tls reads'),
    });
    await restoreTeamStore(late, true);
    const writing = teamStore(late);
    await writing.withLock('docker-tls test', () => writing.write({ hosts: { y: sampleHost('y', 1) } }));
    await expect(revocationSeenBy(ada.session())).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      message: expect.toSay('do-not-build'),
    });
  });
});
