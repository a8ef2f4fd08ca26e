/** Checks of sshd's effective settings (sshd -T), with includes and defaults. */

import type { AuditFacts } from '../audit-facts.ts';
import {
  type Check,
  checksOf,
  type Evidence,
  finding,
  notApplicable,
  PASS,
  SEVERITIES,
  type Verdict,
} from '../check.ts';
import { methodLists, secondFactors, suffices } from '../sshd-facts.ts';
import { type Fault, OF_PROTOCOL, type SshCheck } from './sshd-protocol.ts';

const NO_SSHD = notApplicable('sshd is not installed, or does not run');

/**
 * A Match block overrides the global settings for its logins (sshd_config(5)). The check judges two blocks that match the same login
 * separately.
 */
function inMatches(
  { sshdMatch }: AuditFacts,
  forAll: (key: string) => string,
  wrong: (value: (key: string) => string) => Fault | undefined,
): readonly Fault[] {
  return sshdMatch.flatMap(({ criteria, settings }) => {
    const requested = new Set<string>();
    const fault = wrong((key) => {
      requested.add(key);
      return settings.get(key)?.toLowerCase() ?? forAll(key);
    });
    const says = [...requested].some((key) => settings.has(key));
    return fault === undefined || !says ? [] : [{ ...fault, text: `Match ${criteria}: ${fault.text}` }];
  });
}

function judgeSshd(
  facts: AuditFacts,
  { severity, wrong, unfixable }: Pick<SshCheck, 'severity' | 'wrong' | 'unfixable'>,
): Verdict {
  const { sshd } = facts;
  if (sshd === undefined)
    return facts.sshdRefusal.length > 0
      ? { state: 'not-applicable', reason: 'sshd does not take its configuration', unseen: true }
      : NO_SSHD;
  const forAll = (key: string): string => sshd.get(key)?.[0]?.toLowerCase() ?? '';
  const found = wrong(forAll);
  const faults = [...(found === undefined ? [] : [found]), ...inMatches(facts, forAll, wrong)];
  if (faults.length === 0) return PASS;
  const worst = SEVERITIES.find((one) => faults.some((fault) => (fault.severity ?? severity) === one));
  const stays = found === undefined ? 'it is in a Match block: take it out there' : unfixable?.(facts);
  return finding(
    faults.map(({ text }): Evidence => ({ place: 'sshd', text })),
    worst,
    stays,
  );
}

