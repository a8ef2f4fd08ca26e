/** The lab keeps its promises: real hosts of three Docker generations, that end when their owner does. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LabHost, labPassword, labRun, labUp, type Suite, suites } from '../support/lab.ts';

const generation: Record<Suite, RegExp> = {
  bookworm: /^20\.10\./,
  trixie: /^26\.1\./,
  sid: /^28\.5\./,
  sysvinit: /^26\.1\./,
  rootless: /^26\.1\./,
  'rootless-sid': /^28\.5\./,
  openrc: /^26\.1\./,
  podman: /^5\.8\./,
  'podman-trixie': /^5\.4\./,
};

describe.each(suites)('a host of %s', (suite) => {
  let host: LabHost;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`labtest-${suite}`], suite })) as [LabHost];
  });
  afterAll(() => host?.down());

  test('is healthy and has the Docker of its generation', async () => {
    expect(await host.must('docker version --format "{{.Server.Version}}"')).toMatch(generation[suite]);
    expect(await host.must('systemctl is-system-running --wait')).toBe('running');
  });

  test('runs a container on its own network, reached from outside', async () => {
    await host.container('web', '--restart always -p 8080:80', 'httpd -f -h /etc');
    expect(await host.must('docker inspect -f "{{.State.Running}}" web')).toBe('true');
    await expect.poll(() => page(`http://${host.address}:8080/passwd`), { timeout: 20_000 }).toContain('root:x:0:0');
  });

  test('lets every user in, each with their kind of shell and sudo', async () => {
    for (const user of ['ops', 'noisy', 'fishy'] as const) {
      const { out, exit } = await host.ssh('sudo -n id -un', { user });
      expect({ user, exit, last: out.trim().split('\n').at(-1) }).toEqual({ user, exit: 0, last: 'root' });
    }
    expect((await host.ssh('sudo -n id -un', { user: 'pat' })).exit).not.toBe(0);
    const requested = await host.ssh('sudo -S -p "" id -un', { user: 'pat', input: `${labPassword}\n` });
    expect(requested).toEqual({ exit: 0, out: 'root\n', err: '' });
    const noisy = await host.ssh('true', { user: 'noisy' });
    expect(noisy.out).toContain('\u001b[31;1mWelcome');
    expect(noisy.err).toContain('\u001b[2J');
    expect((await host.ssh('true', { user: 'fishy' })).out).toContain('Hello, I am fish');
  });

  test('keeps its files and its identity over a hard reboot, but not what a boot takes away', async () => {
    const identity = 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; docker ps -a --format "{{.Names}}"';
    const before = await host.must(identity);
    const boot = await host.must('cat /proc/sys/kernel/random/boot_id; touch /run/mark');
    await host.reboot();
    expect(await host.must(identity)).toBe(before);
    expect(await host.must('cat /proc/sys/kernel/random/boot_id')).not.toBe(boot);
    expect(await host.must('ls /run/mark 2>/dev/null || echo gone')).toBe('gone');
  });
});

describe('two hosts', () => {
  let one: LabHost;
  let two: LabHost;

  beforeAll(async () => {
    [one, two] = (await labUp({ names: ['labtest-one', 'labtest-two'] })) as [LabHost, LabHost];
  });
  afterAll(() => Promise.all([one?.down(), two?.down()]));

  test('are different hosts that reach one another', async () => {
    const identity = 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub';
    expect(await one.must(identity)).not.toBe(await two.must(identity));
    expect(await one.must(`timeout 5 bash -c 'read -r line </dev/tcp/${two.address}/22; echo "$line"'`)).toMatch(
      /^SSH-2/,
    );
  });

  test('ask no server outside, and wait for none', async () => {
    const { exit, err } = await one.exec('timeout 2 curl -sS http://192.0.2.1/; timeout 2 getent hosts debian.org');
    expect(exit).toBe(2); // getent: not found. 124 would be the time-out.
    expect(err).toContain('Failed to connect to 192.0.2.1');
  });

  test('a cut link stops ssh and not exec; fix brings it back', async () => {
    await one.cut();
    expect((await labRun(['ssh', one.name, 'true'])).exit).toBe(255);
    expect(await one.must('echo inside')).toBe('inside');
    await one.fix();
    expect((await one.ssh('echo outside')).out).toBe('outside\n');
  });

  test('a reboot of one leaves the other its neighbour: this machine keeps its hardware address', async () => {
    const here = (): string => readFileSync('/sys/class/net/dtlab0/address', 'utf8');
    const before = here();
    expect(await one.must('ping -c 1 10.213.0.1 >/dev/null; ip neigh show 10.213.0.1')).toContain(before.trim());
    await two.reboot();
    await one.reboot();
    expect(here()).toBe(before);
  });

  test('a host that shuts root out of ssh is seen to be up again', async () => {
    await one.must("printf 'PermitRootLogin no\\n' >/etc/ssh/sshd_config.d/0-no-root.conf");
    await one.reboot();
    expect((await one.ssh('true')).exit).not.toBe(0);
    expect((await one.ssh('true', { user: 'ops' })).exit).toBe(0);
    await one.must('rm /etc/ssh/sshd_config.d/0-no-root.conf && systemctl restart ssh');
  });

  test('a host that reboots itself comes back', async () => {
    const boot = await two.must('cat /proc/sys/kernel/random/boot_id');
    await two.ssh('systemctl reboot');
    await expect
      .poll(async () => (await two.ssh('cat /proc/sys/kernel/random/boot_id')).out.trim() || boot, { timeout: 60_000 })
      .not.toBe(boot);
  });
});

test('a host ends with its owner, however the owner ends', async () => {
  const owner = spawn('sleep', ['600']);
  const up = await labRun(['up', 'labtest-owned', '--owner-pid', String(owner.pid), '--json']);
  expect(up).toMatchObject({ exit: 0 });
  const [{ knownHosts }] = JSON.parse(up.out);
  const directory = join(knownHosts, '..');
  expect(existsSync(directory)).toBe(true);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await expect.poll(() => existsSync(directory), { timeout: 30_000 }).toBe(false);
});

test('what it cannot do it says, with exit 1 or 2', async () => {
  expect(await labRun(['up', 'Bad_Name'])).toMatchObject({
    exit: 1,
    err: expect.toSay('no-name-host'),
  });
  expect(await labRun(['up', '--suite', 'potato'])).toMatchObject({
    exit: 2,
    err: expect.stringContaining('bookworm'),
  });
  expect(await labRun(['ssh', 'labtest-none', 'true'])).toMatchObject({
    exit: 1,
    err: expect.stringContaining('no host'),
  });
});

async function page(url: string): Promise<string> {
  return fetch(url).then(
    (response) => response.text(),
    (error) => String(error),
  );
}
