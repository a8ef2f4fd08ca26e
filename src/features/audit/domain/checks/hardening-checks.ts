/** Checks of the host outside Docker: kernel settings, modules and logins. Lynis has all of them, the CIS Docker Benchmark none. */

import { listWords } from '../../../../core/domain/words.ts';
import type { AuditFacts } from '../audit-facts.ts';
import {
  type Check,
  checksOf,
  type Evidence,
  findingAt,
  forPerson,
  judge,
  notApplicable,
  PASS,
  type Verdict,
} from '../check.ts';
import type { FixName } from '../fix-names.ts';
import { type HostSettingFacts, loadableModules, looseLoginDefs, TIMEOUT_S } from '../host-settings.ts';
import { isOwn, looseSysctls, SYSCTLS } from '../sysctls.ts';

const UNSAID = notApplicable('the host does not say');

/** Judges the host's settings. */
function judgeSettings(
  wrong: (settings: HostSettingFacts, facts: AuditFacts) => readonly Evidence[] | Verdict,
): Check['evaluate'] {
  return (facts) => {
    if (facts.settings === undefined) return UNSAID;
    const found = wrong(facts.settings, facts);
    return 'state' in found ? found : judge(found);
  };
}

function kernel(settings: HostSettingFacts, fix: FixName): readonly Evidence[] | Verdict {
  const rows = SYSCTLS.filter((row) => row.fix === fix);
  if (!rows.some((row) => isOwn(settings, row))) return notApplicable('a container has the kernel of another machine');
  return looseSysctls(settings, fix).map(({ key, now, value, interfaces }) => ({
    place: key,
    text: `is ${now}, not ${value}${interfaces === undefined ? '' : `, on ${listWords(interfaces, 20)}`}`,
  }));
}

function modules(settings: HostSettingFacts, fix: 'modules' | 'modules-used'): readonly Evidence[] | Verdict {
  if (settings.container) return notApplicable('a container has the kernel of another machine');
  const loadable = loadableModules(settings, fix);
  return loadable.length === 0 ? PASS : findingAt('modprobe', `can be loaded: ${loadable.join(', ')}`);
}

function timeoutWords(timeout: number | undefined): string {
  if (timeout === undefined) return 'TMOUT is not set';
  return Number.isNaN(timeout) ? 'TMOUT is not a number' : `TMOUT is ${timeout}`;
}

const SYSCTL = 'harden writes /etc/sysctl.d/zz-docker-tls.conf and the running value';

