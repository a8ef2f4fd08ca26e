/** Facts of a host for the checks, parsed from the output of AUDIT_SCRIPT. */

import { parseFlags } from '../../../core/domain/dockerd/command-line.ts';
import { parseDaemonJson } from '../../../core/domain/dockerd/daemon-json.ts';
import { distributionOf } from '../../../core/domain/dockerd/install-hints.ts';
import { apiAnswers, parseSections } from '../../../core/domain/dockerd/sections.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { parseAccounts } from './accounts.ts';
import { engineFacts, isPodman } from './api.ts';
import { auditRules, otherRules, rulesAtBoot, rulesInKernel, tmpfilesDirectories } from './audit-rules.ts';
import { hostIdentity } from './host-identity.ts';
import { parseHostSettings } from './host-settings.ts';
import { parseListeners } from './listeners.ts';
import { parseSoftware } from './software.ts';
import { parseMatches, parseSshd, sshdVersion } from './sshd-facts.ts';

export type FileFact = {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'socket' | 'other';
  /** Permission bits, including set-id and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
};

export type TlsFile = {
  readonly path: string;
  /** Undefined: missing file. */
  readonly file: FileFact | undefined;
  /** Complete certificates only; empty for the key: the script never reads it. */
  readonly pem: string;
};

export type ProcessFact = { readonly noNewPrivileges: boolean; readonly seccomp: boolean };

export type Unit = ReadonlyMap<string, readonly string[]>;

/** Result of one run of AUDIT_SCRIPT. Its text comes from the host: clean it before display. */
export type AuditFacts = ReturnType<typeof parseAuditFacts>;

const KINDS: Readonly<Record<number, FileFact['kind']>> = { 8: 'file', 4: 'directory', 12: 'socket' };

