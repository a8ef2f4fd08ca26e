/** Fixes of the host outside Docker: kernel settings, modules and logins. Each is a file; kernel settings also change the running value. */

import { LOOPBACK_DROP_IN } from '../../../../core/domain/dockerd/paths.ts';
import type { HostKind } from '../../../../core/domain/plan/host-kind.ts';
import type { FixName } from '../fix-names.ts';
import {
  BLOCKED,
  type HostSettingFacts,
  isStrict,
  loadableModules,
  looseLoginDefs,
  moduleName,
  parseLoginDefs,
  stricterUmask,
  TIMEOUT_S,
  UMASK_FILE,
  umasksOf,
} from '../host-settings.ts';
import { renderLoopbackDropIn } from '../loopback.ts';
import { isOwn, looseSysctls, ownCounts, SYSCTL_FILE, SYSCTLS, sysctlKeys, sysctlValues } from '../sysctls.ts';
import type { ExtraChange } from './extra-change.ts';

const WRITTEN = 'Written by docker-tls. `docker-tls remove HOST` takes it away again.';
const LOGIN_DEFS_FILE = '/etc/login.defs';
const UMASK = '027';
const LIMITS_FILE = '/etc/security/limits.d/docker-tls.conf';
const COREDUMP_FILE = '/etc/systemd/coredump.conf.d/docker-tls.conf';
const MODPROBE_FILE = '/etc/modprobe.d/docker-tls.conf';
export const ISSUE_FILES = ['/etc/issue', '/etc/issue.net'] as const;

/** Files with fixed content that belong to one fix. */
const FILES: readonly { readonly fix: FixName; readonly path: string; readonly text: string }[] = [
  {
    fix: 'core-dumps',
    path: LIMITS_FILE,
    text: `# ${WRITTEN}\n* hard core 0\nroot hard core 0\n`,
  },
  {
    fix: 'core-dumps',
    path: COREDUMP_FILE,
    text: `# ${WRITTEN}\n[Coredump]\nStorage=none\nProcessSizeMax=0\n`,
  },
  { fix: 'core-dumps', path: '/etc/profile.d/docker-tls-core.sh', text: `# ${WRITTEN}\nulimit -c 0\n` },
  { fix: 'umask', path: UMASK_FILE, text: `# ${WRITTEN}\numask ${UMASK}\n` },
  {
    fix: 'session-timeout',
    path: '/etc/profile.d/docker-tls-timeout.sh',
    text: `# ${WRITTEN}\nTMOUT=${TIMEOUT_S}\nreadonly TMOUT\nexport TMOUT\n`,
  },
];

/** Paths that these fixes write or edit. */
export const HOST_PATHS: readonly string[] = [
  ...FILES.map(({ path }) => path),
  SYSCTL_FILE,
  LOOPBACK_DROP_IN,
  MODPROBE_FILE,
  LOGIN_DEFS_FILE,
  ...ISSUE_FILES,
];

export type HardenedSettings = Pick<Fixing, 'extras' | 'changed' | 'notes'>;

export type HostSettingsInput = {
  /** Undefined: no data from the host. */
  readonly settings: HostSettingFacts | undefined;
  /** Content of a file; undefined if missing. */
  readonly file: (path: string) => string | undefined;
  readonly banner: string | undefined;
};

/** State while the fixes are computed. */
type Fixing = {
  readonly fixes: ReadonlySet<FixName>;
  readonly extras: ExtraChange[];
  /** Fixes with an effect. */
  readonly changed: Set<FixName>;
  readonly notes: string[];
  readonly write: (reasons: readonly FixName[], path: string, content: string) => void;
};

