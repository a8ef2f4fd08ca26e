/**
 * Fixes, and taken back: containers, published ports, mutual TLS, ssh and jumps go on working, but for what a fix says it costs. Here, those
 * that touch daemon or network: the ones that cost nothing together, since none of them undoes another, and the costly ones alone.
 * EACH_FIX=SUITE,… (scripts/each-fix) tries every fix alone, also on a virtual machine.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FixName } from '../../src/features/audit/domain/fix-names.ts';
import { needsYes } from '../../src/features/audit/domain/fixes.ts';
import { FIXES, profilesOf } from '../../src/features/audit/domain/hardening/hardening.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp, type Suite, suites, type VmSuite } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { publishPort, type ReachedPort, reachLoopback, reachPort } from '../support/published-ports.ts';

const asked = (process.env.EACH_FIX ?? '').split(',').filter((word) => word !== '') as (Suite | VmSuite)[];
const whole = asked.length > 0;
/** An emulated processor is slow. */
const TIMEOUT_MS = whole ? 1_800_000 : 300_000;

/** Those of a container have names of the day. */
const INTERFACES =
  'cd /proc/sys/net && grep -s "" ipv[46]/conf/*/*_redirects ipv[46]/conf/*/accept_source_route ipv4/conf/*/log_martians ipv4/conf/*/rp_filter ipv4/conf/*/route_localnet | grep -v /veth | LC_ALL=C sort';

/** What these cost has a test of its own. */
const COSTLY: readonly string[] = ['icc', 'userland-proxy', 'userns-remap'];
const ALONE = FIXES.filter(
  ({ name, risk }) =>
    name !== 'live-restore' &&
    !COSTLY.includes(name) &&
    (whole || (risk !== 'yes' && (name === 'kernel-network' || profilesOf(name).includes('cis')))),
).map((fix) => fix.name as string);
const CASES = whole ? ALONE : [ALONE.join(',')];

let program: Program;
/** Behind each host, which is the jump to it; it asks from outside as well. */
let neighbour: LabHost;
let person: Person;
beforeAll(async () => {
  program = buildProgram();
  [neighbour] = (await labUp({ names: ['fix-neighbour'] })) as [LabHost];
  person = newPerson(program, [neighbour]);
});
afterAll(async () => {
  await neighbour?.down();
  person?.remove();
  program?.remove();
});