/** `owner`: `uid:gid` of a rootless daemon's user, who has root's role for that daemon. */
function fileFacts(content: Buffer | undefined, owner: string): readonly FileFact[] {
  if (content === undefined) return [];
  const [ownUid, ownGid] = owner.split(':');
  const text = content.toString('utf8');
  return text.split(text.includes('\0') ? '\0' : '\n').flatMap((record): readonly FileFact[] => {
    const found = /^([0-9a-f]+) (\d+) (\d+) (\S+) (\S+) \d+ ([\s\S]+)$/.exec(record);
    if (found === null) return [];
    const [, bits = '0', uid, gid, user = '', group = '', path = ''] = found;
    const mode = Number.parseInt(bits, 16);
    const kind = KINDS[mode >> 12] ?? 'other';
    const by = uid === ownUid ? { uid: 0, user: 'root' } : { uid: Number(uid), user };
    const of = gid === ownGid ? { gid: 0, group: 'root' } : { gid: Number(gid), group };
    return [{ path, kind, mode: mode & 0o7777, ...by, ...of }];
  });
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function parseUnits(text: string): ReadonlyMap<string, Unit> {
  const units = new Map<string, Unit>();
  for (const block of text.split(/\n\n+/)) {
    const unit = new Map<string, readonly string[]>();
    for (const line of lines(block)) {
      const cut = line.indexOf('=');
      const [key, value] = [line.slice(0, cut), line.slice(cut + 1)];
      if (value !== '') unit.set(key, [...(unit.get(key) ?? []), value]);
    }
    const id = unit.get('Id')?.[0];
    if (id !== undefined && unit.get('LoadState')?.[0] === 'loaded') units.set(id, unit);
  }
  return units;
}

/** Words of a unit's ExecStart from `systemctl show`; undefined without one. */
function execStartWords(unit: Unit | undefined): readonly string[] | undefined {
  const argv = /argv\[\]=(.*?) ; ignore_errors=/.exec(unit?.get('ExecStart')?.at(-1) ?? '')?.[1];
  return argv?.split(/\s+/);
}

function groupMembers(name: string, group: string, users: string): readonly string[] | undefined {
  const found = lines(group)
    .map((line) => /^([^:]*):[^:]*:(\d+):(.*)$/.exec(line)?.slice(1))
    .find((parts) => parts?.[0] === name)
    ?.slice(1);
  if (found === undefined) return undefined;
  const primary = lines(users).filter((line) => line.split(':')[2] === found[0]);
  const members = [...(found[1] ?? '').split(','), ...primary.map((line) => line.split(':')[0] ?? '')];
  return [...new Set(members.map((name) => name.trim()).filter((name) => name !== ''))];
}

function otherGroup(group: string, users: string): { name: string; members: readonly string[] } | undefined {
  const name = /^[^:\n]+/.exec(group)?.[0] ?? '';
  if (name === '' || name === 'docker' || name === 'root') return undefined;
  return { name, members: groupMembers(name, group, users) ?? [] };
}

/** `/proc/PID/status:NoNewPrivs:\t1` lines. */
function parseProcesses(text: string): ReadonlyMap<number, ProcessFact> {
  const found = new Map<number, ProcessFact>();
  for (const [, pid, name, value] of text.matchAll(/^\/proc\/(\d+)\/status:(NoNewPrivs|Seccomp):\s*(\d)$/gm)) {
    const known = found.get(Number(pid)) ?? { noNewPrivileges: false, seccomp: false };
    found.set(Number(pid), {
      noNewPrivileges: name === 'NoNewPrivs' ? value === '1' : known.noNewPrivileges,
      seccomp: name === 'Seccomp' ? value !== '0' : known.seccomp,
    });
  }
  return found;
}

/** What became of each file: recorded, not recorded, or not opened because a path unit watches it. */
function readBack(text: string): ReadonlyMap<string, '+' | '-' | 'path'> {
  return new Map(
    Array.from(text.matchAll(/^(\+|-|path) (.+)$/gm), ([, word, file = '']) => [file, word as '+' | '-' | 'path']),
  );
}

function notWhole(): never {
  throw new DockerTlsError('E_AUDIT_FACTS', 'the host did not answer the questions of the audit to the end', {
    hints: offeredCommands('diagnosis', 'HOST'),
  });
}

/**
 * Parses the output of AUDIT_SCRIPT. Throws E_AUDIT_FACTS if it is incomplete. Odd content in a section is parsed leniently, so one odd
 * fact costs one verdict instead of the audit.
 */
export function parseAuditFacts(stdout: Buffer) {
  const sections = parseSections(stdout, 'audit') ?? notWhole();
  function bytes(name: string): Buffer | undefined {
    return sections.find((section) => section.name === name)?.content;
  }
  function text(name: string): string {
    return (bytes(name)?.toString('utf8') ?? '').trim();
  }
  /** Sections with an exit status after the name. */
  function withStatus(name: string): { status: number; text: string } | undefined {
    const section = sections.find((candidate) => candidate.name.startsWith(`${name} `));
    return section && { status: Number(section.name.slice(name.length + 1)), text: section.content.toString('utf8') };
  }
  function tlsFile(role: string): TlsFile | undefined {
    const path = bytes(`tls-path ${role}`)?.toString('utf8');
    if (path === undefined) return undefined;
    return { path, file: fileFacts(bytes(`tls-stat ${role}`), owner)[0], pem: text(`tls-pem ${role}`) };
  }

  const owner = text('owner');
  const units = parseUnits(text('units'));
  const cmdline = bytes('dockerd-cmdline')?.toString('utf8').split('\0').slice(0, -1);
  const words = cmdline ?? execStartWords(units.get('docker.service'));
  const configPath = text('config-path') || '/etc/docker/daemon.json';
  const files = new Map(fileFacts(bytes('files'), owner).map((file) => [file.path, file]));
  for (const file of fileFacts(bytes('config-stat'), owner)) files.set(file.path, file);
  // Other users cannot reach a user's socket: it is in their own directory.
  if (owner !== '') files.delete(text('api-socket'));

  const status = withStatus('auditctl-status');
  const list = withStatus('auditctl-list');
  const augenrules = bytes('augenrules') === undefined || text('augenrules') !== '';
  const inDirectory = new Set(otherRules(text('audit-rules-d')));
  const byHand =
    text('augenrules').includes('Rules have changed') &&
    otherRules(text('audit-rules')).some((rule) => !inDirectory.has(rule));
  const loaded = list?.status === 0 ? auditRules(list.text) : [];
  const directories = withStatus('audit-directories');
  const madeAtBoot = tmpfilesDirectories(text('tmpfiles'));
  const bootDisabled = /(?:^|\s)audit=(?:0|off)(?:\s|$)/.test(text('kernel-cmdline'));
  const sshd = withStatus('sshd');
  const answers = apiAnswers(sections);
  const podmanService = bytes('podman-service') !== undefined;
  const podman =
    cmdline === undefined && (podmanService || /\/podman\//.test(text('api-socket-target')) || isPodman(answers));
  const engine = podman && !isPodman(answers) ? undefined : engineFacts(answers);
  return {
    kernel: text('kernel'),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(text('os-release'))?.[1] ?? '',
    distribution: distributionOf(text('os-release')),
    clock: new Date(Number(text('clock')) * 1000),
    audit: {
      /** The kernel has an audit subsystem that boot did not disable. */
      kernel: text('audit-kernel') === 'yes' && !/audit support not in kernel|not supported/i.test(list?.text ?? ''),
      bootDisabled,
      /** An administrator edits audit.rules by hand: one of its rules is in no file of rules.d. */
      byHand,
      augenrules,
      /** The loaded rules are locked until the next boot (`-e 2`). */
      locked: /^enabled\s+2$/m.test(status?.text ?? ''),
      installed: list !== undefined,
      /** auditctl's error, for instance missing privileges. */
      refused: list === undefined || list.status === 0 ? undefined : (lines(list.text)[0] ?? 'no answer'),
      enabled: !/^enabled\s+0$/m.test(status?.text ?? ''),
      /** Files that were opened for writing: the key of the record in the log, or none. Undefined: not tried. */
      readBack: bytes('audit-read-back') && readBack(text('audit-read-back')),
      /** auditd runs; without it, no log has the kernel's reports. */
      daemon: !/^pid\s+0$/m.test(status?.text ?? ''),
      /** auditd starts at boot, and loads the rules. */
      atBoot: !/^(disabled|masked)/.test(units.get('auditd.service')?.get('UnitFileState')?.[0] ?? ''),
      // Without perl the kernel's view is unknown; then the rules at boot apply.
      loaded:
        directories?.status === 0 ? rulesInKernel(loaded, lines(directories.text)) : rulesAtBoot(loaded, madeAtBoot),
      /** Rules that the next boot loads. */
      files: rulesAtBoot(
        auditRules(`${text('audit-rules')}\n${augenrules && !byHand ? text('audit-rules-d') : ''}`),
        madeAtBoot,
      ),
    },
    /** Settings outside Docker; undefined if missing. */
    settings: parseHostSettings((name) => bytes(name)?.toString('utf8')),
    apparmor: text('apparmor') === 'Y',
    selinux: text('selinux') !== '',
    /** Mount points with their device (`major:minor`). */
    mounts: new Map(
      lines(text('mounts')).map((line) => {
        const [device = '', ...point] = line.split(' ');
        return [point.join(' ').replace(/\\040/g, ' '), device] as const;
      }),
    ),
    /** Members of the docker group, including by primary group; undefined without the group. */
    dockerGroup: groupMembers('docker', text('docker-group'), text('users')),
    /** Files that systemd reads or runs to start dockerd and containerd, runtimes, plugins, and imports of containerd's configuration. */
    unitInputs: lines(text('unit-inputs')),
    /** Owning group of Docker's socket, if neither docker nor root. */
    socketGroup: otherGroup(text('socket-group'), text('users')),
    units,
    daemon: {
      running: cmdline !== undefined,
      binary: text('dockerd-exe').replace(/ \(deleted\)$/, '') || (words?.[0] ?? ''),
      /** dockerd's own limit of open files: without CAP_SYS_RESOURCE, containers cannot exceed it. */
      openFiles: Number(text('dockerd-open-files')) || undefined,
      /** Soft limit of new containers, from the unit that starts them. */
      softOpenFiles: Number(text('containers-open-files')) || undefined,
      /** dockerd's command line, running or from its unit. Undefined: unknown. */
      words,
      flags: parseFlags((words ?? []).slice(1).map((word) => ({ raw: word, text: word }))),
      json: parseDaemonJson(bytes('config')?.toString('utf8'), configPath),
    },
    software: parseSoftware((name) => bytes(name)?.toString('utf8').trimEnd()),
    files: files as ReadonlyMap<string, FileFact>,
    tls: { ca: tlsFile('ca'), cert: tlsFile('cert'), key: tlsFile('key') },
    /** Lists of clients of a service that accepts them in front of the daemon, by file name; empty without one. */
    listenerLists: new Map(
      sections.flatMap(({ name, content }) => {
        const [, file] = /^listener-file (\S+)$/.exec(name) ?? [];
        return file === undefined ? [] : [[file, content.toString('utf8')] as const];
      }),
    ),
    registryFiles: fileFacts(bytes('registry-files'), owner),
    /** Files with a private key, under /etc/docker and in the directories of dockerd's TLS files. */
    keyFiles: fileFacts(bytes('key-files'), owner),
    /** Effective settings of sshd; undefined without sshd, or if it failed. */
    sshd: sshd?.status === 0 ? parseSshd(sshd.text) : undefined,
    /** Configuration lines that sshd rejects; a stopped sshd may fail for other reasons. */
    sshdRefusal: lines(text('sshd-refusal')).filter((line) => /\bline \d+\b/.test(line)),
    sshdMatch: parseMatches(text('sshd-match')),
    /** Comparable number: 8.2 is 802; undefined: unknown. */
    sshdVersion: sshdVersion(text('sshd-version')),
    identity: hostIdentity(sections),
    /** Undefined without an answer. */
    accounts: parseAccounts((name) => bytes(name)?.toString('utf8')),
    /** Files with logins of registries, and the directories above them. */
    registryLogins: fileFacts(bytes('registry-logins'), owner),
    /** The login user, before sudo. */
    operator: text('operator'),
    listeners: parseListeners(text('tcp-listen'), text('dockerd-sockets')),
    rootlessSockets: lines(text('rootless')),
    contentTrust: lines(text('content-trust')),
    /** IDs of containers that run an sshd. */
    sshdContainers: new Set(
      Array.from(text('sshd-cgroups').matchAll(/(?:docker|libpod)[-/]([0-9a-f]{64})/g), (found) => found[1] ?? ''),
    ),
    /** Empty without a socket of Docker. */
    apiSocket: podman ? '' : text('api-socket'),
    /** Podman serves Docker's API without dockerd: checks of dockerd are not applicable. */
    podman,
    /** Podman runs as the service of docker-tls. */
    podmanService,
    /** HTTP status of the API: 0 without a timely answer, undefined without an HTTP client on the host. */
    apiStatus: answers.get('/info')?.status,
    /** Effective state of each running container's first process, by process ID. */
    processes: parseProcesses(text('process-status')),
    docker: podman ? undefined : engine,
    /** Same for either engine, for checks of containers and images only. */
    engine,
  };
}
