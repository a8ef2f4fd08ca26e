/** Owns the settings of the host outside of Docker that checks judge and fixes make: kernel, modules, logins. What is stricter already stays. */

import { posix } from 'node:path';
import type { FixName } from './fixes.ts';

type Row = {
  readonly fix: FixName;
  readonly key: string;
  readonly value: string;
  /** Further values that are as strict or stricter: they stay. */
  readonly stays?: readonly string[];
};

const NETWORK: readonly (readonly [string, string, ...string[]])[] = [
  ['net.ipv4.conf.all.accept_redirects', '0'],
  ['net.ipv4.conf.default.accept_redirects', '0'],
  ['net.ipv4.conf.all.accept_source_route', '0'],
  ['net.ipv4.conf.default.accept_source_route', '0'],
  ['net.ipv4.conf.all.send_redirects', '0'],
  ['net.ipv4.conf.default.send_redirects', '0'],
  ['net.ipv4.conf.all.log_martians', '1'],
  ['net.ipv4.conf.default.log_martians', '1'],
  // 2 is an administrator's choice, for routes that are not the same both ways.
  ['net.ipv4.conf.all.rp_filter', '1', '2'],
  ['net.ipv4.icmp_echo_ignore_broadcasts', '1'],
  ['net.ipv4.icmp_ignore_bogus_error_responses', '1'],
  ['net.ipv4.tcp_syncookies', '1', '2'],
  ['net.ipv6.conf.all.accept_redirects', '0'],
  ['net.ipv6.conf.default.accept_redirects', '0'],
  ['net.ipv6.conf.all.accept_source_route', '0', '-1'],
  ['net.ipv6.conf.default.accept_source_route', '0', '-1'],
];

const SELF: typeof NETWORK = [
  ['dev.tty.ldisc_autoload', '0'],
  ['fs.protected_fifos', '2'],
  ['fs.protected_hardlinks', '1'],
  ['fs.protected_regular', '2'],
  ['fs.protected_symlinks', '1'],
  ['fs.suid_dumpable', '0'],
  ['kernel.core_uses_pid', '1'],
  ['kernel.ctrl-alt-del', '0'],
  ['kernel.dmesg_restrict', '1'],
  ['kernel.kptr_restrict', '2'],
  ['kernel.perf_event_paranoid', '3', '4'],
  ['kernel.randomize_va_space', '2'],
  ['kernel.sysrq', '0'],
  ['kernel.yama.ptrace_scope', '1', '2', '3'],
  ['net.core.bpf_jit_harden', '2'],
];

function rows(fix: FixName, list: typeof NETWORK): readonly Row[] {
  return list.map(([key, value, ...stays]) => ({ fix, key, value, stays }));
}

/** Kernel settings. None of them is one that Docker needs otherwise. */
export const SYSCTLS: readonly Row[] = [
  ...rows('kernel-network', NETWORK),
  ...rows('kernel-self', SELF),
  ...rows('kernel-bpf', [['kernel.unprivileged_bpf_disabled', '1']]),
];

/** Ours. Its name sorts after most others, and of all files of sysctl.d the last one counts at boot. */
export const SYSCTL_FILE = '/etc/sysctl.d/zz-docker-tls.conf';
export const UMASK_FILE = '/etc/profile.d/docker-tls-umask.sh';

/** Below /proc/sys, as the audit's script takes them. */
export const SYSCTL_PATHS: string = SYSCTLS.map(({ key }) => key.replaceAll('.', '/')).join(' ');

/** Settings of the whole kernel: in a container they would be those of the machine outside. */
export function isOwn({ container }: HostSettings, { fix }: Row): boolean {
  return !container || fix === 'kernel-network';
}

/** Modules that are never to be loaded. */
export const BLOCKED: Readonly<Record<'modules' | 'modules-used', readonly string[]>> = {
  modules:
    'dccp rds tipc usb-storage uas firewire-core firewire-ohci firewire-sbp2 cramfs freevxfs hfs hfsplus jffs2'.split(
      ' ',
    ),
  'modules-used': ['sctp', 'squashfs', 'udf'],
};

export const LOGIN_DEFS: readonly (Row & { readonly stricter: (now: number) => boolean })[] = [
  { fix: 'login-defs', key: 'PASS_MAX_DAYS', value: '365', stricter: (now) => now > 0 && now < 365 },
  { fix: 'login-defs', key: 'PASS_MIN_DAYS', value: '1', stricter: (now) => now > 1 },
  { fix: 'login-defs', key: 'SHA_CRYPT_MIN_ROUNDS', value: '65536', stricter: (now) => now > 65_536 },
  { fix: 'login-defs', key: 'SHA_CRYPT_MAX_ROUNDS', value: '65536', stricter: (now) => now > 65_536 },
  { fix: 'login-defs', key: 'FAILLOG_ENAB', value: 'yes', stricter: () => false },
  // Its octal digits, read as decimal ones.
  { fix: 'umask', key: 'UMASK', value: '027', stricter: (now) => isStrict(String(now)) },
];