/** Keeps stricter settings of the host. */
export function hardenSettings(fixes: ReadonlySet<FixName>, input: HostSettingsInput): HardenedSettings {
  const { settings, file } = input;
  const extras: ExtraChange[] = [];
  const changed = new Set<FixName>();
  const notes: string[] = [];
  const write: Fixing['write'] = (reasons, path, content) => {
    const edited = path === LOGIN_DEFS_FILE;
    extras.push({ kind: 'file', path, mode: '0644', edited, content, reason: reasons.join(', ') });
    if (file(path) !== content) for (const reason of reasons) changed.add(reason);
  };
  const fixing: Fixing = { fixes, extras, changed, notes, write };
  for (const { fix, path, text } of FILES) {
    if (!fixes.has(fix)) continue;
    const theirs = file(path) === undefined ? stricterAlready(fix, settings) : undefined;
    if (theirs === undefined) write([fix], path, fix === 'umask' ? umaskFile(text, settings, file(path)) : text);
    else notes.push(`${fix}: ${theirs}`);
    const later = file(path) === text ? laterCoreDumps(path, settings) : undefined;
    if (later !== undefined) notes.push(`${fix}: ${later}, and so wins; take it out there`);
  }
  if (settings !== undefined) {
    kernelSettings(settings, fixing);
    blockModules(settings, file(MODPROBE_FILE), fixing);
    if (fixes.has('userland-proxy')) dropLoopback(settings, file, fixing);
  }
  editLoginDefs(file(LOGIN_DEFS_FILE), fixing);
  if (fixes.has('banner') && input.banner !== undefined)
    for (const path of ISSUE_FILES) write(['banner'], path, `${wrapped(input.banner)}\n`);
  return { extras, changed, notes };
}

/** The administrator's settings stay if they are as strict; a second readonly TMOUT would print an error at every login. */
function stricterAlready(fix: FixName, settings: HostSettingFacts | undefined): string | undefined {
  const { timeout, umask = [], umaskSometimes = [] } = settings ?? {};
  if (fix === 'session-timeout' && timeout !== undefined)
    return timeout > 0 && timeout <= TIMEOUT_S
      ? `TMOUT is ${timeout} already`
      : `TMOUT${Number.isNaN(timeout) ? '' : `=${timeout}`} is set in /etc/profile or /etc/profile.d, and stays; take it out there`;
  if (fix === 'umask' && umask.length > 0 && [...umask, ...umaskSometimes].every(isStrict))
    return `umask is ${umask.at(-1)} already`;
  return undefined;
}

/**
 * The file may override an earlier, stricter umask. So it includes the umask of all logins, and a guard keeps the stricter umasks of some
 * logins.
 */
function umaskFile(text: string, settings: HostSettingFacts | undefined, ours = ''): string {
  const { umask = [], umaskSometimes = [] } = settings ?? {};
  const own = umasksOf(ours.split('\n')).find(({ always }) => always)?.mask;
  const theirs = umask.filter((_, index) => index !== umask.lastIndexOf(own ?? ''));
  const mask = stricterUmask(UMASK, theirs.at(-1) ?? UMASK);
  const stay = new Set(
    umaskSometimes
      .map((one) => stricterUmask(one, '0'))
      .filter((one) => one !== mask && one === stricterUmask(one, mask))
      .map((one) => `*${one}`),
  );
  const guard = stay.size === 0 ? '' : `case $(umask) in ${[...stay].join(' | ')}) return ;; esac\n`;
  return text.replace(`umask ${UMASK}`, () => `${guard}umask ${mask}`);
}

/** A later file's text that overrides ours. */
function laterCoreDumps(path: string, settings: HostSettingFacts | undefined): string | undefined {
  const { coreLimit = '0', coredumpStorage = 'none' } = settings ?? {};
  if (path === LIMITS_FILE && coreLimit !== '0')
    return `a later file of /etc/security/limits.d says core ${coreLimit} for all`;
  if (path === COREDUMP_FILE && coredumpStorage !== 'none')
    return `a later file of /etc/systemd/coredump.conf.d says Storage=${coredumpStorage}`;
  return undefined;
}