/** By check ID. */
const OF_SETTINGS: Readonly<Record<string, SshCheck>> = {
  'ssh.1': {
    title: 'Logins are logged with the key that was used',
    failure: 'Logins are logged without the key that was used',
    severity: 'low',
    why: 'With LogLevel VERBOSE the fingerprint of each key is logged: which user it was, and not only that root logged in.',
    lines: 'LogLevel VERBOSE',
    fixable: 'sshd',
    wrong: (value) =>
      /^(verbose|debug)/.test(value('loglevel'))
        ? undefined
        : { text: `LogLevel is ${value('loglevel').toUpperCase()}` },
  },
  'ssh.2': {
    title: 'root cannot log in',
    failure: 'root can log in',
    severity: 'medium',
    why: 'A login as root says nothing about who it was.',
    lines: 'PermitRootLogin no (log in as a user with sudo)',
    fixable: 'sshd-root',
    wrong: (value) => {
      const root = value('permitrootlogin');
      if (root === 'no' || root === 'forced-commands-only') return undefined;
      return root === 'yes'
        ? { text: 'PermitRootLogin is yes', severity: 'high' }
        : { text: `PermitRootLogin is ${root}: with a key`, severity: 'low' };
    },
    unfixable: ({ operator, sshd }) =>
      operator === 'root' && sshd?.get('permitrootlogin')?.[0] !== 'yes'
        ? 'not from a login as root, which would shut itself out: make a user with sudo and a key, then docker-tls setup USER@HOST and harden'
        : undefined,
  },
  'ssh.3': {
    title: 'At most four tries for each connection',
    failure: 'More than four tries for each connection',
    severity: 'low',
    why: 'Each try is a guess.',
    lines: 'MaxAuthTries 4',
    fixable: 'sshd',
    wrong: (value) =>
      Number(value('maxauthtries')) <= 4 ? undefined : { text: `MaxAuthTries is ${value('maxauthtries')}` },
  },
  'ssh.4': {
    title: 'At most ten sessions for each connection',
    failure: 'More than ten sessions for each connection',
    severity: 'low',
    why: 'More sessions than needed make it easier to wear the host out.',
    lines: 'MaxSessions 10',
    fixable: 'sshd',
    wrong: (value) =>
      Number(value('maxsessions')) <= 10 ? undefined : { text: `MaxSessions is ${value('maxsessions')}` },
  },
  'ssh.5': {
    title: 'Keys are accepted',
    failure: 'Keys are not accepted',
    severity: 'medium',
    why: 'Without them only passwords are left.',
    lines: 'PubkeyAuthentication yes',
    fixable: 'sshd',
    wrong: (value) => (value('pubkeyauthentication') === 'no' ? { text: 'PubkeyAuthentication is no' } : undefined),
  },
  'ssh.6': {
    title: 'Passwords are not accepted',
    failure: 'Passwords are accepted',
    severity: 'high',
    why: 'Passwords are guessed day and night.',
    lines: 'PasswordAuthentication no and KbdInteractiveAuthentication no (when login with a key works)',
    fixable: 'sshd-passwords',
    wrong: (value) => {
      const lists = methodLists(value('authenticationmethods'));
      if (value('passwordauthentication') === 'yes' && suffices('password', lists))
        return { text: 'PasswordAuthentication is yes' };
      // PAM also prompts for passwords by this method. Before OpenSSH 8.7 either setting enables it.
      const keyboard = ['kbdinteractiveauthentication', 'challengeresponseauthentication'].some(
        (key) => value(key) === 'yes',
      );
      return keyboard && value('usepam') === 'yes' && suffices('keyboard-interactive', lists)
        ? { text: 'KbdInteractiveAuthentication is yes: PAM asks for passwords' }
        : undefined;
    },
    unfixable: ({ sshd = new Map(), sshdMatch }) => {
      const needed = secondFactors(sshd, sshdMatch);
      const open = [
        ...(sshd.get('passwordauthentication')?.[0] === 'yes' ? (['password'] as const) : []),
        ...(sshd.get('kbdinteractiveauthentication')?.[0] === 'yes' ? (['keyboard-interactive'] as const) : []),
      ];
      return open.length > 0 && open.every((method) => needed.has(method))
        ? 'AuthenticationMethods requires it for some logins in addition to a key; AuthenticationMethods publickey disables it for all others'
        : undefined;
    },
  },
  'ssh.7': {
    title: 'Empty passwords are not accepted',
    failure: 'Empty passwords are accepted',
    severity: 'critical',
    why: 'An account without a password is open to all.',
    lines: 'PermitEmptyPasswords no',
    fixable: 'sshd',
    wrong: (value) =>
      value('permitemptypasswords') === 'yes'
        ? {
            text: 'PermitEmptyPasswords is yes',
            severity: value('passwordauthentication') === 'yes' ? 'critical' : 'low',
          }
        : undefined,
  },
  'ssh.9': {
    title: 'X11 is not forwarded',
    failure: 'X11 is forwarded',
    severity: 'low',
    why: 'A server shows no windows, and a forwarded display can be read and typed into by root there.',
    lines: 'X11Forwarding no',
    fixable: 'sshd-x11',
    wrong: (value) => (value('x11forwarding') === 'yes' ? { text: 'X11Forwarding is yes' } : undefined),
  },
  'ssh.10': {
    title: 'Sessions of lost clients end',
    failure: 'Sessions of lost clients stay open',
    severity: 'info',
    why: 'An answer inside the encryption tells whether the client is still there; TCP keepalives can be forged.',
    lines: 'TCPKeepAlive no, ClientAliveInterval 300 and ClientAliveCountMax 2',
    fixable: 'sshd-idle',
    wrong: (value) => {
      const interval = Number(value('clientaliveinterval'));
      if (interval === 0 || interval > 300) return { text: `ClientAliveInterval is ${interval}` };
      if (Number(value('clientalivecountmax')) > 2)
        return { text: `ClientAliveCountMax is ${value('clientalivecountmax')}` };
      return value('tcpkeepalive') === 'yes' ? { text: 'TCPKeepAlive is yes' } : undefined;
    },
  },
  'ssh.11': {
    title: 'Connections and agents are not forwarded',
    failure: 'Connections and agents are forwarded',
    severity: 'info',
    why: 'Anyone who logs in reaches the network behind the host, and root uses a forwarded agent. Jumps and editors need it.',
    lines: 'AllowTcpForwarding no and AllowAgentForwarding no',
    fixable: 'sshd-forwarding',
    wrong: (value) => {
      const open = ['AllowTcpForwarding', 'AllowAgentForwarding'].filter(
        (keyword) => !['no', ''].includes(value(keyword.toLowerCase())),
      );
      return open.length === 0 ? undefined : { text: `${open.join(' and ')}: not no` };
    },
  },
  'ssh.13': {
    title: 'Clients open no ports on the host by SSH',
    failure: 'Clients can open ports on the host by SSH',
    severity: 'info',
    why: 'Anyone who logs in can offer a service of another machine under the name of this one.',
    lines: 'AllowTcpForwarding local',
    fixable: 'sshd-remote-forwarding',
    wrong: (value) =>
      /^(yes|all|remote)$/.test(value('allowtcpforwarding')) ? { text: 'ssh -R opens ports' } : undefined,
  },
  'ssh.12': {
    title: 'At most two sessions for each connection',
    failure: 'More than two sessions for each connection',
    severity: 'info',
    why: 'Lynis wants two. Shared connections (ControlMaster, Ansible, DOCKER_HOST=ssh://) want more.',
    lines: 'MaxSessions 2',
    fixable: 'sshd-sessions',
    wrong: (value) =>
      Number(value('maxsessions')) <= 2 ? undefined : { text: `MaxSessions is ${value('maxsessions')}` },
  },
};

export const SSH_CHECKS: readonly Check[] = [
  ...Object.entries({ ...OF_SETTINGS, ...OF_PROTOCOL }).map(
    ([id, { lines, wrong, unfixable, ...words }]): Check => ({
      id,
      ...words,
      fix: `${lines} in /etc/ssh/sshd_config.d/, then: sshd -t && systemctl restart ssh`,
      evaluate: (facts) => judgeSshd(facts, { severity: words.severity, wrong, unfixable }),
    }),
  ),
  ...checksOf<Check>({
    'ssh.8': {
      severity: 'high',
      title: 'sshd takes its configuration',
      failure: 'sshd rejects its configuration',
      why: 'It would not start with it: after the next boot no login works.',
      fix: 'sshd -t names file and line',
      evaluate: ({ sshd, sshdRefusal }) => {
        if (sshdRefusal.length > 0) return finding(sshdRefusal.map((text) => ({ place: 'sshd', text })));
        return sshd === undefined ? NO_SSHD : PASS;
      },
    },
  }),
];