export const HARDENING_CHECKS: readonly Check[] = checksOf<Check>({
  'host.1': {
    title: 'The kernel ignores redirects, source routes and forged addresses',
    failure: 'The kernel accepts ICMP redirects and source routes',
    severity: 'low',
    why: 'Redirects, source routes and forged addresses lead traffic to other machines. IP forwarding, needed by Docker, is not affected.',
    fix: SYSCTL,
    fixable: 'kernel-network',
    evaluate: judgeSettings((settings) => kernel(settings, 'kernel-network')),
  },
  'host.2': {
    title: 'The kernel keeps its addresses and its log to itself',
    failure: 'The kernel shows its addresses or its log',
    severity: 'low',
    why: 'Exploits start from kernel addresses, the kernel log, ptrace and perf. Containers share the kernel.',
    fix: SYSCTL,
    fixable: 'kernel-self',
    evaluate: judgeSettings((settings) => kernel(settings, 'kernel-self')),
  },
  'host.3': {
    title: 'Users cannot load BPF programs',
    failure: 'Users can load BPF programs',
    severity: 'medium',
    why: 'The verifier of BPF has been a way to root more than once.',
    fix: `${SYSCTL}; 1 cannot be set back before the next boot`,
    fixable: 'kernel-bpf',
    evaluate: judgeSettings((settings) => {
      const found = kernel(settings, 'kernel-bpf');
      // Debian's value 2 also disables it, until root enables it.
      return 'state' in found || settings.sysctl.get('kernel.unprivileged_bpf_disabled') !== '2' ? found : PASS;
    }),
  },
  'host.4': {
    title: 'Modules that a server does not need are not loaded',
    failure: 'Modules that a server does not need can be loaded',
    severity: 'low',
    why: 'Rare protocols and file systems are loaded on demand, also for users, and their holes with them.',
    fix: 'install NAME /bin/false in /etc/modprobe.d/',
    fixable: 'modules',
    evaluate: judgeSettings((settings) => modules(settings, 'modules')),
  },
  'host.5': {
    title: 'sctp, squashfs and udf are not loaded',
    failure: 'sctp, squashfs and udf can be loaded',
    severity: 'info',
    why: 'They are loaded on demand. Docker needs sctp for published /sctp ports, snaps need squashfs.',
    fix: 'install NAME /bin/false in /etc/modprobe.d/, if no program needs them',
    fixable: 'modules-used',
    evaluate: judgeSettings((settings) => modules(settings, 'modules-used')),
  },
  'host.6': {
    title: 'No core dumps are kept',
    failure: 'Core dumps are kept',
    severity: 'low',
    why: 'The memory of a program holds keys and passwords.',
    fix: '* hard core 0 in /etc/security/limits.d/, Storage=none in /etc/systemd/coredump.conf.d/',
    fixable: 'core-dumps',
    evaluate: judgeSettings(({ coreLimit, coredumpStorage = 'not none' }) => [
      ...(coreLimit === '0'
        ? []
        : [
            {
              place: '/etc/security/limits.d',
              text:
                coreLimit === undefined ? 'no line "* hard core 0"' : `its last line for all says core ${coreLimit}`,
            },
          ]),
      ...(coredumpStorage === 'none' ? [] : [{ place: 'systemd-coredump', text: `Storage is ${coredumpStorage}` }]),
    ]),
  },
  'host.7': {
    title: 'Passwords of new accounts expire, and are hashed with many rounds',
    failure: 'Passwords of new accounts do not expire, or are hashed with few rounds',
    severity: 'info',
    why: 'It is for accounts made later, and for scanners: Debian hashes with yescrypt, and accounts should have keys.',
    fix: 'PASS_MAX_DAYS 365, PASS_MIN_DAYS 1 and others in /etc/login.defs',
    fixable: 'login-defs',
    evaluate: judgeSettings(({ loginDefs }) => {
      if (loginDefs.size === 0) return notApplicable('there is no /etc/login.defs');
      return looseLoginDefs(loginDefs, 'login-defs').map(({ key, now, value }) => ({
        place: '/etc/login.defs',
        text: `${key} is ${now === '' ? 'not set' : now}, not ${value}`,
      }));
    }),
  },
  'host.8': {
    title: 'A banner says before the login whose host it is',
    failure: 'No login banner',
    severity: 'info',
    why: 'Some courts ask for it. Its words are yours.',
    fix: (host) => `docker-tls harden ${host} --only banner --banner TEXT`,
    fixable: 'banner',
    evaluate: judgeSettings(({ issue }, { sshd }) => {
      const shown = sshd?.get('banner')?.[0];
      // The distribution's text names itself, or has getty insert its name.
      const plain = issue.length < 60 && /linux|ubuntu|fedora|suse|centos|red hat|\\[a-z]/i.test(issue);
      return [
        ...(issue === '' || plain ? [{ place: '/etc/issue.net', text: 'has no warning text' }] : []),
        ...(sshd !== undefined && (shown === undefined || shown === 'none')
          ? [{ place: 'sshd', text: 'shows no banner' }]
          : []),
      ];
    }),
  },
  'host.9': {
    title: 'New files of users are closed to others',
    failure: 'New files of users are open to others',
    severity: 'info',
    why: 'New files should not be readable by every user by default.',
    fix: 'UMASK 027 in /etc/login.defs, umask 027 in /etc/profile.d/',
    fixable: 'umask',
    evaluate: judgeSettings(({ loginDefs, umaskLoose }) => [
      ...looseLoginDefs(loginDefs, 'umask').map(({ now }) => ({
        place: '/etc/login.defs',
        text: `UMASK is ${now === '' ? 'not set' : now}`,
      })),
      ...umaskLoose.map((mask) => ({ place: '/etc/profile', text: `umask ${mask}` })),
    ]),
  },
  'host.10': {
    title: 'Idle shells end',
    failure: 'Idle shells do not end',
    severity: 'info',
    why: 'A shell that a user left open serves any passer-by.',
    fix: `TMOUT=${TIMEOUT_S} in /etc/profile.d/`,
    fixable: 'session-timeout',
    evaluate: judgeSettings(({ timeout }) =>
      timeout !== undefined && timeout > 0 && timeout <= TIMEOUT_S
        ? []
        : [{ place: '/etc/profile.d', text: timeoutWords(timeout) }],
    ),
  },
  'host.11': {
    title: "Containers cannot reach services on the host's 127.0.0.1",
    failure: "Containers can reach services on the host's 127.0.0.1",
    severity: 'medium',
    why: 'With userland-proxy=false, dockerd sets route_localnet on its bridges and never sets it back. A container with NET_ADMIN or NET_RAW then reaches services on 127.0.0.1 of the host. Many of these need no password.',
    fix: 'iptables -t raw -I PREROUTING ! -i lo -d 127.0.0.0/8 -j DROP; where docker-proxy runs, set net.ipv4.conf.NAME.route_localnet=0 instead',
    fixable: 'userland-proxy',
    evaluate: judgeSettings(({ loopback: { open, unclear, unseen } }) => {
      if (unseen && open.length > 0)
        return { state: 'not-applicable', reason: 'iptables did not say which rules there are', unseen: true };
      const routed = open.map((name) => ({ place: name, text: 'route_localnet is 1' }));
      if (unclear.length > 0 && open.length > 0) {
        const rules = unclear.slice(0, 5).map((rule) => ({ place: 'iptables -t raw', text: rule }));
        return forPerson('do these rules drop packets for 127.0.0.0/8 that do not come over lo?', [
          ...routed,
          ...rules,
        ]);
      }
      return routed.map(({ place, text }) => ({
        place,
        text: `${text}, and PREROUTING of iptables' raw table has no rule that drops packets for 127.0.0.0/8 that do not come over lo (other tables, and nftables, were not looked at)`,
      }));
    }),
  },
});