/** Keeps files from the group's writing and from all others, as 027 does. */
export function isStrict(umask: string): boolean {
  const bits = Number.parseInt(umask, 8);
  return /^[0-7]{1,4}$/.test(umask) && (bits & 0o027) === 0o027;
}

/** The longest that a shell may be idle, in seconds. */
export const TIMEOUT_S = 900;

/** What the host says of itself, as text. */
export type HostSettings = NonNullable<ReturnType<typeof parseHostSettings>>;

/** modprobe takes `-` and `_` for the same. */
export function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

/** Values by key, the last of each: shadow takes quotes around a value away (login.defs(5)). */
export function parseLoginDefs(text: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(text.matchAll(/^[ \t]*([A-Z_]+)[ \t"]+([^\s"]+)/gm), ([, key = '', value = '']) => [key, value]),
  );
}

/** Octal digits of `027` or `u=rwx,g=rx,o=`; undefined where they depend on what was before, as `g=u` and `g-w` do. */
function umaskDigits(value: string): string | undefined {
  if (/^[0-7]{1,4}$/.test(value)) return value;
  if (!/^[ugoa]+=[rwx]*(?:,[ugoa]+=[rwx]*)*$/.test(value)) return undefined;
  const kept = { u: 0o7, g: 0o7, o: 0o7 };
  for (const part of value.split(',')) {
    const [who = '', rights = ''] = part.split('=');
    const bits = [...rights].reduce((sum, right) => sum | ({ r: 4, w: 2, x: 1 }[right] ?? 0), 0);
    for (const one of ['u', 'g', 'o'] as const) if (who.includes(one) || who.includes('a')) kept[one] = bits;
  }
  return `${7 - kept.u}${7 - kept.g}${7 - kept.o}`;
}

