/** `setup --install`: a real apt installs HAProxy from a repository on the host itself, and `remove` takes it away again. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { addSource, PURGE, REST, SOURCE, withoutHaproxy } from '../support/haproxy-source.ts';
import { compare, type HostSnapshot, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;
let before: HostSnapshot;

beforeAll(async () => {
  program = buildProgram();
  // The lab has the packages by now, with those that they need.
  [host] = (await labUp({ names: ['hap-install'], with: ['haproxy'] })) as [LabHost];
  person = newPerson(program, [host]);
  await withoutHaproxy(host);
  before = await snapshot(host);
}, 300_000);
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

const setup = (...words: string[]) => person.run(person.setup(host, ['--listener', 'haproxy', ...words]));
const source = () => addSource(host);
/** Runs without that source in the snapshots. */
const unchanged = async (rest: string) => {
  await host.must(`rm -f ${SOURCE}`);
  const after = await snapshot(host);
  expect(compare(before, after, /^(container|socket inode)/)).toEqual([]);
  expect(leftovers(after)).toEqual([]);
  expect(await host.must(REST)).toBe(rest);
};

test('a missing package is named, and without a source it is not installed', async () => {
  const rest = await host.must(REST);
  const missing = await setup();
  expect([missing.status, missing.err]).toEqual([4, expect.stringMatching(/E_HAPROXY_MISSING[\s\S]*--install/)]);
  const lost = await setup('--install');
  expect(lost.status).toBe(4);
  expect(lost.err).toSay('apt-has-none', 'apt', 'apt-get update');
  await unchanged(rest);
});

test('configuration from an earlier HAProxy is not taken over: remove would delete it', async () => {
  const rest = await host.must(REST);
  await source();
  await host.must('mkdir /etc/haproxy && echo mine >/etc/haproxy/mine.cfg');
  const refused = await setup('--install');
  expect([refused.status, refused.err]).toEqual([4, expect.stringMatching(/\/etc\/haproxy is there already/)]);
  await host.must('rm -r /etc/haproxy');
  await unchanged(rest);
});

test('the plan names the packages; setup installs them, runs no service of theirs, and remove takes them away', async () => {
  const rest = await host.must(REST);
  await source();
  const shown = await setup('--install', '--dry-run');
  expect(shown.status, shown.err).toBe(0);
  expect(shown.out.replace(/\s+/g, ' ')).toSay('packages-installed-first-haproxy');
  expect((await host.exec('command -v haproxy')).exit).not.toBe(0);
  const daemon = await host.must('systemctl show docker.service -p MainPID');
  const done = await setup('--install');
  expect(done.status, done.err).toBe(0);
  expect(await host.must('systemctl show docker.service -p MainPID')).toBe(daemon);
  expect(await host.must('systemctl is-active docker-tls-haproxy haproxy; :')).toBe('active\ninactive');
  expect(await host.must('systemctl is-enabled haproxy 2>&1; :')).toBe('disabled');
  expect(await host.must('ls /run/systemd/system; ls /var/cache/apt/archives')).not.toMatch(/haproxy/);
  expect(await host.must('cat /var/lib/docker-tls/listener-packages')).toMatch(/^haproxy$/m);
  expect((await person.run(['plan', host.name, '--check'])).status).toBe(0);
  await host.reboot();
  expect(await host.must('systemctl is-active docker-tls-haproxy haproxy; :')).toBe('active\ninactive');
  // The service still runs, from a file that is gone.
  await host.must('dpkg --remove haproxy');
  expect(await host.must('systemctl is-active docker-tls-haproxy')).toBe('active');
  const back = await setup('--install');
  expect(back.status, back.err).toBe(0);
  expect(await host.must('readlink /proc/$(systemctl show -p MainPID --value docker-tls-haproxy)/exe')).toBe(
    '/usr/sbin/haproxy',
  );
  const removed = await person.run(['remove', host.name, '--yes']);
  expect(removed.status, removed.err).toBe(0);
  expect(removed.out.replace(/\s+/g, ' ')).toSay('haproxy-docker-tls-installed-removed');
  await unchanged(rest);
});

