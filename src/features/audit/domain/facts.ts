/** The facts of a host that the checks judge, and their parsing from what AUDIT_SCRIPT printed. */

import { parseFlags } from '../../../core/domain/dockerd/command-line.ts';
import { parseDaemonJson } from '../../../core/domain/dockerd/daemon-json.ts';
import { distributionOf } from '../../../core/domain/dockerd/packages.ts';
import { apiAnswers, parseSections } from '../../../core/domain/dockerd/sections.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { engineFacts, isPodman } from './api.ts';
import { auditRules, otherRules, rulesAtBoot, rulesInKernel, tmpfilesDirectories } from './audit-rules.ts';
import { parseHostSettings } from './host-settings.ts';
import { parseListeners } from './listeners.ts';
import { parseSoftware } from './software.ts';
import { parseMatches, parseSshd, sshdVersion } from './sshd-facts.ts';

export type FileFact = {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'socket' | 'other';
  /** The permission bits, set-id and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
};

export type TlsFile = {
  readonly path: string;
  /** Undefined when the file is not there. */
  readonly file: FileFact | undefined;
  /** Whole certificates only; empty for the key, which is never read. */
  readonly pem: string;
};

export type ProcessFact = { readonly noNewPrivileges: boolean; readonly seccomp: boolean };

export type Unit = ReadonlyMap<string, readonly string[]>;

/** Everything that one run of AUDIT_SCRIPT tells. Text in it is the host's: clean it before it is shown. */
export type AuditFacts = ReturnType<typeof parseAuditFacts>;

const KINDS: Readonly<Record<number, FileFact['kind']>> = { 8: 'file', 4: 'directory', 12: 'socket' };

/** `owner`: `uid:gid` of the user whose own (rootless) daemon it is, who is root where that daemon runs. */
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

/** The words of a unit's ExecStart as `systemctl show` prints them; undefined when there is none. */
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

function notWhole(): never {
  throw new DockerTlsError('E_AUDIT_FACTS', 'the host did not answer the questions of the audit to the end', {
    hints: ['docker-tls doctor HOST'],
  });
}

/**
 * Reads what AUDIT_SCRIPT printed. Throws E_AUDIT_FACTS when the answer is not whole; odd content inside a section is
 * read leniently, so that one odd fact costs one verdict and not the audit.
 */
