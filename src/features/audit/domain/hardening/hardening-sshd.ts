/** Fixes of sshd: one drop-in that precedes all others, since the first value that sshd reads wins (sshd_config(5)). */

import { listWords } from '../../../../core/domain/words.ts';
import type { FixName } from '../fix-names.ts';
import { type SshdMatch, secondFactors } from '../sshd-facts.ts';
import { ISSUE_FILES } from './hardening-host.ts';

export const SSHD_CONFIG = '/etc/ssh/sshd_config';

/** The login of this run. It must continue to work. */
export type SshdLogin = {
  readonly user: string;
  /** Over SSH instead of locally. */
  readonly remote: boolean;
  /** With a key and without a password. */
  readonly byKey: boolean;
};

export type SshdInput = {
  /** Effective settings (`sshd -T`); undefined without sshd, or if it rejects its configuration. */
  readonly settings: ReadonlyMap<string, readonly string[]> | undefined;
  /** 8.2 is 802. */
  readonly version: number | undefined;
  /** Match blocks: they override any drop-in. */
  readonly matches: readonly SshdMatch[];
  /** Content of sshd_config. */
  readonly config: string | undefined;
  readonly login: SshdLogin;
  /** Maximum number of keys and passwords per connection. */
  readonly maxAuthTries: number;
  /** Hosts of the store that use this one as jump host. */
  readonly leadsTo: readonly string[];
  /** A banner file exists for sshd. */
  readonly banner: boolean;
};

export type HardenedSshd = {
  readonly content?: string;
  /** Keywords whose value changes. */
  readonly changed: readonly string[];
  readonly notes: readonly string[];
};

const MOST_SESSIONS = 10;
const STRICT_SESSIONS = 2;

/** Fixes that only add lines to the drop-in. `most`: keep a smaller value of the host. */
const LINES: readonly { fix: FixName; keyword: string; value: string; most?: true }[] = [
  { fix: 'sshd-idle', keyword: 'TCPKeepAlive', value: 'no' },
  { fix: 'sshd-idle', keyword: 'ClientAliveInterval', value: '300', most: true },
  { fix: 'sshd-idle', keyword: 'ClientAliveCountMax', value: '2', most: true },
  { fix: 'sshd-x11', keyword: 'X11Forwarding', value: 'no' },
];

/** Keywords in the drop-in that show the effect of a fix. */
export const SSHD_KEYWORDS: Readonly<Partial<Record<FixName, RegExp>>> = {
  sshd: /^MaxAuthTries$/,
  'sshd-root': /^PermitRootLogin$/,
  'sshd-passwords': /^(Password|KbdInteractive|ChallengeResponse)Authentication$/,
  'sshd-idle': /^(TCPKeepAlive|ClientAlive.*)$/,
  'sshd-x11': /^X11Forwarding$/,
  'sshd-remote-forwarding': /^AllowTcpForwarding$/,
  'sshd-forwarding': /^Allow(Tcp|Agent)Forwarding$/,
  'sshd-sessions': /^MaxSessions$/,
};

/** Fixes in this drop-in. */
export const SSHD_FIXES: readonly string[] = [...Object.keys(SSHD_KEYWORDS), 'banner'];

const FIRST_WITH_INCLUDE = 802;

