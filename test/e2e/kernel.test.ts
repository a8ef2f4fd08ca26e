/**
 * What takes a kernel of its own, on a virtual machine (scripts/lab up --vm): audit rules really loaded and unloaded, containers that the
 * kernel confines and limits, a clock of the host's own, and the plug pulled in the middle of a change.
 */

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIXES } from '../../src/features/audit/domain/hardening/hardening.ts';
import { buildProgram, finished, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { type PausingProgram, pausingProgram } from '../support/pausing.ts';

let program: Program;
let pausing: PausingProgram;
let host: LabHost;
let home: string;

function run(...words: string[]) {
  return program.run(['--home', home, ...words], { env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' } });
}
async function done(...words: string[]) {
  const { status, out, err } = await run(...words);
  expect(status, err + out).toBe(0);
  return out;
}
async function inSync() {
  expect(await done('plan', 'web', '--check')).toSay('nothing-do-sync');
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

/** What the fixes write, in full. audit.rules.prev is augenrules' copy of what was there before its last change. */
const PLACES = 'audit tmpfiles.d sysctl.d modprobe.d profile.d security login.defs issue issue.net ssh';
const ETC = `cd /etc && find ${PLACES} -printf "%M %u:%g %p %l\\n" 2>/dev/null | sort && find ${PLACES} systemd/coredump.conf.d -type f ! -name audit.rules.prev -exec sha256sum {} + 2>/dev/null | sort`;
/** Running values of the kernel that nothing else changes meanwhile. */
const RUNNING =
  'cd /proc/sys && grep -rs "" dev/tty fs/protected_* fs/suid_dumpable kernel/kptr_restrict kernel/yama kernel/sysrq kernel/core_uses_pid kernel/dmesg_restrict kernel/perf_event_paranoid net/core/bpf_jit_harden net/ipv4/conf/all net/ipv4/conf/default net/ipv6/conf/all net/ipv6/conf/default | sort';
const BANNER = 'Authorized users only. Use of this system is monitored, recorded and reported.';
/** All but the remapping of users, which hides the containers. */
const ACCEPTED = FIXES.filter(({ name, risk }) => risk === 'yes' && name !== 'userns-remap')
  .map(({ name }) => name)
  .join(',');
const HARDENED = ['host.1', 'host.2', 'host.3', 'host.4', 'host.5', 'host.6', 'host.7', 'host.8', 'host.9', 'host.10'];

const WATCHED = [3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 17, 18].map((number) => `1.1.${number}`);
/** A warning of the change. */
const NOT_LOADED = /audit-rules:|audit rules:/;
const CONFINED = ['5.2', '5.11', '5.12', '5.22', '5.29'];

// The lab's virtual machines are x86_64.
describe.skipIf(process.arch !== 'x64')('on a virtual machine', () => {
  beforeAll(async () => {
    program = buildProgram();
    pausing = await pausingProgram();
    home = await mkdtemp(join(tmpdir(), 'docker-tls-kernel-'));
    [host] = (await labUp({ names: ['kernel-vm'], suite: 'trixie-vm' })) as [LabHost];
  }, 600_000);
  afterAll(async () => {
    await host?.down();
    await rm(home, { recursive: true, force: true });
    program?.remove();
    pausing?.remove();
  });

  it('setup, and containers as the kernel confines and limits them', { timeout: 900_000 }, async () => {
    await host.must('docker network inspect net >/dev/null 2>&1 || docker network create net');
    const limits = '--network net --memory 64m --cpus 0.5 --pids-limit 50';
    await host.container('web', `${limits} -p 8081:80`, 'httpd -f -h /etc');
    await host.container('asker', limits);
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
      // An emulated processor beside other work is slow.
      '--confirm-within',
      '5m',
      '--yes',
    );
    expect(await verdicts(...CONFINED, ...WATCHED)).toEqual({ ...all(CONFINED, 'pass'), ...all(WATCHED, 'finding') });
    await host.container('loose', '--security-opt apparmor=unconfined --security-opt seccomp=unconfined');
    expect(await verdicts(...CONFINED)).toEqual(all(CONFINED, 'finding'));
    await host.must('docker rm -f loose');
  });

  it('every fix together: Docker, its network and ssh go on working, also after a reboot; audit rules are heard, and no others are lost', {
    timeout: 1_800_000,
  }, async () => {
    // What users have of a host: containers that start, reach one another and are reached, ssh, and mutual TLS.
    const works = async (start: string) => {
      await host.must(`${start}docker start web asker`);
      expect(await host.must('docker exec asker wget -q -T 5 -O - http://web/hostname')).not.toBe('');
      const outside = await fetch(`http://${host.address}:8081/hostname`, { signal: AbortSignal.timeout(10_000) });
      expect(outside.ok).toBe(true);
      expect((await host.ssh('sudo -n true', { user: 'ops' })).exit).toBe(0);
      await done('verify', 'web');
    };
    const RUN = ['1.1.4', '1.1.8'];
    const heard = async (times: string) => {
      // The log is written a moment later.
      await host.must(
        'chmod 0666 /run/containerd/containerd.sock; chmod 0660 /run/containerd/containerd.sock; sleep 3',
      );
      const count =
        'ausearch --input-logs -k docker-tls -c chmod -ts boot 2>/dev/null | grep -c "name=.*containerd.sock"; :';
      await expect.poll(() => host.must(count), { timeout: 60_000, interval: 1000 }).toBe(times);
    };
    const rules = async () => (await host.must('auditctl -l')).split('\n');
    const byHand = 'auditctl -w /srv -p wa -k by-hand';
    // Rules of others, not loaded.
    const others = "'-w /opt -p wa -k other' '-w /mnt -p wa -k unloaded'";
    await host.must(`${byHand}; printf '%s\\n' ${others} >/etc/audit/rules.d/other.rules; augenrules`);
    expect(await rules()).toEqual(['-w /srv -p wa -k by-hand']);
    const before = await host.must(`${ETC}; ${RUNNING}`);
    const bpf = await host.must('cat /proc/sys/kernel/unprivileged_bpf_disabled');
    const generation = await host.must(
      'sed -n \'s/^  "generation": \\([0-9]*\\),/\\1/p\' /var/lib/docker-tls/state.json',
    );
    const hardened = await done(
      'harden',
      'web',
      '--profile',
      'lynis',
      '--accept',
      ACCEPTED,
      '--banner',
      BANNER,
      '--yes',
    );
    expect(hardened).not.toMatch(NOT_LOADED);
    expect(await rules()).toEqual(
      expect.arrayContaining(['-w /srv -p wa -k by-hand', '-w /etc/docker -p wa -k docker-tls']),
    );
    await host.must('touch /etc/docker/seen');
    // Without a terminal ausearch reads what it is given. The log is written a moment later.
    const seen = 'ausearch --input-logs -k docker-tls 2>/dev/null | grep -q \'name="/etc/docker/seen"\'';
    await host.must(`timeout 60 sh -c 'until ${seen.replaceAll("'", `'\\''`)}; do sleep 1; done'; rm /etc/docker/seen`);
    // The record of the audit's own attempt is read back; nothing is written to the file.
    const inLog = async () => {
      const { out } = await run('audit', 'web', '--check', 'host.18', '--probe-auditd', '--json');
      return JSON.parse(out).result.subjects[0].results[0];
    };
    const times = 'stat -c "%y %z %s" /etc/docker/daemon.json';
    const untouched = await host.must(times);
    expect(await inLog()).toMatchObject({ id: 'host.18', state: 'pass' });
    expect(await host.must(times)).toBe(untouched);
    await host.must('auditctl -e 0');
    expect((await inLog()).evidence).toContainEqual(
      expect.objectContaining({ place: '/etc/docker/daemon.json', text: expect.stringContaining('no record') }),
    );
    await host.must('auditctl -e 1');
    const judged = [...WATCHED, ...HARDENED];
    expect(await verdicts(...judged)).toEqual({ ...all(judged, 'pass'), '1.1.5': 'finding' });
    await works('systemctl restart docker && ');
    await host.reboot();
    expect(await verdicts(...judged)).toEqual({ ...all(judged, 'pass'), '1.1.5': 'finding' });
    // The boot has started it.
    await works('');
    await heard('2');
    await inSync();

    // As rules that were written by hand: loaded before containerd makes its directory.
    // `reboot` pulls the plug: a kernel writes what nobody syncs up to 5 s later.
    await host.must('mv /etc/tmpfiles.d/docker-tls.conf /root/ && sync');
    expect(await verdicts(...RUN), 'deaf from the next boot on').toEqual(all(RUN, 'finding'));
    await host.reboot();
    expect(await host.must('auditctl -l')).toContain('-w /run/containerd -p wa');
    await heard('0');
    expect(await verdicts(...WATCHED)).toEqual({ ...all(WATCHED, 'pass'), '1.1.5': 'finding', ...all(RUN, 'finding') });
    expect(await done('harden', 'web', '--only', 'audit-rules', '--yes')).not.toMatch(NOT_LOADED);
    expect(await verdicts(...WATCHED)).toEqual({ ...all(WATCHED, 'pass'), '1.1.5': 'finding' });
    await heard('2');
    await inSync();

    // The one that was loaded by hand before went with the reboot; those of the file came.
    await host.must(`${byHand}; auditctl -W /mnt -p wa -k unloaded`);
    const back = await done('rollback', 'web', '--to', generation, '--yes');
    expect(await host.must(`${ETC}; ${RUNNING}`)).toBe(before);
    // One of a file, and one loaded by hand; the one that is not loaded stays so.
    expect((await rules()).sort()).toEqual(['-w /opt -p wa -k other', '-w /srv -p wa -k by-hand']);
    expect(await host.must('augenrules --check')).toMatch(/No change/);
    // The one that goes one way only.
    if (bpf !== '1') expect(back).toSay('stays-until-next-boot', 'kernel.unprivileged_bpf_disabled', '1');
  });

  it('the plug pulled in the middle of a change: the host comes back as it was, by itself', {
    timeout: 900_000,
  }, async () => {
    const running = await host.must(RUNNING);
    await host.must('echo "-w /opt -p wa -k other" >/etc/audit/rules.d/other.rules');
    // The host waits there, whoever is slow: all is switched, and the program has not heard of it.
    await host.must('printf switched >/run/fault-step');
    const args = ['--home', home, 'harden', 'web', '--only', 'audit-rules,kernel-network,kernel-self', '--yes'];
    const change = pausing.start([...args, '--confirm-within', '15m'], home);
    const ended = finished(change);
    const stopped = await Promise.race([
      host.must('until [ -e /run/fault-at ]; do sleep 0.5; done; auditctl -l'),
      ended.then(({ err }) => err),
    ]);
    expect(stopped).toContain('-k docker-tls');
    expect(await host.must(RUNNING)).not.toBe(running);
    // The store has nothing of the change.
    change.kill('SIGKILL');
    await ended;
    await host.reboot();
    expect(await host.must('ls /etc/audit/rules.d; auditctl -l')).not.toMatch(/docker-tls/);
    expect(await host.must('auditctl -l')).toBe('-w /opt -p wa -k other');
    expect(await host.must(RUNNING)).toBe(running);
    await inSync();
    await done('verify', 'web');
  });

  it('a clock that is an hour off is borne; one that is further off is named, with what to paste', {
    timeout: 900_000,
  }, async () => {
    // By this computer's clock: an emulated one runs late, and a test may be tried again.
    const setBack = (hours: number) => host.must(`date -u -s @${Math.floor(Date.now() / 1000) - hours * 3600}`);
    // Credentials are made valid from 65 minutes before, just for this.
    await setBack(1);
    await done('rotate', 'server', 'web', '--yes');
    await done('verify', 'web');
    expect((await run('doctor', 'web')).out).not.toMatch(/clock/);
    await setBack(2);
    const set = /ssh .* date -u -s @\$\(date \+%s\)/;
    const refused = await run('rotate', 'server', 'web', '--yes');
    expect([refused.status, refused.err]).toEqual([4, expect.toSay('clock-minutes-behind', 'E_CLOCK', '120')]);
    expect(refused.err).toMatch(set);
    const verified = await run('verify', 'web');
    expect([verified.status, verified.out]).toEqual([7, expect.stringMatching(/not valid yet.*docker-tls doctor/)]);
    const doctor = await run('doctor', 'web');
    expect([doctor.status, doctor.out]).toEqual([7, expect.toSay('clock-skew-behind-computer', '2')]);
    expect(doctor.out).toMatch(set);
    // As printed, pasted; this host has no time service.
    const [command = ''] = set.exec(doctor.out) ?? [];
    const known = command.replace('ssh ', `ssh -o UserKnownHostsFile=${host.knownHostsFile} `);
    execFileSync('/bin/sh', ['-c', known], { stdio: 'ignore' });
    await done('verify', 'web');
  });
});
