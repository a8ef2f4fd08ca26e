/** What `status` and `doctor` find on a real host, also by a fleet file, and a renewal where host and computer are an hour apart. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliRun, runCli } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';

const HOUR_MS = 3_600_000;
let host: LabHost;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-status-'));
  [host] = (await labUp({ names: ['stat-t1'] })) as [LabHost];
  const login = ['-i', host.keyFile, '--host-key', 'accept-new', '--no-ca-passphrase', '--client', 'laptop'];
  expect((await run(['setup', `root@${host.address}`, '--name', 'web', ...login, '--yes'])).err).toContain('web');
});
afterAll(async () => {
  await host?.down();
  rmSync(directory, { recursive: true, force: true });
});

/** `aheadMs`: how far this computer's clock is ahead of the host's. */
function run(argv: readonly string[], aheadMs = 0): Promise<CliRun> {
  const env = { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), PATH: process.env.PATH };
  return runCli(argv, { env, cwd: directory, now: () => new Date(Date.now() + aheadMs) });
}

async function rowOf(name: string, ...argv: string[]) {
  const { exit, json } = await run(['status', '--json', '--check', ...argv]);
  const rows: {
    kind: string;
    name: string;
    drift?: string[];
    unreachable?: string;
    generation?: number;
    upgrade?: object;
  }[] = json.result?.rows ?? [];
  return { exit, missing: json.result?.missing, row: rows.find((row) => row.kind === 'host' && row.name === name) };
}

async function examined(name: string): Promise<{ cause: string; message: string; hints: string[] }> {
  return (await run(['doctor', name, '--json'])).json.result;
}

async function causeOf(name: string): Promise<string> {
  const { cause, message } = await examined(name);
  return `${cause}: ${message}`;
}

test('a host as it should be, edited by hand, without SSH, and stopped', async () => {
  const whole = await rowOf('web');
  expect(whole).toMatchObject({ exit: 0, row: { drift: [], generation: 1 } });
  // Which package it is depends on Debian's updates; the audit of the same host names the same.
  const audited = (await run(['audit', 'web', '--json'])).json.result?.subjects[0].upgrade;
  expect(whole.row?.upgrade).toEqual(audited);

  const dropIn = '/etc/systemd/system/docker.service.d/zz-docker-tls.conf';
  await host.must(`cp ${dropIn} /root/kept && echo '# mine' >> ${dropIn}`);
  expect(await rowOf('web')).toMatchObject({ exit: 3, row: { drift: [expect.toSay('edited-hand', dropIn)] } });
  // Of a change under way its files say nothing yet.
  const lock = `printf 'who=ada@desk\\nsince=%s\\nexpires=%s\\n' $(date +%s) $(($(date +%s) + 600)) >/run/docker-tls.lock`;
  await host.must(lock);
  const { row: changing } = await rowOf('web');
  await host.must('rm /run/docker-tls.lock');
  expect(changing?.drift).toEqual([expect.toSay('changing-host-since', 'ada@desk')]);
  // --diff with --yes: what is replaced is shown first.
  const { err, exit: applied } = await run(['apply', 'web', '--yes', '--diff']);
  expect([applied, err]).toEqual([0, expect.stringContaining('-# mine')]);

  await host.must('systemctl stop ssh.socket ssh.service 2>/dev/null; pkill -x sshd || true');
  const { exit, row } = await rowOf('web');
  expect([exit, row?.drift]).toEqual([3, []]);
  expect(row?.unreachable).toMatch(/^E_SSH/);
  await host.must('systemctl start ssh.service');

  await host.must('systemctl stop docker.socket docker-tls.socket docker.service');
  const stopped = (await rowOf('web')).row;
  expect(stopped?.unreachable).toMatch(/^E_TLS/);
  expect(stopped?.drift).toContain('docker-tls.socket does not listen');
  expect(await causeOf('web')).toSay('connection-refused-dockerd-not-running');
  const fixes = (await examined('web')).hints.map((hint: string) => hint.replace(/^ssh .*?root@\S+ /, ''));
  await host.must(`systemctl start docker.socket; ${fixes.join('; ')}`);
  expect(await causeOf('web')).toMatch(/^none/);
  expect((await rowOf('web')).exit).toBe(0);
});

test('what plan would refuse is seen, such as a daemon.json with which dockerd does not start', async () => {
  await host.must("echo '{ oops' >/etc/docker/daemon.json");
  expect(String((await rowOf('web')).row?.drift)).toMatch(/daemon\.json:1: not valid JSON/);
  await host.must('rm /etc/docker/daemon.json');
  expect(await rowOf('web')).toMatchObject({ exit: 0, row: { drift: [] } });
});

test('with a fleet file: its hosts, and those of it that are not set up yet', async () => {
  const file = join(directory, 'fleet.yaml');
  writeFileSync(file, `version: 1\nhosts: { web: "root@${host.address}", later: "root@later.example" }\n`);
  expect(await rowOf('web', '-f', file)).toMatchObject({ exit: 3, missing: ['later'], row: { drift: [] } });
});

test.each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])('a computer whose clock is an hour %s renews its host', async (_, aheadMs) => {
  const renewed = await run(['rotate', 'server', '--all', '--yes', '--json'], aheadMs);
  expect([renewed.exit, renewed.json.error?.code]).toEqual([0, undefined]);
  expect(await rowOf('web')).toMatchObject({ exit: 0, row: { drift: [] } });
});
