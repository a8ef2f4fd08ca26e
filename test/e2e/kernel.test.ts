/**
 * What takes a kernel of its own, on a virtual machine (scripts/lab up --vm): audit rules really loaded and unloaded, containers that the
 * kernel confines and limits, a clock of the host's own, and the plug pulled in the middle of a change.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';

let program: Program;
let host: LabHost;
let home: string;

function run(...words: string[]) {
  return program.run(['--home', home, ...words], { env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' } });
}
async function done(...words: string[]) {
  const { status, out, err } = await run(...words);
  expect(status, err).toBe(0);
  return out;
}
/** What the audit says of some checks, for instance { '1.1.3': 'pass' }. */
async function verdicts(...ids: string[]): Promise<Record<string, string>> {
  const { out } = await run('audit', 'web', '--json');
  const results: { id: string; state: string }[] = JSON.parse(out).result.subjects[0].results;
  return Object.fromEntries(results.filter(({ id }) => ids.includes(id)).map(({ id, state }) => [id, state]));
}
function all(ids: readonly string[], state: string): Record<string, string> {
  return Object.fromEntries(ids.map((id) => [id, state]));
}

/** Where audit rules and their directory come from, in full. */
const ETC =
  'cd /etc && find audit tmpfiles.d -printf "%M %u:%g %p %l\\n" | sort && find audit tmpfiles.d -type f -exec sha256sum {} + | sort';

const WATCHED = [3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 17, 18].map((number) => `1.1.${number}`);
const CONFINED = ['5.2', '5.11', '5.12', '5.22', '5.29'];