const UMASK_COMMAND = /(?:^\s*|[;&|{]\s*|\b(?:then|else|do)\s+)umask\s+["']?([\w=,+-]+)["']?/g;
/** What is before a umask that every login gets: nothing, or commands that end before it. An indented one is inside of something. */
const BEFORE = /^$|^(?!.*\b(?:if|then|else|elif|for|while|until|do|case)\b)[^\s(){}`"'][^(){}`"']*;\s*$/;
/** In a pipe or in the background it would be the umask of that alone. */
const AFTER = /^\s*(?:$|[;#]|&&|\|\|)/;

/** Every umask that is set for the shell itself, in octal digits; that of a subshell ends with it. */
export function umasksOf(lines: readonly string[]): readonly { readonly mask: string; readonly always: boolean }[] {
  return lines.flatMap((line) =>
    [...line.matchAll(UMASK_COMMAND)].flatMap((match) => {
      const start = match.index + match[0].indexOf('umask');
      const before = line.slice(0, start);
      const mask = umaskDigits(match[1] ?? '');
      const inSubshell = before.split('(').length > before.split(')').length || before.split('`').length % 2 === 0;
      if (mask === undefined || inSubshell) return [];
      return [{ mask, always: BEFORE.test(before) && AFTER.test(line.slice(match.index + match[0].length)) }];
    }),
  );
}

/** As strict as both. */
export function stricterUmask(one: string, other: string): string {
  return (Number.parseInt(one, 8) | Number.parseInt(other, 8)).toString(8).padStart(3, '0');
}

/**
 * `# PATH`, and below it what the file sets. Files of all directories are read by name, and of one name only that of the first directory;
 * a key may have `/` in place of `.`, and one that a pattern names as well is left to what names it whole (sysctl.d(5)).
 */
function sysctlsAfterOurs(text: string): ReadonlyMap<string, { readonly file: string; readonly value: string }> {
  const files = new Map<string, string>();
  for (const file of text.split(/^# (?=\/)/m)) {
    const name = /^.*\/([^/\n]+)$/m.exec(file)?.[1] ?? '';
    if (name > posix.basename(SYSCTL_FILE) && !files.has(name)) files.set(name, file);
  }
  const found = new Map<string, { file: string; value: string }>();
  for (const [, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [path = '', ...lines] = file.split('\n');
    for (const line of lines) {
      const [, key = '', value = ''] = /^\s*-?([\w./-]+)\s*=(.*)$/.exec(line) ?? [];
      const dotted = /^[^.]*\//.test(key) ? key.replace(/[./]/g, (one) => (one === '/' ? '.' : '/')) : key;
      if (key !== '') found.set(dotted, { file: path, value: value.trim() });
    }
  }
  return found;
}

/** Reads the sections of src/host/audit/hardening.sh; undefined where the host did not answer them. */
export function parseHostSettings(text: (section: string) => string | undefined) {
  const sysctl = text('sysctl');
  if (sysctl === undefined) return undefined;
  const lines = (section: string): string[] => (text(section) ?? '').split('\n').map((line) => line.trim());
  const profile = lines('profile').filter((line) => !line.startsWith('#'));
  const umasksIn = (section: string) =>
    umasksOf((text(section) ?? '').split('\n').filter((line) => !/^\s*#/.test(line)));
  const umasks = umasksIn('profile');
  const read = (text('profile-d') ?? '').split('\n').filter((line) => line !== '' && !/^[^:]*:\s*#/.test(line));
  // Ours comes after what /etc/profile says before its loop. A file beside it that does more than to set a strict one may undo that.
  const overridden =
    read.some((line) => line.startsWith(`${UMASK_FILE}:`)) &&
    read.every((line) => isStrict(/^[^:]*:umask (0?[0-7]{3})$/.exec(line)?.[1] ?? '000'))
      ? umasksIn('profile-first').length
      : 0;
  const timeouts = profile.flatMap((line) => /(?<!\$)\bTMOUT=(?!=)["']?(\d*)/.exec(line)?.[1] ?? []);
  const last = (section: string, pattern: RegExp) =>
    lines(section)
      .flatMap((line) => pattern.exec(line)?.[1] ?? [])
      .at(-1);
  const container = (text('container') ?? '').trim();
  return {
    /** It shares the kernel of another machine. */
    container: container !== '' && container !== 'none',
    sysctl: new Map<string, string>(
      sysctl.split('\n').flatMap((line) => {
        const [, path, value] = /^([^:]+):(.*)$/.exec(line.trim()) ?? [];
        return path === undefined ? [] : [[path.replaceAll('/', '.'), (value ?? '').trim()] as const];
      }),
    ),
    /** What files say at boot that are read after ours, by key. */
    sysctlLater: sysctlsAfterOurs(text('sysctl-later') ?? ''),
    loaded: new Set(lines('modules').map(moduleName)),
    /** Modules whose loading a file of modprobe.d forbids. */
    blocked: new Set(
      lines('modprobe').flatMap((line) => {
        const name = /^install\s+(\S+)\s+(?:\/usr)?\/bin\/(?:false|true)\b/.exec(line)?.[1];
        return name === undefined ? [] : [moduleName(name)];
      }),
    ),
    loginDefs: parseLoginDefs(text('login-defs') ?? ''),
    /** The hard limit of core dumps for everyone: the last line of limits.d counts, and `0` is none. */
    coreLimit: last('core-limits', /^\*\s+(?:hard|-)\s+core\s+(\S+)/),
    /** Storage= of systemd-coredump: the last line counts. */
    coredumpStorage: last('coredump', /^Storage\s*=\s*(\S+)/i)?.toLowerCase(),
    /** The umasks of /etc/profile and what it reads that every login gets, in octal digits: the last counts. */
    umask: umasks.flatMap(({ mask, always }) => (always ? [mask] : [])),
    /** Those behind a condition there. */
    umaskSometimes: umasks.flatMap(({ mask, always }) => (always ? [] : [mask])),
    /** Those that are not strict and that no strict one of profile.d overrides. */
    umaskLoose: umasks.slice(overridden).flatMap(({ mask }) => (isStrict(mask) ? [] : [mask])),
    /** The last TMOUT there, in seconds; NaN where it is not a plain number. */
    timeout: timeouts.length === 0 ? undefined : Number(timeouts.at(-1) || Number.NaN),
    issue: (text('issue-net') ?? '').trim(),
  };
}

/** Kernel settings of a fix that the host has and that are not strict enough. */
export function looseSysctls(host: HostSettings, fix: FixName): readonly (Row & { readonly now: string })[] {
  return SYSCTLS.flatMap((row) => {
    const now = host.sysctl.get(row.key);
    const right = now === undefined || now === row.value || row.stays?.includes(now) === true;
    return row.fix !== fix || right || !isOwn(host, row) ? [] : [{ ...row, now }];
  });
}

/** Lines of login.defs of a fix that are not strict enough. */
export function looseLoginDefs(
  loginDefs: ReadonlyMap<string, string>,
  fix: FixName,
): readonly (Row & { now: string })[] {
  return LOGIN_DEFS.flatMap((row) => {
    const now = loginDefs.get(row.key) ?? '';
    const right = now === row.value || (/^\d+$/.test(now) && row.stricter(Number(now)));
    return row.fix !== fix || right ? [] : [{ ...row, now }];
  });
}

/** Modules of a fix that could still be loaded; those that are loaded now are in use, and left alone. */
export function loadableModules(host: HostSettings, fix: 'modules' | 'modules-used'): readonly string[] {
  return BLOCKED[fix].filter((name) => !host.blocked.has(moduleName(name)) && !host.loaded.has(moduleName(name)));
}