function kernelSettings(settings: HostSettingFacts, { fixes, extras, changed, notes, write }: Fixing): void {
  const chosen = SYSCTLS.filter(({ fix }) => fixes.has(fix));
  for (const fix of new Set(chosen.filter((row) => !isOwn(settings, row)).map((row) => row.fix)))
    notes.push(`${fix}: nothing is changed, since this host is a container and has the kernel of another machine`);
  const own = chosen.filter((row) => isOwn(settings, row));
  // If the host is stricter, its own files say so, and this file comes last.
  const written = own.flatMap(({ fix, key, value, stays = [] }) => {
    const keys = sysctlKeys({ key }).filter(
      (one) => settings.sysctl.has(one) && !stays.includes(settings.sysctl.get(one) ?? ''),
    );
    // For interfaces that exist before the file is read.
    const all = keys.length > 0 && ownCounts(key) ? [key] : [];
    return [...keys, ...all].map((one) => ({ fix, key: one, value, stays }));
  });
  if (written.length > 0) {
    const reasons = [...new Set(own.map(({ fix }) => fix))];
    const lines = written.map(({ key, value }) => `${key.includes('*') ? '-' : ''}${key} = ${value}`);
    write(reasons, SYSCTL_FILE, [`# ${WRITTEN}`, ...lines, ''].join('\n'));
  }
  for (const { fix, key, value, stays } of written) {
    const later = settings.sysctlLater.get(key);
    if (later !== undefined && later.value !== value && !stays.includes(later.value))
      notes.push(`${fix}: ${later.file} says ${key} = ${later.value}, and so wins at boot; take it out there`);
  }
  for (const row of own) {
    if (!looseSysctls(settings, row.fix).some(({ row: one }) => one === row.key)) continue;
    const stay = sysctlValues(settings, row).filter(({ now }) => row.stays?.includes(now));
    const value = row.key.includes('*')
      ? [`default=${row.value}`, ...stay.map(({ name, now }) => `${name}=${now}`)].join(' ')
      : row.value;
    extras.push({ kind: 'sysctl', key: row.key, value, reason: row.fix });
    changed.add(row.fix);
  }
}

/**
 * Without docker-proxy, containers could reach services on the host's 127.0.0.1: adds the rule against that, now and at each start of
 * dockerd.
 */
function dropLoopback({ loopback }: HostSettingFacts, file: HostSettingsInput['file'], fixing: Fixing): void {
  const fix = 'userland-proxy';
  if (!loopback.dropped || file(LOOPBACK_DROP_IN) === undefined) {
    fixing.extras.push({ kind: 'loopback', reason: fix });
    fixing.changed.add(fix);
  }
  fixing.write([fix], LOOPBACK_DROP_IN, renderLoopbackDropIn());
}

/** Reason why a host cannot have that rule; undefined: it can, or has no dockerd. */
export function noLoopbackRule(kind: HostKind, settings: HostSettingFacts | undefined): string | undefined {
  if (!kind.engine.configurable) return undefined;
  if (kind.name !== 'systemd') return 'the firewall rule that it needs comes back at boot on hosts with systemd only';
  return settings?.loopback.iptables === true ? undefined : 'its firewall rule needs iptables, and the host has none';
}

function blockModules(settings: HostSettingFacts, ours: string | undefined, { fixes, notes, write }: Fixing): void {
  const lines: string[] = [];
  const reasons: FixName[] = [];
  for (const fix of ['modules', 'modules-used'] as const) {
    if (!fixes.has(fix)) continue;
    const loaded = BLOCKED[fix].filter((name) => settings.loaded.has(moduleName(name)));
    if (loaded.length > 0) notes.push(`${fix}: ${loaded.join(', ')}: loaded now, so left alone`);
    const loadable = loadableModules(settings, fix);
    const mine = BLOCKED[fix].filter((name) => loadable.includes(name) || ours?.includes(`install ${name} `));
    if (mine.length === 0) continue;
    reasons.push(fix);
    lines.push(...mine.map((name) => `install ${name} /bin/false\nblacklist ${name}`));
  }
  if (lines.length > 0) write(reasons, MODPROBE_FILE, [`# ${WRITTEN}`, ...lines, ''].join('\n'));
}

/** Edits values in place; appends missing ones. */
function editLoginDefs(now: string | undefined, { fixes, write }: Fixing): void {
  const wanted = (['login-defs', 'umask'] as const).filter((fix) => fixes.has(fix));
  if (now === undefined || wanted.length === 0) return;
  let text = now;
  for (const fix of wanted) {
    for (const { key, value } of looseLoginDefs(parseLoginDefs(now), fix)) {
      const line = `${key}\t${value}`;
      const there = new RegExp(`^[ \\t]*${key}[ \\t].*$`, 'gm');
      text = there.test(text) ? text.replace(there, line) : `${text.replace(/(?<!\n)$/, '\n')}${line}\n`;
    }
  }
  write(wanted, LOGIN_DEFS_FILE, text);
}

/** Lines of at most 78 columns. */
function wrapped(text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length > 77) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