test('HAProxy that its own service uses by then stays, and is no longer ours', async () => {
  const rest = await host.must(REST);
  await source();
  const done = await setup('--install');
  expect(done.status, done.err).toBe(0);
  await host.must('systemctl enable haproxy');
  const removed = await person.run(['remove', host.name, '--yes']);
  expect(removed.status, removed.err).toBe(0);
  expect(removed.out.replace(/\s+/g, ' ')).toContain('stays: haproxy.service is enabled');
  expect(await host.must('command -v haproxy; ls /var/lib/docker-tls 2>/dev/null; :')).toBe('/usr/sbin/haproxy');
  await host.must(`systemctl disable --now haproxy; ${PURGE}`);
  await unchanged(rest);
});

test('a disk that fills up during the installation leaves the host as it was', async () => {
  const rest = await host.must(REST);
  await source();
  await host.must('mount -t tmpfs -o size=8k small /usr/share/doc');
  const full = await setup('--install');
  await host.must('umount /usr/share/doc');
  expect(full.status).toBe(4);
  expect(full.err).toSay('could-not-installed-taken', 'E_HAPROXY_MISSING');
  expect(full.err).toMatch(/No space left on device/);
  expect(full.err).toMatch(/apt-get install -y haproxy/);
  await unchanged(rest);
});

test('a setup that is rolled back takes them away as well', async () => {
  const rest = await host.must(REST);
  await source();
  const unit = '/etc/systemd/system/docker-tls-haproxy.service.d';
  await host.must(`mkdir ${unit} && printf '[Service]\\nExecStartPre=/bin/false\\n' >${unit}/broken.conf`);
  const failed = await setup('--install');
  await host.must(`rm -r ${unit} && systemctl daemon-reload`);
  expect(failed.status, failed.err).toBe(5);
  await unchanged(rest);
});

test('a computer that dies during the installation leaves a list, and the next setup and remove go by it', async () => {
  const rest = await host.must(REST);
  await source();
  const [file, ...first] = program.command;
  const child = spawn(file, [...first, ...person.setup(host, ['--listener', 'haproxy', '--install'])], {
    ...{ env: person.env, stdio: 'ignore' },
  });
  await host.must(
    'for n in $(seq 600); do [ ! -e /var/lib/docker-tls/listener-packages ] || exit 0; sleep 0.1; done; exit 1',
  );
  child.kill('SIGKILL');
  // apt goes on to its end.
  await host.must(
    'for n in $(seq 600); do command -v haproxy >/dev/null && ! pgrep -x apt-get >/dev/null && ! pgrep -x dpkg >/dev/null && exit 0; sleep 0.1; done; exit 1',
  );
  expect(await host.must('systemctl is-active haproxy; :')).toBe('inactive');
  const config = join(person.home, '.ssh/config');
  const removed = await person.run([
    ...['remove', `root@${host.address}`, '-i', host.keyFile, '--ssh-config', config, '--yes'],
  ]);
  expect(removed.err).toSay('packages-docker-tls-installed-still', '--purge');
  // That run may be alive, for all the host knows.
  const locked = await setup();
  expect([locked.status, locked.err]).toEqual([4, expect.stringMatching(/E_HOST_LOCKED[\s\S]*rm -f \S+\.lock/)]);
  await host.must('rm -f /run/docker-tls.lock');
  const done = await setup();
  expect(done.status, done.err).toBe(0);
  expect((await person.run(['remove', host.name, '--yes'])).status).toBe(0);
  await unchanged(rest);
});

test('a host that loses its power during the installation: the next setup completes it, and the service of the package stays off', async () => {
  const rest = await host.must(REST);
  await source();
  const [file, ...first] = program.command;
  const child = spawn(file, [...first, ...person.setup(host, ['--listener', 'haproxy', '--install'])], {
    ...{ env: person.env, stdio: 'ignore' },
  });
  await host.must('for n in $(seq 6000); do [ ! -x /usr/sbin/haproxy ] || exit 0; sleep 0.01; done; exit 1');
  await host.reboot();
  child.kill('SIGKILL');
  expect(await host.must('cat /var/lib/docker-tls/listener-packages')).toContain('@service');
  // As if dpkg had put the file in its place, not yet recorded its sum, and apt had come to its end before.
  const config = '/etc/haproxy/haproxy.cfg';
  await host.must(`[ ! -e ${config}.dpkg-new ] || mv ${config}.dpkg-new ${config}`);
  await host.must('dpkg --configure -a; systemctl enable haproxy; systemctl start haproxy; :');
  const shown = await setup('--dry-run');
  expect(shown.out.replace(/\s+/g, ' '), shown.err).toMatch(/packages +installed first, .*haproxy/);
  const done = await setup();
  expect(done.status, done.err).toBe(0);
  expect(await host.must('systemctl is-enabled haproxy; systemctl is-active docker-tls-haproxy haproxy; :')).toBe(
    'disabled\nactive\ninactive',
  );
  const removed = await person.run(['remove', host.name, '--yes']);
  expect(removed.status, removed.err).toBe(0);
  await unchanged(rest);
});

