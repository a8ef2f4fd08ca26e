/**
 * Every way to a host, by the program as people have it (issue 4): a jump host, an encrypted key, passwords for the login and for sudo,
 * the system's ssh, an inventory, and the machine itself with sudo. And how a run over hosts is held back.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, finished, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labPassword, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { installProgram } from '../support/program-on-host.ts';
import { KEYS } from '../support/terminal.ts';

const passphrase = 'open sesame';
let program: Program;
let person: Person;
let gate: LabHost;
let inner: LabHost;

beforeAll(async () => {
  program = buildProgram();
  [gate, inner] = (await labUp({ names: ['ways-gate', 'ways-inner'] })) as [LabHost, LabHost];
  person = newPerson(program, [gate, inner]);
  const key = join(person.home, 'locked');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', key]);
  for (const host of [gate, inner]) {
    await host.exec('cat >>/root/.ssh/authorized_keys', { input: readFileSync(`${key}.pub`, 'utf8') });
  }
  writeFileSync(join(person.home, 'sudo-password'), `${labPassword}\n`, { mode: 0o600 });
}, 400_000);

afterAll(async () => {
  await inner?.down();
  await gate?.down();
  person?.remove();
  program?.remove();
});

/** A fleet file of both hosts in the person's home; `ssh` and `more` belong to every host. */
function fleet(name: string, ssh: object, more: object = {}): string {
  const file = join(person.home, name);
  const hosts = Object.fromEntries([gate, inner].map((host) => [host.name, { ssh: { destination: host.address } }]));
  const config = join(person.home, '.ssh/config');
  const defaults = { ssh: { config, ...ssh }, ...more };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ version: 1, ca: { passphrase: 'none' }, defaults, hosts, clients: { ci: {} } }));
  return file;
}

const byKey = () => ({ user: 'root', identities: [gate.keyFile] });

type Row = { host: string; result: string; changed?: boolean; errors?: { code: string }[] };
const rows = (run: ProgramRun): Row[] => JSON.parse(run.out).result.hosts;
const ids = () => Promise.all([gate, inner].map((host) => host.must('systemctl show -P MainPID docker.service')));

/** Both hosts as the plain fleet file has them, whatever an earlier test left. */
async function settled(): Promise<string> {
  const file = fleet('plain.yaml', byKey());
  const run = await person.run(['apply', '-f', file, '--yes', '--json']);
  expect(run.status, run.err + run.out).toBe(0);
  return file;
}

test('the machine itself, by a user who becomes root with sudo and a password', async () => {
  const start = installProgram(inner, program);
  const cli = async (argv: string) => {
    const line = `cd; umask 077; printf '%s\\n' '${labPassword}' >pw; ${start} ${argv} --sudo-password-file pw`;
    return inner.exec(`su - pat -s /bin/sh -c "$(cat)"`, { input: line });
  };
  const set = await cli(`setup local --name here --address ${inner.address} --client pat --no-ca-passphrase --yes`);
  expect(set.exit, set.err).toBe(0);
  expect(set.out + set.err).toContain('client pat: accepted');
  expect(await inner.must('stat -c %U /etc/docker/tls/current/server-key.pem; stat -c %U ~pat/.docker/tls')).toBe(
    'root\npat',
  );
  const idle = await cli('plan here --check');
  expect(idle.exit, idle.out + idle.err).toBe(0);
  const gone = await cli('remove here --yes');
  expect(gone.exit, gone.err).toBe(0);
}, 200_000);

test('an encrypted key through a jump host: asked once, for every connection of a run over two hosts', async () => {
  const file = fleet('jump.yaml', { user: 'root', identities: [join(person.home, 'locked')] });
  const text = readFileSync(file, 'utf8').replace(
    `"destination":"${inner.address}"`,
    `"destination":"${inner.address}","jump":["root@${gate.address}"]`,
  );
  writeFileSync(file, text);
  const terminal = person.terminal(['apply', '-f', file], { columns: 120 });
  await terminal.answer('Passphrase of', `${passphrase}${KEYS.enter}`);
  await terminal.answer('Make these changes on 2 of 2 hosts? (y/N)', `y${KEYS.enter}`);
  expect(await terminal.ended, terminal.screen()).toBe(0);
  expect(terminal.screen().match(/Passphrase of/g)).toHaveLength(1);
  expect(await inner.must('journalctl -o cat -u ssh -u ssh.service')).toMatch(
    new RegExp(`Accepted publickey for root from ${gate.address.replaceAll('.', '\\.')}`),
  );
}, 200_000);