// The lab's virtual machines are x86_64.
describe.skipIf(process.arch !== 'x64')('on a virtual machine', () => {
  beforeAll(async () => {
    program = buildProgram();
    home = await mkdtemp(join(tmpdir(), 'docker-tls-kernel-'));
    [host] = (await labUp({ names: ['kernel-vm'], suite: 'trixie-vm' })) as [LabHost];
  }, 600_000);
  afterAll(async () => {
    await host?.down();
    await rm(home, { recursive: true, force: true });
    program?.remove();
  });

  it('setup, and containers as the kernel confines and limits them', { timeout: 240_000 }, async () => {
    await host.container('web', '--memory 64m --cpus 0.5 --pids-limit 50');
    await done(
      'setup',
      `root@${host.address}`,
      '--name',
      'web',
      '-i',
      host.keyFile,
      '--host-key',
      'accept-new',
      '--no-ca-passphrase',
      '--client',
      'me',
      '--yes',
    );
    expect(await verdicts(...CONFINED, ...WATCHED)).toEqual({ ...all(CONFINED, 'pass'), ...all(WATCHED, 'finding') });
    await host.container('loose', '--security-opt apparmor=unconfined --security-opt seccomp=unconfined');
    expect(await verdicts(...CONFINED)).toEqual(all(CONFINED, 'finding'));
    await host.must('docker rm -f loose');
  });

  it("loads audit rules and takes them out again, and nobody else's", { timeout: 240_000 }, async () => {
    const rules = async () => (await host.must('auditctl -l')).split('\n');
    await host.must('auditctl -w /srv -p wa -k by-hand; echo "-w /opt -p wa -k other" >/etc/audit/rules.d/other.rules');
    const before = await host.must('sha256sum /etc/audit/rules.d/*');
    const out = await done('harden', 'web', '--only', 'audit-rules', '--yes');
    expect(out).not.toMatch(/audit-rules:|audit rules:/);
    expect(await rules()).toEqual(
      expect.arrayContaining(['-w /srv -p wa -k by-hand', '-w /etc/docker -p wa -k docker-tls']),
    );
    expect(await verdicts(...WATCHED)).toEqual(all(WATCHED, 'pass'));
    await host.must('touch /etc/docker/seen');
    // Without a terminal ausearch reads what it is given.
    await expect
      .poll(
        () => host.must('ausearch --input-logs -k docker-tls 2>/dev/null | grep -c \'name="/etc/docker/seen"\'; :'),
        {
          timeout: 20_000,
        },
      )
      .not.toBe('0');
    await host.must('rm /etc/docker/seen');
    expect((await run('plan', 'web', '--check')).status).toBe(0);
    await done('rollback', 'web', '--yes');
    expect(await rules()).toEqual(['-w /srv -p wa -k by-hand']);
    expect(await host.must('sha256sum /etc/audit/rules.d/*')).toBe(before);
    expect(await host.must('augenrules --check')).toMatch(/No change/);
  });

  it('goes on hearing after a reboot, and says so where it does not', { timeout: 900_000 }, async () => {
    const RUN = ['1.1.4', '1.1.8'];
    const heard = async () => {
      await host.must('chmod 0666 /run/containerd/containerd.sock; chmod 0660 /run/containerd/containerd.sock');
      // The log is written a moment later.
      return host.must(
        'sleep 3; ausearch --input-logs -k docker-tls -c chmod -ts boot 2>/dev/null | grep -c "name=.*containerd.sock"; :',
      );
    };
    const before = await host.must(`${ETC}; auditctl -l`);
    const generation = await host.must(
      'sed -n \'s/^  "generation": \\([0-9]*\\),/\\1/p\' /var/lib/docker-tls/state.json',
    );
    await done('harden', 'web', '--only', 'audit-rules', '--yes');
    expect(await verdicts(...WATCHED)).toEqual(all(WATCHED, 'pass'));
    await host.reboot();
    expect(await verdicts(...WATCHED)).toEqual(all(WATCHED, 'pass'));
    expect(await heard()).toBe('2');
    expect((await run('plan', 'web', '--check')).status).toBe(0);

    // As rules that somebody wrote by hand: loaded before containerd makes its directory.
    await host.must('mv /etc/tmpfiles.d/docker-tls.conf /root/');
    expect(await verdicts(...RUN), 'deaf from the next boot on').toEqual(all(RUN, 'finding'));
    await host.reboot();
    expect(await host.must('auditctl -l')).toContain('-w /run/containerd -p wa');
    expect(await heard()).toBe('0');
    expect(await verdicts(...WATCHED)).toEqual({ ...all(WATCHED, 'pass'), ...all(RUN, 'finding') });
    await done('harden', 'web', '--only', 'audit-rules', '--yes');
    expect(await verdicts(...WATCHED)).toEqual(all(WATCHED, 'pass'));
    expect(await heard()).toBe('2');

    await done('rollback', 'web', '--to', generation, '--yes');
    expect(await host.must(`${ETC}; auditctl -l`)).toBe(before);
  });

  it('the plug pulled in the middle of a change: the host comes back as it was, by itself', {
    timeout: 300_000,
  }, async () => {
    const args = ['--home', home, 'harden', 'web', '--only', 'audit-rules', '--yes'];
    const change = spawn(process.execPath, [program.bin, ...args], {
      env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' },
    });
    const ended = once(change, 'exit');
    await expect
      .poll(() => host.must('auditctl -l | grep -c docker-tls; :'), { timeout: 60_000, interval: 200 })
      .not.toBe('0');
    change.kill('SIGKILL');
    await ended;
    await host.reboot();
    expect(await host.must('ls /etc/audit/rules.d; auditctl -l')).not.toMatch(/docker-tls/);
    expect(await host.must('auditctl -l')).toBe('-w /opt -p wa -k other');
    expect((await run('plan', 'web', '--check')).status).toBe(0);
    await done('verify', 'web');
  });

  it('a clock that is an hour off is borne; one that is further off is named, with what to paste', {
    timeout: 240_000,
  }, async () => {
    // Credentials are made valid from 65 minutes before, just for this.
    await host.must('date -s "-1 hour"');
    await done('rotate', 'server', 'web', '--yes');
    await done('verify', 'web');
    expect((await run('doctor', 'web')).out).not.toMatch(/clock/);
    await host.must('date -s "-1 hour"');
    const set = /ssh .*timedatectl set-ntp true/;
    const refused = await run('rotate', 'server', 'web', '--yes');
    expect([refused.status, refused.err]).toEqual([
      4,
      expect.stringMatching(/E_CLOCK.*its clock is 120 minutes behind/),
    ]);
    expect(refused.err).toMatch(set);
    const verified = await run('verify', 'web');
    expect([verified.status, verified.err]).toEqual([7, expect.stringMatching(/not valid yet.*docker-tls doctor/)]);
    const doctor = await run('doctor', 'web');
    expect([doctor.status, doctor.out]).toEqual([7, expect.stringMatching(/clock-skew: .*2 h behind this computer/)]);
    expect(doctor.out).toMatch(set);
    await host.must('date -s "+2 hours"');
    await done('verify', 'web');
  });
});