test('what something else needs by then stays', async () => {
  await source();
  const done = await setup('--install');
  expect(done.status, done.err).toBe(0);
  await host.must('apt-get -q -y install needs-haproxy');
  const removed = await person.run(['remove', host.name, '--yes']);
  expect(removed.status, removed.err).toBe(0);
  expect(removed.out.replace(/\s+/g, ' ')).toSay('packages-stay-since-others');
  expect((await host.exec('command -v haproxy')).exit).toBe(0);
  expect(await host.must('ls /var/lib/docker-tls 2>/dev/null; :')).toBe('');
});

test('a socket for a container on a host that was never set up: no port in the network, and remove gives all back', async () => {
  await host.must(PURGE);
  const rest = await host.must(REST);
  await source();
  // With a store of its own.
  const other = newPerson(program, [host]);
  other.addSshConfig(`Host build-9\n  HostName ${host.address}\n  User root\n  IdentityFile ${host.keyFile}`);
  const done = async (...argv: string[]) => {
    const result = await other.run([...argv, '--ssh-config', join(other.home, '.ssh/config'), '--yes']);
    expect(result, result.err).toMatchObject({ status: 0 });
    return result;
  };
  const ports = "ss -Hltn | awk '{ print $4 }' | sort";
  const open = await host.must(ports);
  const added = await done('socket', 'add', 'traefik', 'build-9', '--role', 'read', '--install', '--no-ca-passphrase');
  expect(added.out).toSay('mount-place-docker-sock', '/run/docker-tls/traefik.sock');
  expect(await host.must(ports)).toBe(open);
  expect((await other.run(['client', 'list'])).out).toSay('no-client-yet');
  expect((await other.run(['socket', 'list'])).out).toMatch(/build-9 +traefik +read +\/run\/docker-tls\/traefik\.sock/);
  const seen = async (...argv: string[]) => (await other.run([...argv, 'build-9'])).out;
  const verified = await seen('verify');
  expect(verified).toSay('socket-accepted-rejected', 'traefik', 'read');
  expect(await seen('doctor')).toContain('all is well');
  expect((await other.run(['status', '--check'])).out).toContain('in sync');
  expect((await other.run(['env', 'build-9'])).err).toContain('error[E_NO_PORT]');
  // A container with the docker of the host.
  const mounts =
    '-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v /run/docker-tls/traefik.sock:/var/run/docker.sock';
  await host.container('proxy', `--restart=always ${mounts}`);
  const inside = (words: string) => host.exec(`docker exec proxy /usr/bin/docker ${words}`);
  expect((await inside('ps --format "{{.Names}}"')).out).toBe('proxy\n');
  expect((await inside('rm -f proxy')).err).toSay('read-does-not-allow', 'traefik');
  // A mounted directory has the new sockets; a mounted socket stays.
  await host.container(
    'directory',
    `${mounts.replace(/ -v \S+traefik.sock\S+/, '')} -v /run/docker-tls:/run/docker-tls`,
  );
  const ci = ['socket', 'add', 'ci', 'build-9', '--role', 'monitor'];
  await done(...ci);
  expect((await inside('ps --format "{{.Names}}"')).out.trim().split('\n').sort()).toEqual(['directory', 'proxy']);
  const within = await host.exec('docker exec directory /usr/bin/docker -H unix:///run/docker-tls/traefik.sock ps -q');
  expect([within.exit, within.err]).toEqual([0, '']);
  await host.must('docker rm -f directory');
  expect(await host.must('ls /run/docker-tls')).toBe('ci.sock\ntraefik.sock');
  await host.reboot();
  expect((await inside('ps --format "{{.Names}}"')).out).toBe('proxy\n');
  await done('socket', 'remove', 'ci', 'build-9');
  expect(await host.must('ls /run/docker-tls')).toBe('traefik.sock');
  await host.must('docker rm -f proxy && docker rmi busybox');
  await done('remove', 'build-9');
  other.remove();
  await unchanged(rest);
});
