/** Owns the checks of the host outside of Docker: kernel settings, modules and logins. Lynis asks for all of them, the CIS Docker Benchmark for none. */

import {
  type Check,
  type Evidence,
  finding,
  judge,
  notApplicable,
  PASS,
  type Severity,
  type Verdict,
} from '../check.ts';
import type { AuditFacts } from '../facts.ts';
import type { FixName } from '../fixes.ts';
import {
  type HostSettings,
  isOwn,
  isStrict,
  looseLoginDefs,
  looseModules,
  looseSysctls,
  SYSCTLS,
  TIMEOUT_S,
} from '../host-settings.ts';

const UNSAID = notApplicable('the host does not say');

function check(
  id: string,
  fixable: FixName,
  severity: Severity,
  title: string,
  failure: string,
  why: string,
  fix: Check['fix'],
  wrong: (settings: HostSettings, facts: AuditFacts) => readonly Evidence[] | Verdict,
): Check {
  return {
    id,
    severity,
    title,
    failure,
    why,
    fix,
    fixable,
    evaluate: (facts) => {
      if (facts.settings === undefined) return UNSAID;
      const found = wrong(facts.settings, facts);
      return 'state' in found ? found : judge(found);
    },
  };
}

function kernel(settings: HostSettings, fix: FixName): readonly Evidence[] | Verdict {
  const rows = SYSCTLS.filter((row) => row.fix === fix);
  if (!rows.some((row) => isOwn(settings, row))) return notApplicable('a container has the kernel of another machine');
  return looseSysctls(settings, fix).map(({ key, now, value }) => ({ place: key, text: `is ${now}, not ${value}` }));
}

function modules(settings: HostSettings, fix: 'modules' | 'modules-used'): readonly Evidence[] | Verdict {
  if (settings.container) return notApplicable('a container has the kernel of another machine');
  const loose = looseModules(settings, fix);
  return loose.length === 0 ? PASS : finding([{ place: 'modprobe', text: `can be loaded: ${loose.join(', ')}` }]);
}

function timeoutWords(timeout: number | undefined): string {
  if (timeout === undefined) return 'TMOUT is not set';
  return Number.isNaN(timeout) ? 'TMOUT is set to what is not a plain number' : `TMOUT is ${timeout}`;
}

const SYSCTL = 'harden writes /etc/sysctl.d/zz-docker-tls.conf and the running value';

export const HARDENING_CHECKS: readonly Check[] = [
  check(
    'host.1',
    'kernel-network',
    'low',
    'The kernel ignores redirects, source routes and forged addresses',
    'The network of the kernel believes what others tell it',
    'Redirects, source routes and forged addresses lead traffic to other machines. Forwarding, which Docker needs, is none of it.',
    SYSCTL,
    (settings) => kernel(settings, 'kernel-network'),
  ),
  check(
    'host.2',
    'kernel-self',
    'low',
    'The kernel keeps its addresses and its log to itself',
    'The kernel shows its addresses or its log',
    'Kernel addresses, its log, ptrace and perf are what an exploit begins with; containers share the kernel.',
    SYSCTL,
    (settings) => kernel(settings, 'kernel-self'),
  ),
  check(
    'host.3',
    'kernel-bpf',
    'medium',
    'Users cannot load BPF programs',
    'Users can load BPF programs',
    'The verifier of BPF has been a way to root more than once.',
    `${SYSCTL}; 1 cannot be set back before the next boot`,
    (settings) => {
      const found = kernel(settings, 'kernel-bpf');
      // 2, as Debian has it, shuts it as well, until root opens it.
      return 'state' in found || settings.sysctl.get('kernel.unprivileged_bpf_disabled') !== '2' ? found : PASS;
    },
  ),
  check(
    'host.4',
    'modules',
    'low',
    'Modules that a server does not need are not loaded',
    'Modules that a server does not need can be loaded',
    'Rare protocols and file systems are loaded on demand, also for users, and their holes with them.',
    'install NAME /bin/false in /etc/modprobe.d/',
    (settings) => modules(settings, 'modules'),
  ),
  check(
    'host.5',
    'modules-used',
    'info',
    'sctp, squashfs and udf are not loaded',
    'sctp, squashfs and udf can be loaded',
    'They are loaded on demand. Docker needs sctp for published /sctp ports, snaps need squashfs.',
    'install NAME /bin/false in /etc/modprobe.d/, where nothing needs them',
    (settings) => modules(settings, 'modules-used'),
  ),
  check(
    'host.6',
    'core-dumps',
    'low',
    'No core dumps are kept',
    'Core dumps are kept',
    'The memory of a program holds keys and passwords.',
    '* hard core 0 in /etc/security/limits.d/, Storage=none in /etc/systemd/coredump.conf.d/',
    ({ coreLimit, coredumpStorage = 'not none' }) => [
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
    ],
  ),
  check(
    'host.7',
    'login-defs',
    'info',
    'Passwords of new accounts expire, and are hashed with many rounds',
    'Passwords of new accounts do not expire, or are hashed with few rounds',
    'It is for accounts made later, and for scanners: Debian hashes with yescrypt, and accounts should have keys.',
    'PASS_MAX_DAYS 365, PASS_MIN_DAYS 1 and others in /etc/login.defs',
    ({ loginDefs }) => {
      if (loginDefs.size === 0) return notApplicable('there is no /etc/login.defs');
      return looseLoginDefs(loginDefs, 'login-defs').map(({ key, now, value }) => ({
        place: '/etc/login.defs',
        text: `${key} is ${now === '' ? 'not set' : now}, not ${value}`,
      }));
    },
  ),
  check(
    'host.8',
    'banner',
    'info',
    'A banner says before the login whose host it is',
    'No banner says before the login whose host it is',
    'Some courts ask for it. Its words are yours.',
    (host) => `docker-tls harden ${host} --only banner --banner TEXT`,
    ({ issue }, { sshd }) => {
      const shown = sshd?.get('banner')?.[0];
      // What the distribution wrote names itself, or has getty fill that in.
      const plain = issue.length < 60 && /linux|ubuntu|fedora|suse|centos|red hat|\\[a-z]/i.test(issue);
      return [
        ...(issue === '' || plain ? [{ place: '/etc/issue.net', text: 'has no text of its own' }] : []),
        ...(sshd !== undefined && (shown === undefined || shown === 'none')
          ? [{ place: 'sshd', text: 'shows no banner' }]
          : []),
      ];
    },
  ),
  check(
    'host.9',
    'umask',
    'info',
    'New files of users are closed to others',
    'New files of users are open to others',
    'What is made without a thought should not be open to all.',
    'UMASK 027 in /etc/login.defs, umask 027 in /etc/profile.d/',
    ({ loginDefs, umaskInTheEnd }) => [
      ...looseLoginDefs(loginDefs, 'umask').map(({ now }) => ({
        place: '/etc/login.defs',
        text: `UMASK is ${now === '' ? 'not set' : now}`,
      })),
      ...umaskInTheEnd
        .filter((mask) => !isStrict(mask))
        .map((mask) => ({ place: '/etc/profile', text: `umask ${mask}` })),
    ],
  ),
  check(
    'host.10',
    'session-timeout',
    'info',
    'Idle shells end',
    'Idle shells do not end',
    'A shell that a user left open serves any passer-by.',
    `TMOUT=${TIMEOUT_S} in /etc/profile.d/`,
    ({ timeout }) =>
      timeout !== undefined && timeout > 0 && timeout <= TIMEOUT_S
        ? []
        : [{ place: '/etc/profile.d', text: timeoutWords(timeout) }],
  ),
];
