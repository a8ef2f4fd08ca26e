/** A fleet of real hosts of all generations: three in trouble, fixed later; two runs side by side; Ctrl-C; keys that never travel (issue 4). */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, finished, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labPassword, labUp, type Suite, suites } from '../support/lab.ts';

/** All are changed at once, be it nine or the twenty of the issue: `--parallel` is 20 on two cores. */
const COUNT = Number(process.env.FLEET_HOSTS ?? 9);
const words = 'open sesame';
let directory: string;
let program: Program;
const hosts: LabHost[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-fleet-'));
  program = buildProgram();
  const names = (suite: Suite, index: number) =>
    Array.from({ length: COUNT }, (_, number) => number)
      .filter((number) => number % suites.length === index)
      .map((number) => `fleet-${suite}-${number}`);
  for (const [index, suite] of suites.entries()) hosts.push(...(await labUp({ names: names(suite, index), suite })));
  writeFileSync(
    join(directory, 'fleet.yaml'),
    [
      'version: 1',
      'ca: { passphrase: "env:FLEET_CA_WORDS" }',
      'defaults:',
      `  ssh: { user: root, host-key: accept-new, identities: [${hosts[0]?.keyFile}] }`,
      'hosts:',
      ...hosts.map((host, index) =>
        index === 1
          ? `  ${host.name}: { ssh: { destination: ${host.address}, user: pat }, sudo-password: "env:FLEET_SUDO_WORDS" }`
          : `  ${host.name}: { ssh: { destination: ${host.address} }, keys: ${index % 2 === 0 ? 'host' : 'store'} }`,
      ),
      'clients:',
      '  ci:',
      `  laptop: { hosts: [${hosts[0]?.name}] }`,
    ].join('\n'),
  );
}, 400_000);

afterAll(async () => {
  for (const host of hosts) await host.down();
  program?.remove();
  rmSync(directory, { recursive: true, force: true });
}, 200_000);

const env = () => ({
  ...process.env,
  HOME: directory,
  FLEET_CA_WORDS: words,
  FLEET_SUDO_WORDS: labPassword,
  SSH_AUTH_SOCK: '',
});

function cli(...argv: string[]): Promise<ProgramRun> {
  return program.run([...argv, '-f', join(directory, 'fleet.yaml'), '--home', join(directory, 'tls')], { env: env() });
}

type Row = { host: string; result: string; changed?: boolean; errors?: { code: string; exit: number }[] };

function rows(run: ProgramRun): Map<string, Row> {
  const found: Row[] = JSON.parse(run.out).result.hosts;
  return new Map(found.map((row) => [row.host, row]));
}

const broken = () => hosts.slice(-3) as [LabHost, LabHost, LabHost];
/** Of those that log in as root: other commands do not read the fleet file's passwords. */
const four = () => hosts.filter((_, index) => index !== 1).slice(0, 4);
const pids = () => Promise.all(hosts.slice(0, -3).map((host) => host.must('systemctl show -P MainPID docker.service')));

test('three hosts in trouble are their own affair, and the next run fixes what was fixed', async () => {
  const [taken, refuses, away] = broken();
  await taken.must(
    'printf "[Socket]\\nListenStream=2376\\nAccept=yes\\n" >/run/systemd/system/squat.socket; printf "[Service]\\nExecStart=/bin/cat\\nStandardInput=socket\\n" >/run/systemd/system/squat@.service; systemctl daemon-reload; systemctl start squat.socket',
  );
  // The daemon's own start refuses once the new configuration is there: not found out before.
  await refuses.must(
    'mkdir -p /run/systemd/system/docker.service.d; printf "[Service]\\nExecStartPre=/bin/sh -c \\"! test -e /etc/docker/tls/current\\"\\n" >/run/systemd/system/docker.service.d/refuse.conf; systemctl daemon-reload',
  );
  await away.cut();

  const check = await cli('plan', '--check', '--json');
  expect(check.status).toBe(4);
  expect(
    await hosts[0]?.must('ls -d /etc/docker/tls /run/docker-tls-key-* /var/lib/docker-tls 2>/dev/null | wc -l'),
  ).toBe('0');

  const first = await cli('apply', '--yes', '--json', '--log', join(directory, 'log'));
  const done = rows(first);
  for (const host of hosts.slice(0, -3))
    expect(done.get(host.name), first.err).toMatchObject({ result: 'ok', changed: true });
  expect(done.get(taken.name)?.errors?.[0]).toMatchObject({ code: 'E_PORT_TAKEN', exit: 4 });
  expect(done.get(refuses.name)?.errors?.[0]).toMatchObject({ code: 'E_DAEMON_START', exit: 5 });
  expect(done.get(away.name)?.errors?.[0]?.exit).toBe(4);
  expect(first.status).toBe(5);
  expect(await refuses.must('systemctl is-active docker.service; ls /etc/docker/tls 2>/dev/null | wc -l')).toBe(
    'active\n0',
  );
  const log = readFileSync(join(directory, 'log'), 'utf8');
  expect(log).toMatch(/^20\S+Z \S+: connect$/m);
  expect(log).not.toMatch(new RegExp(`${words}|${labPassword}|PRIVATE KEY`));

  await taken.must('systemctl stop squat.socket');
  await refuses.must('rm /run/systemd/system/docker.service.d/refuse.conf; systemctl daemon-reload');
  const before = await pids();
  const second = await cli('apply', '--yes', '--json');
  expect(second.status, second.err).toBe(4);
  const again = rows(second);
  for (const host of hosts.slice(0, -3)) expect(again.get(host.name)).toMatchObject({ result: 'ok', changed: false });
  for (const host of [taken, refuses]) expect(again.get(host.name)).toMatchObject({ result: 'ok', changed: true });
  expect(await pids()).toEqual(before);

  await away.fix();
  const third = await cli('apply', '--yes', '--limit', away.name, '--json');
  expect(third.status, third.err).toBe(0);
  const idle = await cli('plan', '--check', '--json');
  expect(idle.status, idle.out).toBe(0);
}, 400_000);

