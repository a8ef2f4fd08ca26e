/** Kernel settings that checks judge and fixes change. Stricter ones stay. */

import { posix } from 'node:path';
import type { FixName } from './fix-names.ts';
import { ROUTE_LOCALNET } from './loopback.ts';

/** Kernel settings of a host by key; `container`: the kernel belongs to another machine. */
type Kernel = { readonly container: boolean; readonly sysctl: ReadonlyMap<string, string> };

export type Row = {
  readonly fix: FixName;
  /** `*` stands for each interface, including `all` and `default`. */
  readonly key: string;
  readonly value: string;
  /** Other values that are at least as strict, and stay. */
  readonly stays?: readonly string[];
};

const NETWORK: readonly (readonly [string, string, ...string[]])[] = [
  ['net.ipv4.conf.*.accept_redirects', '0'],
  ['net.ipv4.conf.*.accept_source_route', '0'],
  ['net.ipv4.conf.*.send_redirects', '0'],
  ['net.ipv4.conf.*.log_martians', '1'],
  // 2 is an administrator's choice, for asymmetric routes.
  ['net.ipv4.conf.all.rp_filter', '1', '2'],
  ['net.ipv4.icmp_echo_ignore_broadcasts', '1'],
  ['net.ipv4.icmp_ignore_bogus_error_responses', '1'],
  ['net.ipv4.tcp_syncookies', '1', '2'],
  ['net.ipv6.conf.*.accept_redirects', '0'],
  ['net.ipv6.conf.*.accept_source_route', '0', '-1'],
];

/**
 * Settings where an interface's own value counts even if `all` is right (ip-sysctl of the kernel). The kernel sends redirects if either
 * value allows it. It accepts them if the interface allows it, unless it forwards. For other settings `all` decides.
 */
const OWN_COUNTS: Readonly<Record<string, string | undefined>> = {
  'net.ipv4.conf.*.send_redirects': undefined,
  'net.ipv4.conf.*.accept_redirects': 'net.ipv4.conf.*.forwarding',
  'net.ipv6.conf.*.accept_redirects': 'net.ipv6.conf.*.forwarding',
};

/** Keys of a row, without those of single interfaces. */
export function sysctlKeys({ key }: Pick<Row, 'key'>): readonly string[] {
  return key.includes('*') ? ['all', 'default'].map((name) => key.replace('*', name)) : [key];
}

/** True if the interfaces' own values must be right too. */
export function ownCounts(key: string): boolean {
  return Object.hasOwn(OWN_COUNTS, key);
}

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

/** Kernel settings; Docker needs no other value of any of them. */
export const SYSCTLS: readonly Row[] = [
  ...rows('kernel-network', NETWORK),
  ...rows('kernel-self', SELF),
  ...rows('kernel-bpf', [['kernel.unprivileged_bpf_disabled', '1']]),
];

/** File of docker-tls. Its name sorts after most others, and the last file of sysctl.d wins at boot. */
export const SYSCTL_FILE = '/etc/sysctl.d/zz-docker-tls.conf';

/** Paths below /proc/sys, for the audit script. */
export const SYSCTL_PATHS: string = [
  ...SYSCTLS.map(({ key }) => key),
  ...Object.values(OWN_COUNTS).flatMap((key) => key ?? []),
  ROUTE_LOCALNET,
]
  .map((key) => key.replaceAll('.', '/'))
  .join(' ');

/** False for settings of the whole kernel in a container: they belong to the outer machine. */
export function isOwn({ container }: Kernel, { fix }: Row): boolean {
  return !container || fix === 'kernel-network';
}

/** Converts a path to a key and back by swapping `.` and `/`, since an interface name may contain a dot (sysctl.d(5)). */
export function swapped(key: string): string {
  return key.replace(/[./]/g, (one) => (one === '/' ? '.' : '/'));
}

/**
 * Parses `# PATH` followed by the file's settings. systemd reads files of all directories by name; for equal names only the first directory
 * counts. A key may have `/` instead of `.`, and an exact key overrides a pattern (sysctl.d(5)).
 */
export function sysctlsAfterOurs(text: string): ReadonlyMap<string, { readonly file: string; readonly value: string }> {
  const files = new Map<string, string>();
  for (const file of text.split(/^# (?=\/)/m)) {
    const name = /^.*\/([^/\n]+)$/m.exec(file)?.[1] ?? '';
    if (name > posix.basename(SYSCTL_FILE) && !files.has(name)) files.set(name, file);
  }
  const found = new Map<string, { file: string; value: string }>();
  for (const [, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [path = '', ...lines] = file.split('\n');
    for (const line of lines) {
      const [, key = '', value = ''] = /^\s*-?([\w.*/@-]+)\s*=(.*)$/.exec(line) ?? [];
      const dotted = /^[^.]*\//.test(key) ? swapped(key) : key;
      if (key !== '') found.set(dotted, { file: path, value: value.trim() });
    }
  }
  return found;
}

/** Existing kernel settings of a fix that are too weak; for interfaces, those whose own value counts. */
export function looseSysctls(
  host: Kernel,
  fix: FixName,
): readonly (Row & { readonly row: string; readonly now: string; readonly interfaces?: readonly string[] })[] {
  return SYSCTLS.filter((row) => row.fix === fix && isOwn(host, row)).flatMap((row) => {
    const loose = sysctlValues(host, row).filter(({ now }) => now !== row.value && row.stays?.includes(now) !== true);
    const whole = loose.filter(({ name }) => ['', 'all', 'default'].includes(name));
    const forwards = OWN_COUNTS[row.key];
    const own = loose.filter(
      ({ name }) =>
        ownCounts(row.key) &&
        !['all', 'default', 'lo'].includes(name) &&
        (forwards === undefined || host.sysctl.get(forwards.replace('*', () => name.replaceAll('.', '/'))) !== '1'),
    );
    const [first] = own;
    return [
      ...whole.map(({ name, now }) => ({ ...row, row: row.key, key: row.key.replace('*', name), now })),
      ...(first === undefined
        ? []
        : [{ ...row, row: row.key, now: first.now, interfaces: own.map(({ name }) => name) }]),
    ];
  });
}

/** Current values of a setting, for each interface if its key has a `*`. */
export function sysctlValues(
  { sysctl }: Kernel,
  { key }: Pick<Row, 'key'>,
): readonly { readonly name: string; readonly now: string }[] {
  const [before = '', after] = key.split('*');
  if (after === undefined) {
    const now = sysctl.get(key);
    return now === undefined ? [] : [{ name: '', now }];
  }
  return [...sysctl].flatMap(([one, now]) =>
    one.startsWith(before) && one.endsWith(after)
      ? [{ name: one.slice(before.length, -after.length).replaceAll('/', '.'), now }]
      : [],
  );
}
