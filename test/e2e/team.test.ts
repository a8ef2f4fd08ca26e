/** Two operators at computers of their own, one repository, one real host: what one does the other has, also where both do it at once. */

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrol, type Member, newTeam } from '../features/team/support/team.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { removeHomes } from '../support/store.ts';

const team = newTeam();
const [ada, bob, runner, late] = [team.member('ada'), team.member('bob'), team.member('runner'), team.member('late')];
let host: LabHost;

beforeAll(async () => {
  [host] = (await labUp({ names: ['team-t1'] })) as [LabHost];
  await enrol(ada, bob, runner, late);
});
afterAll(async () => {
  await host?.down();
  removeHomes();
});

function as({ env, home, name }: Member, ...argv: string[]): Promise<CliRun> {
  const HOME = env.HOME ?? '/';
  return runCli([...argv, '--store', team.url, '--home', home], {
    env: { HOME, PATH: process.env.PATH },
    cwd: HOME,
    operator: `${name}@laptop`,
  });
}

/** What the host serves, and what the store says that it serves. */
async function served(member: Member): Promise<{ drift: string[]; exit: number }> {
  const { exit, json } = await as(member, 'status', '--json', '--check');
  const rows: { kind: string; drift?: string[] }[] = json.result?.rows ?? [];
  return { exit, drift: rows.find(({ kind }) => kind === 'host')?.drift ?? ['no row'] };
}

test('what one operator sets up, the other verifies, rotates and revokes; at once, too', async () => {
  const login = ['-i', host.keyFile, '--host-key', 'accept-new'];
  const setup = [
    'setup',
    `root@${host.address}`,
    '--name',
    'web',
    ...login,
    '--no-ca-passphrase',
    '--no-context',
    '--yes',
  ];
  expect((await as(ada, ...setup, '--client', 'ada')).err).toContain('done');
  expect((await as(ada, 'client', 'add', 'eve', '--yes')).exit).toBe(0);
  // Bob logs in with a key of his own; which one is a matter of his computer.
  expect((await as(bob, 'apply', 'web', ...login, '--yes', '--json')).exit).toBe(0);
  expect(await served(bob)).toEqual({ drift: [], exit: 0 });

  const both = await Promise.all([ada, bob].map((one) => as(one, 'rotate', 'server', 'web', '--yes', '--json')));
  expect(both.map(({ exit }) => exit)).toContain(0);
  for (const { exit, json } of both)
    if (exit !== 0) expect(JSON.stringify(json)).toMatch(/E_HOST_LOCKED|E_STORE_CHANGED/);
  for (const one of [ada, bob]) expect(await served(one)).toEqual({ drift: [], exit: 0 });

  // Bob's run planned before eve was revoked, or after: in no order is she accepted again.
  const [revoked] = await Promise.all([
    as(ada, 'client', 'revoke', 'eve', '--yes', '--json'),
    as(bob, 'rotate', 'server', 'web', '--yes', '--json'),
  ]);
  if (revoked.exit !== 0) expect((await as(ada, 'apply', 'web', '--yes')).exit).toBe(0);
  const { json } = await as(bob, 'client', 'list', '--json');
  const eve = json.result.clients.find(({ name }: { name: string }) => name === 'eve');
  expect([eve.state, eve.hosts]).toEqual(['revoked', []]);
  expect(await served(bob)).toEqual({ drift: [], exit: 0 });
  const trusted = (await host.must('cat /etc/docker/tls/current/ca.pem')).split(/(?<=-----END CERTIFICATE-----\n)/);
  expect(trusted.filter((pem) => pem.includes('BEGIN')).map((pem) => new X509Certificate(pem).subject)).not.toEqual(
    expect.arrayContaining([expect.stringContaining('eve')]),
  );

  // Whoever came second in both races has changed nothing so far.
  expect((await as(bob, 'rotate', 'server', 'web', '--yes')).exit).toBe(0);
  const log = (await as(bob, 'log', '--json')).json.result.entries as { who: string; lines: string[] }[];
  expect(log.flatMap(({ who, lines }) => lines.map((line) => `${who}: ${line}`))).toEqual(
    expect.arrayContaining([
      expect.toSay('host-added-generation', 'ada', 'ada@laptop', 'web', '1'),
      expect.toSay('client-revoked', 'ada', 'ada@laptop', 'eve'),
      expect.stringMatching(/^bob \(bob@laptop\): host web: /),
    ]),
  );
}, 120_000);

test('a runner that sees the store for the first time learns from the host that it was restored from an old backup', async () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['--git-dir', team.repository, ...args], { encoding: 'utf8' }).trim();
  const old = git('rev-parse', 'docker-tls');
  expect((await as(bob, 'rotate', 'server', 'web', '--yes')).exit).toBe(0);
  const before = await host.must('cat /var/lib/docker-tls/state.json');
  // The host keeps the commit that has its change, not the one from which it was planned.
  expect(JSON.parse(before).store).toEqual({
    ...{ id: expect.stringMatching(/^[0-9a-f]{32}$/), number: expect.any(Number) },
    hash: git('rev-parse', 'docker-tls'),
  });
  git('update-ref', 'refs/heads/docker-tls', old);
  const apply = ['apply', 'web', '-i', host.keyFile, '--host-key', 'accept-new', '--yes', '--json'];
  const refused = await as(runner, ...apply);
  expect([refused.exit, JSON.stringify(refused.json)]).toEqual([4, expect.stringContaining('E_HOST_NEWER')]);
  expect(JSON.stringify(refused.json)).toContain('docker-tls store restore');
  expect(await host.must('cat /var/lib/docker-tls/state.json')).toBe(before);
  // Another operator goes on from the old state: the store has as many commits as the host has seen, and other ones.
  for (const name of ['zoe', 'zed']) {
    const { recipient } = team.member(name);
    expect((await as(late, 'operator', 'add', name, recipient, '--without-ca')).exit).toBe(0);
  }
  const forked = await as(late, ...apply);
  expect([forked.exit, JSON.stringify(forked.json)]).toEqual([4, expect.stringContaining('E_HOST_FORKED')]);
  expect(await host.must('cat /var/lib/docker-tls/state.json')).toBe(before);
  git('update-ref', 'refs/heads/docker-tls', old);
  // Where the newer state is lost for good.
  expect((await as(runner, ...apply, '--take-over', '--dry-run')).exit).toBe(0);
  expect((await as(bob, 'store', 'restore', '--yes')).exit).toBe(0);
  expect((await as(runner, ...apply)).exit).toBe(0);
  expect(await served(runner)).toEqual({ drift: [], exit: 0 });
  const witnessed = await as(runner, 'store', 'check', '--witness', 'hosts', '--json');
  expect(witnessed.json.result.witnesses).toMatchObject([{ witness: 'web', line: 'continues' }]);
  // Bob's computer has not met the host's SSH key: it is in the record.
  expect((await as(bob, 'plan', 'web', '-i', host.keyFile, '--json')).json.error).toBeUndefined();
}, 120_000);