/** Text of the drop-in, or notes that explain its absence. Keeps stricter settings of the host. */
export function hardenSshd(fixes: ReadonlySet<FixName>, input: SshdInput): HardenedSshd {
  if (![...fixes].some((fix) => SSHD_FIXES.includes(fix))) return { changed: [], notes: [] };
  const { settings } = input;
  if (settings === undefined)
    return { changed: [], notes: ['sshd: not installed, or it rejects its own configuration (sshd -t)'] };
  const now = (key: string): string => settings.get(key.toLowerCase())?.[0]?.toLowerCase() ?? '';
  const lines: [string, string][] = [];
  const notes: string[] = [];
  if (fixes.has('sshd')) {
    if (!now('LogLevel').startsWith('debug')) lines.push(['LogLevel', 'VERBOSE']);
    lines.push(['MaxAuthTries', `${atMost(now('MaxAuthTries'), input.maxAuthTries, 0)}`]);
  }
  if (fixes.has('sshd') || fixes.has('sshd-sessions')) {
    const most = fixes.has('sshd-sessions') ? STRICT_SESSIONS : MOST_SESSIONS;
    lines.push(['MaxSessions', `${atMost(now('MaxSessions'), most, 0)}`]);
  }
  if (fixes.has('sshd')) lines.push(['PermitEmptyPasswords', 'no']);
  lines.push(...forwardingLines(fixes, now('AllowTcpForwarding'), input.leadsTo, notes));
  for (const { fix, keyword, value, most } of LINES) {
    if (!fixes.has(fix)) continue;
    lines.push([keyword, most === undefined ? value : `${atMost(now(keyword), Number(value))}`]);
  }
  if (fixes.has('banner') && input.banner) lines.push(['Banner', ISSUE_FILES[1]]);
  if (fixes.has('sshd-root')) {
    const root = rootLogin(now('PermitRootLogin'), input.login, notes);
    if (root !== undefined) lines.push(['PermitRootLogin', root]);
  }
  if (fixes.has('sshd') || fixes.has('sshd-root') || fixes.has('sshd-passwords'))
    lines.push(['PubkeyAuthentication', 'yes']);
  if (fixes.has('sshd-passwords')) {
    // Before OpenSSH 8.7 the older name is a separate switch, and either enables the method.
    const keyboard = ['KbdInteractiveAuthentication', 'ChallengeResponseAuthentication'].filter(
      (keyword) => keyword.startsWith('Kbd') || settings.has(keyword.toLowerCase()),
    );
    const off = now('PasswordAuthentication') === 'no' && keyboard.every((keyword) => now(keyword) !== 'yes');
    if (off || (input.login.remote && input.login.byKey)) {
      const needed = off ? undefined : secondFactors(settings, input.matches);
      for (const keyword of ['PasswordAuthentication', ...keyboard]) {
        if (needed?.has(keyword.startsWith('Pass') ? 'password' : 'keyboard-interactive'))
          notes.push(
            `sshd-passwords: ${keyword} stays, since AuthenticationMethods requires it for some logins in addition to a key; to disable it for all others: AuthenticationMethods publickey`,
          );
        else lines.push([keyword, 'no']);
      }
    } else {
      notes.push(
        'sshd-passwords: password logins stay, since this run did not log in over SSH with a key and would lock users out',
      );
    }
  }
  if (lines.every(([keyword]) => keyword === 'PubkeyAuthentication')) return { changed: [], notes };
  const included = includeLine(input.config ?? '');
  if (included === undefined) {
    const old = input.version !== undefined && input.version < FIRST_WITH_INCLUDE;
    const text = old
      ? `sshd: it is older than OpenSSH 8.2 and reads no drop-ins, so nothing was changed; write at the top of ${SSHD_CONFIG}: ${lines.map((line) => line.join(' ')).join('; ')}`
      : `sshd: it does not read /etc/ssh/sshd_config.d, so nothing was changed; make this the first line of ${SSHD_CONFIG}: Include /etc/ssh/sshd_config.d/*.conf`;
    return { changed: [], notes: [...notes, text] };
  }
  for (const [keyword, value] of lines) {
    for (const { criteria, settings: own } of input.matches) {
      const other = own.get(keyword.toLowerCase());
      if (other !== undefined && other.toLowerCase() !== value.toLowerCase())
        notes.push(`sshd: Match ${criteria} says ${keyword} ${other}, and so wins for those; take it out there`);
    }
    if (included.before.has(keyword.toLowerCase()))
      notes.push(`sshd: ${keyword} is set in ${SSHD_CONFIG} before its Include, and so wins; take it out there`);
  }
  const text = [
    '# Written by docker-tls. `docker-tls remove HOST` takes it away again.',
    ...lines.map(([keyword, value]) => `${keyword} ${value}`),
    '',
  ].join('\n');
  const changed = lines.filter(([keyword, value]) => sameValue(now(keyword)) !== value.toLowerCase());
  return { content: text, changed: changed.map(([keyword]) => keyword), notes };
}

/** `local` blocks only ssh -R: a jump through the host is a local forwarding (sshd_config(5)). */
function forwardingLines(
  fixes: ReadonlySet<FixName>,
  tcp: string,
  leadsTo: readonly string[],
  notes: string[],
): [string, string][] {
  const all = fixes.has('sshd-forwarding');
  if (all && leadsTo.length === 0)
    return [
      ['AllowTcpForwarding', 'no'],
      ['AllowAgentForwarding', 'no'],
    ];
  if (all)
    notes.push(`sshd-forwarding: left out, since ${listWords(leadsTo)} would no longer be reached through this host`);
  if (!fixes.has('sshd-remote-forwarding')) return [];
  return [['AllowTcpForwarding', tcp === 'no' || tcp === 'remote' ? 'no' : 'local']];
}

/**
 * Root's login may be disabled only after a login as another user, and its password only after root's login with a key. Undefined:
 * unchanged.
 */
function rootLogin(now: string, { user, remote, byKey }: SshdLogin, notes: string[]): string | undefined {
  if (now === 'no' || now === 'forced-commands-only') return now;
  if (remote && user !== 'root') return 'no';
  const next = 'run it over SSH as a user with sudo, and root is shut out';
  if (now !== 'yes' || (remote && byKey)) {
    const why = remote ? 'this run itself logged in as root' : 'no other login was verified';
    notes.push(`sshd: root keeps its login by key, since ${why}; ${next}`);
    return 'prohibit-password';
  }
  notes.push(`sshd-root: root keeps its login, by password too, since no login with a key was verified; ${next}`);
  return undefined;
}

/** `sshd -T` prints the older name. */
function sameValue(value: string): string {
  return value === 'without-password' ? 'prohibit-password' : value;
}

/** `least`: 0 is the strictest value of some settings (no sessions unless a Match allows them), but disables others. */
function atMost(now: string, most: number, least: 0 | 1 = 1): number {
  const value = now === '' ? Number.NaN : Number(now);
  return Number.isInteger(value) && value >= least ? Math.min(value, most) : most;
}

/** The Include of the drop-ins, if it applies to all logins, and the keywords before it. Earlier keywords win. */
function includeLine(config: string): { readonly before: ReadonlySet<string> } | undefined {
  const before = new Set<string>();
  for (const line of config.split('\n')) {
    const [keyword = '', ...values] = line.trim().split(/[\s=]+/);
    if (keyword === '' || keyword.startsWith('#')) continue;
    if (keyword.toLowerCase() === 'match') return undefined;
    if (
      keyword.toLowerCase() === 'include' &&
      values.some((value) => /^"?(\/etc\/ssh\/)?sshd_config\.d\/\*(\.conf)?"?$/.test(value))
    )
      return { before };
    before.add(keyword.toLowerCase());
  }
  return undefined;
}