test('a login with a password, and the password for sudo that the file asks for once', async () => {
  await settled();
  const file = fleet('password.yaml', { user: 'pat', identities: [] }, { 'sudo-password': 'prompt' });
  const terminal = person.terminal(['apply', '-f', file, '--limit', inner.name], { columns: 120 });
  await terminal.answer('Password for sudo on', `${labPassword}${KEYS.enter}`);
  await terminal.answer(/pat@.*[Pp]assword|[Pp]assword.*pat/, `${labPassword}${KEYS.enter}`);
  expect(await terminal.ended, terminal.screen()).toBe(0);
  expect(terminal.screen()).not.toContain(labPassword);
}, 200_000);

test("the system's ssh through a jump host, where no program may be run in the temporary directory", async () => {
  await settled();
  const words = [
    '--transport',
    'openssh',
    '--jump',
    `root@${gate.address}`,
    '-i',
    gate.keyFile,
    '--host-key',
    'accept-new',
  ];
  // The key opens the jump host too, though nothing but the command line names it.
  const config = join(person.home, 'plain.config');
  // No host is known yet: ssh has to start our program to be told.
  const known = join(person.home, 'fresh.known');
  writeFileSync(config, `Host *\n  UserKnownHostsFile ${known}\n  IdentityAgent none\n  IdentityFile none\n`);
  const before = await ids();
  const script = 'mkdir -p "$1"; mount -t tmpfs -o noexec,mode=1777 tmpfs "$1"; export TMPDIR="$1"; shift; exec "$@"';
  const argv = ['rotate', 'server', inner.name, '--yes', '--json', '--ssh-config', config, ...words];
  const run = await person.call('unshare', [
    ...['-m', 'sh', '-ec', script, 'sh', join(person.home, 'tmp')],
    ...[...program.command, ...argv],
  ]);
  expect(run.status, run.err + run.out).toBe(0);
  const after = await ids();
  expect([after[0] === before[0], after[1] === before[1]]).toEqual([true, false]);
  expect(readdirSync(person.home).filter((name) => name.startsWith('docker-tls-'))).toEqual([]);
}, 200_000);

test('hosts of an inventory, by a user with sudo and its password', async () => {
  await settled();
  const hostvars = {
    [inner.name]: {
      ansible_host: inner.address,
      ansible_user: 'pat',
      ansible_ssh_private_key_file: gate.keyFile,
      ansible_ssh_common_args: `-F ${join(person.home, '.ssh/config')} -J root@${gate.address}`,
    },
    printer: { ansible_connection: 'network_cli' },
  };
  const argv = ['plan', '--inventory', '-', '--limit', 'ways-*', '--sudo-password-file', 'sudo-password', '--json'];
  const child = program.start(argv, { env: { ...person.env }, cwd: person.home });
  const run = await finished(child, JSON.stringify({ _meta: { hostvars } }));
  expect(run.status, run.err + run.out).toBe(0);
  expect(rows(run)).toMatchObject([{ host: inner.name, result: 'ok' }]);
}, 200_000);

