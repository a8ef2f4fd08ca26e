/** The kernel settings that checks judge and fixes make. What is stricter already stays. */

import { posix } from 'node:path';
import { ROUTE_LOCALNET } from '../../../core/domain/dockerd/paths.ts';
import type { FixName } from './fix-names.ts';

/** What a host says of its kernel: values by key, and whether it shares the kernel of another machine. */
type Kernel = { readonly container: boolean; readonly sysctl: ReadonlyMap<string, string> };

export type Row = {
  readonly fix: FixName;
  /** A `*` is in place of each interface, with `all` and `default` among them. */
  readonly key: string;
  readonly value: string;
  /** Further values that are as strict or stricter: they stay. */
  readonly stays?: readonly string[];
};

const NETWORK: readonly (readonly [string, string, ...string[]])[] = [
  ['net.ipv4.conf.*.accept_redirects', '0'],
  ['net.ipv4.conf.*.accept_source_route', '0'],
  ['net.ipv4.conf.*.send_redirects', '0'],
  ['net.ipv4.conf.*.log_martians', '1'],
  // 2 is an administrator's choice, for routes that are not the same both ways.
  ['net.ipv4.conf.all.rp_filter', '1', '2'],
  ['net.ipv4.icmp_echo_ignore_broadcasts', '1'],
  ['net.ipv4.icmp_ignore_bogus_error_responses', '1'],
  ['net.ipv4.tcp_syncookies', '1', '2'],
  ['net.ipv6.conf.*.accept_redirects', '0'],
  ['net.ipv6.conf.*.accept_source_route', '0', '-1'],
];

/**
 * Where an interface's own value counts although `all` is right (ip-sysctl of the kernel): redirects are sent where either says so, and taken
 * where the interface says so, unless it forwards. For the others `all` decides.
 */
const OWN_COUNTS: Readonly<Record<string, string | undefined>> = {
  'net.ipv4.conf.*.send_redirects': undefined,
  'net.ipv4.conf.*.accept_redirects': 'net.ipv4.conf.*.forwarding',
  'net.ipv6.conf.*.accept_redirects': 'net.ipv6.conf.*.forwarding',
};

/** The keys of a row without those of single interfaces. */
export function keysOf({ key }: Pick<Row, 'key'>): readonly string[] {
  return key.includes('*') ? ['all', 'default'].map((name) => key.replace('*', name)) : [key];
}

/** Whether the interfaces' own values have to be right as well. */
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

/** Kernel settings. None of them is one that Docker needs otherwise. */
export const SYSCTLS: readonly Row[] = [
  ...rows('kernel-network', NETWORK),
  ...rows('kernel-self', SELF),
  ...rows('kernel-bpf', [['kernel.unprivileged_bpf_disabled', '1']]),
];

/** Ours. Its name sorts after most others, and of all files of sysctl.d the last one counts at boot. */
export const SYSCTL_FILE = '/etc/sysctl.d/zz-docker-tls.conf';

/** Below /proc/sys, as the audit's script takes them. */
export const SYSCTL_PATHS: string = [
  ...SYSCTLS.map(({ key }) => key),
  ...Object.values(OWN_COUNTS).flatMap((key) => key ?? []),
  ROUTE_LOCALNET,
]
  .map((key) => key.replaceAll('.', '/'))
  .join(' ');

/** Settings of the whole kernel: in a container they would be those of the machine outside. */
export function isOwn({ container }: Kernel, { fix }: Row): boolean {
  return !container || fix === 'kernel-network';
}

/** A path as a key, and back: `.` and `/` change places, since the name of an interface may have a dot (sysctl.d(5)). */
export function swapped(key: string): string {
  return key.replace(/[./]/g, (one) => (one === '/' ? '.' : '/'));
}

/**
 * `# PATH`, and below it what the file sets. Files of all directories are read by name, and of one name only that of the first directory;
 * a key may have `/` in place of `.`, and one that a pattern names as well is left to what names it whole (sysctl.d(5)).
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

/** Kernel settings of a fix that the host has and that are not strict enough; of interfaces those whose value counts. */
export function looseSysctls(
  host: Kernel,
  fix: FixName,
): readonly (Row & { readonly row: string; readonly now: string; readonly interfaces?: readonly string[] })[] {
  return SYSCTLS.filter((row) => row.fix === fix && isOwn(host, row)).flatMap((row) => {
    const loose = valuesOf(host, row).filter(({ now }) => now !== row.value && row.stays?.includes(now) !== true);
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

/** What a setting is now, of each interface where its key has a `*`. */
export function valuesOf(
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
