/** Settings of the host outside Docker that checks judge and fixes change: kernel, modules, logins. Stricter ones stay. */

import type { FixName } from './fix-names.ts';
import { readLoopback } from './loopback.ts';
import { type Row, swapped, sysctlsAfterOurs } from './sysctls.ts';

export const UMASK_FILE = '/etc/profile.d/docker-tls-umask.sh';

/** Modules that must never be loaded. */
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
  // Octal digits, read as a decimal number.
  { fix: 'umask', key: 'UMASK', value: '027', stricter: (now) => isStrict(String(now)) },
];

/** Denies the group write access and others all access, like 027. */
export function isStrict(umask: string): boolean {
  const bits = Number.parseInt(umask, 8);
  return /^[0-7]{1,4}$/.test(umask) && (bits & 0o027) === 0o027;
}

/** Maximum idle time of a shell, in seconds. */
export const TIMEOUT_S = 900;

/** Settings reported by the host, as text. */
export type HostSettingFacts = NonNullable<ReturnType<typeof parseHostSettings>>;

/** modprobe treats `-` and `_` as equal. */
export function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

/** Values by key; the last one wins. shadow removes quotes around a value (login.defs(5)). */
export function parseLoginDefs(text: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(text.matchAll(/^[ \t]*([A-Z_]+)[ \t"]+([^\s"]+)/gm), ([, key = '', value = '']) => [key, value]),
  );
}

/** Octal digits of `027` or `u=rwx,g=rx,o=`; undefined for relative ones such as `g=u` and `g-w`. */
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
/** Text before a umask that every login gets: nothing, or completed commands. An indented umask is inside a block. */
const BEFORE = /^$|^(?!.*\b(?:if|then|else|elif|for|while|until|do|case)\b)[^\s(){}`"'][^(){}`"']*;\s*$/;
/** In a pipe or in the background, the umask would apply only to that process. */
const AFTER = /^\s*(?:$|[;#]|&&|\|\|)/;

/** Umasks of the shell itself, in octal digits; a subshell's umask ends with it. */
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

/** Union of both umasks. */
export function stricterUmask(one: string, other: string): string {
  return (Number.parseInt(one, 8) | Number.parseInt(other, 8)).toString(8).padStart(3, '0');
}

/** Parses the sections of src/features/audit/host/audit/hardening.sh; undefined without an answer. */
export function parseHostSettings(text: (section: string) => string | undefined) {
  const sysctl = text('sysctl');
  if (sysctl === undefined) return undefined;
  const lines = (section: string): string[] => (text(section) ?? '').split('\n').map((line) => line.trim());
  const profile = lines('profile').filter((line) => !line.startsWith('#'));
  const umasksIn = (section: string) =>
    umasksOf((text(section) ?? '').split('\n').filter((line) => !/^\s*#/.test(line)));
  const umasks = umasksIn('profile');
  const read = (text('profile-d') ?? '').split('\n').filter((line) => line !== '' && !/^[^:]*:\s*#/.test(line));
  // Our file comes after the umask of /etc/profile and before later files of profile.d. Another file that does more than set a strict umask
  // may undo it.
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
  const values = new Map<string, string>(
    sysctl.split('\n').flatMap((line) => {
      const [, path, value] = /^([^:]+):(.*)$/.exec(line.trim()) ?? [];
      return path === undefined ? [] : [[swapped(path), (value ?? '').trim()] as const];
    }),
  );
  return {
    /** The kernel belongs to another machine. */
    container: container !== '' && container !== 'none',
    sysctl: values,
    loopback: readLoopback(values, {
      iptables: (text('iptables') ?? '').trim(),
      rules: text('loopback-rules') ?? '',
    }),
    /** Values by key from files read after ours at boot. */
    sysctlLater: sysctlsAfterOurs(text('sysctl-later') ?? ''),
    loaded: new Set(lines('modules').map(moduleName)),
    /** Modules blocked by a file of modprobe.d. */
    blocked: new Set(
      lines('modprobe').flatMap((line) => {
        const name = /^install\s+(\S+)\s+(?:\/usr)?\/bin\/(?:false|true)\b/.exec(line)?.[1];
        return name === undefined ? [] : [moduleName(name)];
      }),
    ),
    loginDefs: parseLoginDefs(text('login-defs') ?? ''),
    /** Hard limit of core dumps for every user: the last line of limits.d counts, and `0` disables them. */
    coreLimit: last('core-limits', /^\*\s+(?:hard|-)\s+core\s+(\S+)/),
    /** Storage= of systemd-coredump: the last line counts. */
    coredumpStorage: last('coredump', /^Storage\s*=\s*(\S+)/i)?.toLowerCase(),
    /** Unconditional umasks of /etc/profile and the files that it reads, in octal digits: the last counts. */
    umask: umasks.flatMap(({ mask, always }) => (always ? [mask] : [])),
    /** Conditional umasks in these files. */
    umaskSometimes: umasks.flatMap(({ mask, always }) => (always ? [] : [mask])),
    /** Lenient umasks that no strict one of profile.d overrides. */
    umaskLoose: umasks.slice(overridden).flatMap(({ mask }) => (isStrict(mask) ? [] : [mask])),
    /** The last TMOUT in these files, in seconds; NaN if it is not a number. */
    timeout: timeouts.length === 0 ? undefined : Number(timeouts.at(-1) || Number.NaN),
    issue: (text('issue-net') ?? '').trim(),
  };
}

/** Lines of login.defs that are less strict than a fix. */
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

/** Modules of a fix that could still be loaded. Loaded ones are in use, and stay. */
export function loadableModules(host: HostSettingFacts, fix: 'modules' | 'modules-used'): readonly string[] {
  return BLOCKED[fix].filter((name) => !host.blocked.has(moduleName(name)) && !host.loaded.has(moduleName(name)));
}