test('a canary that fails, and a run that stops after failures, leave the other hosts as they were', async () => {
  await settled();
  const file = fleet('more.yaml', byKey(), { sans: ['more.example.org'] });
  const check = await person.run(['plan', '-f', file, '--check', '--json']);
  expect(check.status, check.err).toBe(3);
  const refuse = '/run/systemd/system/docker.service.d/refuse.conf';
  // Only new credentials are refused: the rollback has to start the daemon.
  await gate.must(
    `mkdir -p ${dirname(refuse)}; readlink /etc/docker/tls/current >/run/old; printf '[Service]\\nExecStartPre=/bin/sh -c "readlink /etc/docker/tls/current | cmp -s /run/old -"\\n' >${refuse}; systemctl daemon-reload`,
  );
  const [, before] = await ids();
  for (const held of [
    ['--canary', '1'],
    ['--max-failures', '1', '--parallel', '1'],
  ]) {
    const run = await person.run(['apply', '-f', file, '--yes', '--json', ...held]);
    expect(run.status, run.err + run.out).toBe(5);
    expect(rows(run)).toMatchObject([
      { host: gate.name, result: 'failed', errors: [{ code: 'E_DAEMON_START' }] },
      { host: inner.name, result: 'skipped' },
    ]);
    await gate.must('systemctl reset-failed docker.service docker.socket || true');
  }
  expect((await ids())[1]).toBe(before);
  await gate.must(`rm ${refuse}; systemctl daemon-reload`);
  const done = await person.run(['apply', '-f', file, '--yes', '--json', '--canary', '1', '--max-failures', '1']);
  expect(done.status, done.err + done.out).toBe(0);
  expect(rows(done).map(({ changed }) => changed)).toEqual([true, true]);
  const idle = await person.run(['plan', '-f', file, '--check', '--json']);
  expect(idle.status, idle.out).toBe(0);
}, 300_000);

test('a host whose TLS port only the jump host reaches: said before anything changes, verified from there, used through a tunnel', async () => {
  await settled();
  const rule = `INPUT -p tcp --dport 2376 ! -s ${gate.address} -j DROP`;
  await inner.must(`iptables -I ${rule}`);
  try {
    const [, before] = await ids();
    const ssh = { ...byKey(), jump: [`root@${gate.address}`] };
    const direct = fleet('direct.yaml', ssh, { sans: ['bastion.example.org'] });
    const refused = await person.run(['apply', '-f', direct, '--limit', inner.name, '--yes', '--json']);
    expect(refused.status, refused.out).toBe(4);
    expect(refused.out).toContain('E_PORT_FILTERED');
    expect(refused.out).toContain('--reach ssh');
    expect((await ids())[1]).toBe(before);
    const file = fleet('bastion.yaml', ssh, { reach: 'ssh', sans: ['bastion.example.org'] });
    const done = await person.run(['apply', '-f', file, '--limit', inner.name, '--yes', '--json']);
    expect(done.status, done.err + done.out).toBe(0);
    const { checks } = JSON.parse(done.out).result.hosts[0];
    expect(checks.map(({ via }: { via?: string }) => via)).toEqual(checks.map(() => `the jump host ${gate.address}`));
    const verified = await person.run(['verify', inner.name]);
    expect([verified.status, verified.out]).toEqual([0, expect.toSay('through-jump-host')]);
    const doctor = await person.run(['doctor', inner.name, '--client', 'ci']);
    const through = expect.toSay('answers-through-jump-host', '--client ci -- docker version');
    expect([doctor.status, doctor.out]).toEqual([0, through]);
    const audited = await person.run(['audit', inner.name, '--check', 'tls.1', '--json']);
    expect(JSON.parse(audited.out).result.subjects[0].results).toMatchObject([{ id: 'tls.1', state: 'pass' }]);
    await inner.must('docker image inspect busybox >/dev/null 2>&1 || docker import /root/busybox.tar busybox');
    const script =
      'printenv DOCKER_TLS_CA_PASSPHRASE; stat -c %a "$' + '{DOCKER_HOST#unix://}"; docker run -i --rm busybox cat';
    const used = await finished(
      program.start(['tunnel', inner.name, '--client', 'ci', '--', 'sh', '-c', script], {
        env: { ...person.env, DOCKER_TLS_CA_PASSPHRASE: 'not for children' },
        cwd: person.home,
      }),
      'to and fro',
    );
    expect([used.status, used.out], used.err).toEqual([0, '600\nto and fro']);
    expect((await person.run(['client', 'add', 'eve'])).status).toBe(0);
    const revoked = await person.run(['client', 'revoke', 'eve', '--yes', '--json']);
    expect(revoked.status, revoked.err + revoked.out).toBe(0);
    expect(revoked.out).toSay('rejected-through-jump-host');
  } finally {
    await inner.must(`iptables -D ${rule}`);
  }
}, 300_000);