export function parseAuditFacts(stdout: Buffer) {
  const sections = parseSections(stdout, 'audit') ?? notWhole();
  function bytes(name: string): Buffer | undefined {
    return sections.find((section) => section.name === name)?.content;
  }
  function text(name: string): string {
    return (bytes(name)?.toString('utf8') ?? '').trim();
  }
  /** Sections whose name ends in an exit status. */
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
  // No other user reaches that of a user: it is in their own directory.
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
      /** The kernel has an audit subsystem, and it was not switched off at boot. */
      kernel: text('audit-kernel') === 'yes' && !/audit support not in kernel|not supported/i.test(list?.text ?? ''),
      bootDisabled,
      /** An administrator keeps audit.rules by hand: it has a rule that is in no file of rules.d. */
      byHand,
      augenrules,
      /** The loaded rules stay as they are until the next boot (`-e 2`). */
      locked: /^enabled\s+2$/m.test(status?.text ?? ''),
      installed: list !== undefined,
      /** The error of auditctl, for instance that it lacks the right to ask. */
      refused: list === undefined || list.status === 0 ? undefined : (lines(list.text)[0] ?? 'no answer'),
      enabled: !/^enabled\s+0$/m.test(status?.text ?? ''),
      /** auditd writes what the kernel reports; without it no log has it. */
      daemon: !/^pid\s+0$/m.test(status?.text ?? ''),
      /** The next boot starts auditd, which loads the rules. */
      atBoot: !/^(disabled|masked)/.test(units.get('auditd.service')?.get('UnitFileState')?.[0] ?? ''),
      // Without perl the kernel does not tell; then a rule is taken to be what it is at boot.
      loaded:
        directories?.status === 0 ? rulesInKernel(loaded, lines(directories.text)) : rulesAtBoot(loaded, madeAtBoot),
      /** Those that the next boot loads. */
      files: rulesAtBoot(
        auditRules(`${text('audit-rules')}\n${augenrules && !byHand ? text('audit-rules-d') : ''}`),
        madeAtBoot,
      ),
    },
    /** Outside of Docker; undefined where the host did not say. */
    settings: parseHostSettings((name) => bytes(name)?.toString('utf8')),
    apparmor: text('apparmor') === 'Y',
    selinux: text('selinux') !== '',
    /** Mount points, each with the device (`major:minor`) that is mounted there. */
    mounts: new Map(
      lines(text('mounts')).map((line) => {
        const [device = '', ...point] = line.split(' ');
        return [point.join(' ').replace(/\\040/g, ' '), device] as const;
      }),
    ),
    /** Members of the docker group, those whose primary group it is included; undefined when there is no such group. */
    dockerGroup: groupMembers('docker', text('docker-group'), text('users')),
    /** Files that systemd reads or runs when it starts dockerd and containerd. */
    unitInputs: lines(text('unit-inputs')),
    /** The group that owns Docker's socket, where it is neither docker nor root's. */
    socketGroup: otherGroup(text('socket-group'), text('users')),
    units,
    daemon: {
      running: cmdline !== undefined,
      binary: text('dockerd-exe').replace(/ \(deleted\)$/, '') || (words?.[0] ?? ''),
      /** The most open files that it may have itself: without CAP_SYS_RESOURCE no container gets more. */
      openFiles: Number(text('dockerd-open-files')) || undefined,
      /** Of each new container, by the unit that starts it. */
      softOpenFiles: Number(text('containers-open-files')) || undefined,
      /** The words that dockerd runs with, or would: its unit's. Undefined when neither is known. */
      words,
      flags: parseFlags((words ?? []).slice(1).map((word) => ({ raw: word, text: word }))),
      json: parseDaemonJson(bytes('config')?.toString('utf8'), configPath),
    },
    software: parseSoftware((name) => bytes(name)?.toString('utf8').trimEnd()),
    files: files as ReadonlyMap<string, FileFact>,
    tls: { ca: tlsFile('ca'), cert: tlsFile('cert'), key: tlsFile('key') },
    registryFiles: fileFacts(bytes('registry-files'), owner),
    /** Files that hold a private key, under /etc/docker and wherever dockerd's TLS files are. */
    keyFiles: fileFacts(bytes('key-files'), owner),
    /** The effective settings of sshd; undefined when there is no sshd or it refused. */
    sshd: sshd?.status === 0 ? parseSshd(sshd.text) : undefined,
    /** The lines of its configuration that sshd does not take; it has other reasons to refuse where it does not run. */
    sshdRefusal: lines(text('sshd-refusal')).filter((line) => /\bline \d+\b/.test(line)),
    sshdMatch: parseMatches(text('sshd-match')),
    /** As a number that compares: 8.2 is 802; undefined where sshd does not say. */
    sshdVersion: sshdVersion(text('sshd-version')),
    /** The user that logged in, also where sudo came after. */
    operator: text('operator'),
    listeners: parseListeners(text('tcp-listen'), text('dockerd-sockets')),
    rootlessSockets: lines(text('rootless')),
    contentTrust: lines(text('content-trust')),
    /** Ids of containers in which an sshd runs. */
    sshdContainers: new Set(
      Array.from(text('sshd-cgroups').matchAll(/(?:docker|libpod)[-/]([0-9a-f]{64})/g), (found) => found[1] ?? ''),
    ),
    /** Empty where there is none, or none of Docker's. */
    apiSocket: podman ? '' : text('api-socket'),
    /** Podman serves Docker's API here, and no dockerd runs: what is about dockerd cannot be judged. */
    podman,
    /** It does so by the service of docker-tls. */
    podmanService,
    /** The status of the API's answer: 0 when there was none in time, undefined when the host has no program to ask with. */
    apiStatus: answers.get('/info')?.status,
    /** What the first process of each running container really has, by its process id. */
    processes: parseProcesses(text('process-status')),
    docker: podman ? undefined : engine,
    /** The same, of whichever engine serves the API: for what is about containers and images alone. */
    engine,
  };
}