describe.each(whole ? asked : suites)('on %s', { timeout: TIMEOUT_MS }, (suite) => {
  let host: LabHost;
  let before: ReachedPort;

  const done = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await person.run(argv);
    expect(status, err).toBe(0);
    return out;
  };
  /** One fix, or several with commas between them. */
  const harden = (fixes: string, ...more: string[]) => {
    const accept = (fixes.split(',') as FixName[]).filter(needsYes).flatMap((name) => ['--accept', name]);
    return done('harden', host.name, '--only', fixes, ...accept, ...more, '--yes');
  };
  const running = () => host.must("docker inspect -f '{{.State.Pid}}' web peer asker");
  /** systemd takes three starts a minute for enough. */
  const restart = () => host.must('systemctl reset-failed docker; systemctl restart docker');
  /** dockerd makes the default bridge anew only then. */
  const startWithoutContainers = async () => {
    await host.must('docker stop -t 0 web peer asker');
    await restart();
    await host.must('docker start web peer asker');
  };

  beforeAll(async () => {
    [host] = (await labUp({ names: [`fix-${suite}`], suite })) as [LabHost];
    await publishPort(host);
    before = await reachPort(host, neighbour);
    await done(...person.setup(host, ['--host-key', 'accept-new'], 'ops'));
    await done(...person.setup(neighbour, ['--jump', `ops@${host.address}`, '--address', neighbour.address], 'ops'));
    // Alone, and the ground of all that follow: without it a restart of dockerd stops what runs.
    await harden('live-restore');
  }, TIMEOUT_MS * 3);
  afterAll(async () => {
    await host?.down();
  }, TIMEOUT_MS);

  it('every way works, also after setup and live-restore', async () => {
    expect(Object.values(before)).not.toContain(false);
    expect(await reachPort(host, neighbour)).toEqual(before);
  });

  it.each(CASES)('%s', async (fix) => {
    const pids = await running();
    const out = await harden(fix, ...(fix === 'banner' ? ['--banner', 'Authorized users only.'] : []));
    // It would cost the jump, which is why it is left out.
    if (fix === 'sshd-forwarding') expect(out).toSay('out-since-no-longer');
    expect(await reachPort(host, neighbour)).toEqual(before);
    await restart();
    expect(await running()).toBe(pids);
    expect(await reachPort(host, neighbour)).toEqual(before);
    await done('verify', host.name);
    // A host behind it, which takes a login here and one there.
    await done('plan', neighbour.name, '--check');
    expect((await host.ssh('sudo -n true', { user: 'ops' })).exit).toBe(0);
    expect((await host.ssh('true')).exit === 0).toBe(fix !== 'sshd-root');
    if (out.includes('nothing to do')) return;
    await done('rollback', host.name, '--yes');
    expect((await host.ssh('true')).exit).toBe(0);
    expect(await running()).toBe(pids);
  });

  it('userland-proxy costs what it says', async () => {
    const values = await host.must(INTERFACES);
    expect(await reachLoopback(host)).toEqual([false, false]);
    await harden('userland-proxy,kernel-network');
    expect(await reachLoopback(host)).toEqual([false, false]);
    const without = {
      ...before,
      'another host, IPv6': false,
      'the host, ::1': false,
      'the container itself': false,
      'a container of another network': false,
    };
    expect(await reachPort(host, neighbour)).toEqual(without);
    await host.must('docker restart -t 0 web');
    expect(await reachPort(host, neighbour)).toEqual({ ...without, 'the container itself': true });
    // Only the rule keeps them off, and every start of dockerd brings it back.
    await host.must('iptables -t raw -F PREROUTING');
    expect(await reachLoopback(host)).toEqual([true, true]);
    expect((await person.run(['audit', host.name])).out).toMatch(/docker0: route_localnet is 1/);
    await restart();
    expect(await reachLoopback(host)).toEqual([false, false]);
    // Interfaces that a boot makes anew have the values of before as well.
    await host.reboot();
    await host.must('docker start web peer asker');
    expect(await reachLoopback(host)).toEqual([false, false]);
    await done('plan', host.name, '--check');
    await done('rollback', host.name, '--yes');
    expect(await host.must(INTERFACES)).toBe(values);
    expect(await host.must('iptables -t raw -S PREROUTING')).not.toContain('127.0.0.0/8');
    // It was started without a proxy, and gets one at its next start.
    await host.must('docker restart -t 0 web');
    expect(await reachPort(host, neighbour)).toEqual(before);
  });

  it('icc parts the containers of the default bridge, and no published port', async () => {
    expect(await harden('icc')).toSay('bridge-can-no-longer');
    expect(await reachPort(host, neighbour), 'the bridge stays while containers run').toEqual(before);
    await startWithoutContainers();
    expect(await reachPort(host, neighbour)).toEqual({
      ...before,
      'a container of the same network, past the published port': false,
    });
    await done('rollback', host.name, '--yes');
    await startWithoutContainers();
    expect(await reachPort(host, neighbour)).toEqual(before);
  });

  it('userns-remap takes every published port away until the rollback, and no container', async () => {
    const pids = await running();
    expect(await harden('userns-remap')).toSay('ports-do-not-answer');
    expect(await reachPort(host, neighbour)).toEqual({
      ...Object.fromEntries(Object.keys(before).map((way) => [way, false])),
      'a container of the same network, past the published port': true,
    });
    await done('rollback', host.name, '--yes');
    expect(await reachPort(host, neighbour)).toEqual(before);
    expect(await running()).toBe(pids);
  });

  it('what an administrator has set as strictly or more so stays', async () => {
    const vm = suite.endsWith('-vm');
    await host.must(`set -e
      mkdir -p /etc/docker /etc/modprobe.d
      printf '%s\\n' 'MaxAuthTries 2' 'MaxSessions 5' 'ClientAliveInterval 60' 'ClientAliveCountMax 1' 'AllowTcpForwarding no' \\
        >/etc/ssh/sshd_config.d/00-admin.conf
      systemctl reload ssh
      for pair in net/ipv4/conf/all/rp_filter=2 net/ipv4/tcp_syncookies=2 net/ipv6/conf/all/accept_source_route=-1 \\
        ${vm ? 'kernel/yama/ptrace_scope=2 kernel/perf_event_paranoid=4' : ''}; do
        echo "\${pair#*=}" >"/proc/sys/\${pair%=*}"
      done
      for pair in PASS_MAX_DAYS=90 PASS_MIN_DAYS=7 SHA_CRYPT_MIN_ROUNDS=100000 SHA_CRYPT_MAX_ROUNDS=200000 UMASK=077; do
        sed -i "/^\${pair%=*}[[:space:]]/d" /etc/login.defs
        echo "\${pair%=*} \${pair#*=}" >>/etc/login.defs
      done
      printf 'umask 077\\nTMOUT=300\\nreadonly TMOUT\\n' >/etc/profile.d/admin.sh
      echo 'install cramfs /bin/true' >/etc/modprobe.d/admin.conf
      echo '{ "live-restore": true, "log-opts": { "max-size": "1m", "max-file": "2" }, "default-ulimits": { "nofile": { "Name": "nofile", "Hard": 1024, "Soft": 512 } } }' \\
        >/etc/docker/daemon.json
      chmod 0600 /etc/docker/daemon.json /etc/ssh/sshd_config.d/00-admin.conf
      chmod 0700 /etc/docker`);
    await restart();
    const active = () =>
      host.must(`sshd -T 2>/dev/null | tr A-Z a-z | grep -E '^(maxauthtries|maxsessions|clientalive|allowtcpforwarding)' | sort
        grep -s '' /proc/sys/net/ipv4/conf/all/rp_filter /proc/sys/net/ipv4/tcp_syncookies /proc/sys/net/ipv6/conf/all/accept_source_route \\
          /proc/sys/kernel/yama/ptrace_scope /proc/sys/kernel/perf_event_paranoid
        grep -E '^(PASS_M|SHA_CRYPT|UMASK)' /etc/login.defs
        bash -lc 'umask; echo "$TMOUT"'
        grep -rh cramfs /etc/modprobe.d
        stat -c '%a %n' /etc/docker /etc/docker/daemon.json /etc/ssh/sshd_config.d/00-admin.conf
        grep -oE '"(max-size|max-file|Hard|Soft)": *"?[0-9m]+' /etc/docker/daemon.json`);
    const strict = await active();
    expect(strict).toMatch(/maxauthtries 2\n.*maxsessions 5\n/s);
    await done('harden', host.name, '--profile', 'lynis', '--accept', 'umask,session-timeout', '--yes');
    expect(await active()).toBe(strict);
    await done('plan', host.name, '--check');
  });
});