test('a key that its host made never travels, stays as long as it fits, and is alone on the host', async () => {
  const host = hosts[0] as LabHost;
  const key = () => host.must('cat /etc/docker/tls/current/server-key.pem | sha256sum');
  expect(await host.must('stat -L -c %a:%U /etc/docker/tls/current /etc/docker/tls/current/server-key.pem')).toBe(
    '700:root\n400:root',
  );
  expect(await host.must('ls -d /run/docker-tls-key-* 2>/dev/null | wc -l')).toBe('0');
  expect(() => readFileSync(join(directory, 'tls/hosts', host.name, 'server-key.pem'))).toThrow(/ENOENT/);
  const before = await key();
  expect((await cli('apply', host.name, '--yes')).status).toBe(0);
  expect(await key()).toBe(before);
  const rotated = await program.run(['rotate', 'server', host.name, '--yes', '--home', join(directory, 'tls')], {
    env: { ...env(), DOCKER_TLS_CA_PASSPHRASE: words },
  });
  expect(rotated.status, rotated.err).toBe(0);
  expect(await key()).not.toBe(before);
  expect(await host.must('ls -d /run/docker-tls-key-* 2>/dev/null | wc -l')).toBe('0');
}, 120_000);

test('a client that the file revokes is rejected where it was accepted, and nowhere else anything happens', async () => {
  const file = join(directory, 'fleet.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/laptop: .*/, 'laptop: { revoked: true }'));
  const names = [hosts[0], hosts[1]].map((host) => (host as LabHost).name);
  const run = await cli('apply', ...names, '--yes', '--json');
  expect(run.status, run.err).toBe(0);
  expect([...rows(run).values()].map(({ changed }) => changed)).toEqual([true, false]);
  const [row] = JSON.parse(run.out).result.hosts;
  expect(row.checks).toContainEqual(expect.objectContaining({ who: 'revoked client laptop', ok: true }));
}, 120_000);

test('two parts of a split run share a new store and nothing else', async () => {
  const few = four().map((host) => host.name);
  for (const name of few)
    expect(
      (await program.run(['remove', name, '--yes', '--home', join(directory, 'tls')], { env: env() })).status,
    ).toBe(0);
  const home = join(directory, 'split');
  const part = (shard: string) =>
    program.run(
      ['apply', ...few, '-f', join(directory, 'fleet.yaml'), '--home', home, '--shard', shard, '--yes', '--json'],
      { env: { ...env(), DOCKER_TLS_CA_PASSPHRASE: words } },
    );
  const runs = await Promise.all([part('1/2'), part('2/2')]);
  for (const run of runs) expect(run.status, run.err).toBe(0);
  expect(runs.flatMap((run) => [...rows(run).keys()]).sort()).toEqual([...few].sort());
  const idle = await program.run(['plan', ...few, '-f', join(directory, 'fleet.yaml'), '--home', home, '--check'], {
    env: env(),
  });
  expect(idle.status, idle.out).toBe(0);
}, 240_000);

test('Ctrl-C takes back what is half done, and begins nothing further', async () => {
  const few = four().map((host) => host.name);
  const home = join(directory, 'split');
  const child = program.start(
    ['rotate', 'server', ...few, '--yes', '--json', '--home', home, '--parallel', '2', '-v'],
    {
      env: { ...env(), DOCKER_TLS_CA_PASSPHRASE: words },
    },
  );
  let said = '';
  let stopped = false;
  child.stderr?.on('data', (chunk) => {
    said += chunk;
    // Once: a second one would be taken for impatience.
    if (/: restart\n/.test(said) && !stopped) {
      stopped = true;
      child.kill('SIGINT');
    }
  });
  const run = await finished(child);
  expect(run.status, run.err).toBe(130);
  for (const host of four())
    expect(await host.must('systemctl is-active docker.service; ls /var/lib/docker-tls/txn 2>/dev/null | wc -l')).toBe(
      'active\n0',
    );
  const after = await program.run(
    ['plan', ...few, '-f', join(directory, 'fleet.yaml'), '--home', home, '--check', '--json'],
    { env: env() },
  );
  expect([0, 3]).toContain(after.status);
  expect((await program.run(['verify', ...few, '--home', home], { env: env() })).status).toBe(0);
}, 240_000);
