/** Checks of section 3: owners and modes of Docker's files. A missing file is not applicable. */

import { basename, dirname } from 'node:path/posix';
import { lastOf } from '../../../../core/domain/dockerd/daemon-options.ts';
import type { AuditFacts, FileFact, TlsFile } from '../audit-facts.ts';
import { type Check, type Evidence, finding, notApplicable, PASS, type Severity, type Verdict } from '../check.ts';
import { dataRoot } from './host.ts';

/** `0640`, in chmod's format. */
function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Exceptions for a kind of file. */
type Particulars = {
  readonly plural?: true;
  /** Other programs use these files too: the check looks at who can change them, and `harden` changes only Docker's own files. */
  readonly shared?: true;
  readonly severity?: Severity;
  readonly why?: string;
  /** Undefined: group root. */
  readonly group?: (facts: AuditFacts) => string;
};

type Kind = Particulars & {
  readonly ownerId: string;
  readonly modeId: string;
  readonly what: string;
  /** Maximum mode. */
  readonly mode: number;
  readonly find: (facts: AuditFacts) => readonly FileFact[];
};

function kind(
  ownerId: string,
  modeId: string,
  what: string,
  mode: number,
  find: Kind['find'],
  particulars: Particulars = {},
): Kind {
  return { ownerId, modeId, what, mode, find, ...particulars };
}

function paths(...wanted: readonly string[]): Kind['find'] {
  return (facts) => wanted.flatMap((path) => facts.files.get(path) ?? []);
}

function unit(name: string): Kind['find'] {
  return (facts) => {
    const path = facts.units.get(name)?.get('FragmentPath')?.[0];
    return path === undefined ? [] : paths(path)(facts);
  };
}

/** Drop-ins of Docker's units, and their directories. */
function dropIns(facts: AuditFacts): readonly FileFact[] {
  return [...facts.files.values()].filter(({ path }) =>
    /\/systemd\/system\/docker\.(service|socket)\.d(\/|$)/.test(path),
  );
}

function tlsDirectories(facts: AuditFacts): readonly FileFact[] {
  const directories = [facts.tls.ca, facts.tls.cert, facts.tls.key].map((file) => dirname(file?.path ?? ''));
  return [...new Set(directories)].flatMap((directory) => facts.files.get(directory) ?? []);
}

function tls(role: 'ca' | 'cert' | 'key'): Kind['find'] {
  return (facts) => {
    const file: TlsFile | undefined = facts.tls[role];
    return file?.file === undefined ? [] : [file.file];
  };
}

function localSocket(facts: AuditFacts): readonly FileFact[] {
  return paths(facts.apiSocket || '/var/run/docker.sock')(facts);
}

/** Expected group of the local socket. dockerd sets it by --group for sockets that it opens; systemd has its own for `fd://`. */
function socketGroup(facts: AuditFacts): string {
  const bySystemd = facts.units.get('docker.socket')?.get('SocketGroup')?.[0] ?? 'docker';
  const byDockerd = lastOf(facts.daemon, 'group') ?? bySystemd;
  return localSocket(facts).some(({ group }) => group === bySystemd) ? bySystemd : byDockerd;
}

const PROGRAM = /^(dockerd|containerd|containerd-shim(-runc-v\d)?|runc)$/;

/** Directories of plugins, also empty ones: dockerd and root's docker command run what is put there. */
const PLUGINS = /\/\.?docker\/(?:cli-)?plugins$/;

/** True if no other program on the host uses the file. */
function isDockersOwn(path: string): boolean {
  return (
    PROGRAM.test(basename(path)) ||
    /^\/(etc|run|var\/run|var\/lib)\/(docker|containerd)(\/|$)|\/\.docker(\/|$)|^\/etc\/(default|sysconfig)\/docker$/.test(
      path,
    )
  );
}

/** Reason why `harden` leaves shared files unchanged. */
export const SHARED_STAYS = "it changes Docker's own files only: a person has to judge what others need here";

/** Programs that root runs for Docker, and their directories. */
function programFiles(facts: AuditFacts): readonly FileFact[] {
  const programs = [...facts.files.values()].filter(
    ({ path, kind: what }) => what === 'file' && PROGRAM.test(basename(path)),
  );
  const all = [facts.daemon.binary, ...facts.unitInputs].flatMap((path) => facts.files.get(path) ?? []);
  const started = [...programs, ...all.filter(({ mode }) => (mode & 0o111) !== 0)];
  const directories = started.flatMap(({ path }) => facts.files.get(dirname(path)) ?? []);
  // dockerd searches each of them for runc. On Debian, /usr/local/bin may belong to the group staff.
  const places = paths('/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin')(facts);
  const searched = places.filter(({ mode, uid }) => (mode & 0o002) !== 0 || uid !== 0);
  const plugins = [...facts.files.values()].filter(({ path }) => PLUGINS.test(path));
  return [...new Set([...started, ...directories, ...plugins, ...searched])];
}

/** Other files that root reads when dockerd and containerd start, and their directories. */
function settingsFiles(facts: AuditFacts): readonly FileFact[] {
  const read = facts.unitInputs
    .flatMap((path) => facts.files.get(path) ?? [])
    .filter(({ mode }) => (mode & 0o111) === 0);
  const directories = read.flatMap(({ path }) => facts.files.get(dirname(path)) ?? []);
  return [...new Set([...paths('/etc/containerd', '/etc/containerd/config.toml')(facts), ...read, ...directories])];
}

function dataDirectory(facts: AuditFacts): readonly FileFact[] {
  return paths(dataRoot(facts))(facts);
}

const KINDS: readonly Kind[] = [
  kind('3.1', '3.2', 'docker.service', 0o644, unit('docker.service')),
  kind('3.3', '3.4', 'docker.socket', 0o644, unit('docker.socket')),
  kind('3.5', '3.6', '/etc/docker', 0o755, paths('/etc/docker')),
  kind('3.7', '3.8', 'registry certificates', 0o444, (facts) => facts.registryFiles, {
    plural: true,
    severity: 'medium',
    why: 'Anyone who can change them decides which registries are trusted.',
  }),
  kind('3.9', '3.10', 'TLS CA certificate', 0o444, tls('ca'), {
    why: 'Anyone who can change it decides which clients get in.',
  }),
  kind('3.11', '3.12', 'TLS server certificate', 0o444, tls('cert'), {
    severity: 'medium',
    why: 'Anyone who can change it can break or redirect what clients verify.',
  }),
  kind('3.13', '3.14', 'TLS server key', 0o400, tls('key'), {
    why: 'Anyone who can read it can pretend to be this host to all clients.',
  }),
  kind('3.15', '3.16', 'docker.sock', 0o660, localSocket, {
    severity: 'critical',
    why: 'Anyone who can write to it is root on this host.',
    group: socketGroup,
  }),
  kind('3.17', '3.18', 'daemon.json', 0o644, (facts) => paths(facts.daemon.json.path)(facts)),
  kind('3.19', '3.20', '/etc/default/docker', 0o644, paths('/etc/default/docker')),
  kind('3.22', '3.21', '/etc/sysconfig/docker', 0o644, paths('/etc/sysconfig/docker')),
  kind('3.23', '3.24', 'containerd.sock', 0o660, paths('/run/containerd/containerd.sock'), {
    severity: 'critical',
    why: 'Anyone who can write to it can start containers as root, past Docker.',
  }),
  kind('file.1', 'file.2', "drop-ins of Docker's units", 0o755, dropIns, { plural: true }),
  kind('file.3', 'file.4', 'directories of the TLS files', 0o755, tlsDirectories, {
    plural: true,
    shared: true,
    why: 'Anyone who can write to the directory can put other files in the place of these.',
  }),
  kind('file.5', 'file.6', 'programs of Docker', 0o755, programFiles, {
    plural: true,
    shared: true,
    severity: 'critical',
    why: 'Anyone who can change them, or their directory, is root at the next start.',
  }),
  kind('file.7', 'file.8', 'settings of containerd and of the units', 0o755, settingsFiles, {
    plural: true,
    shared: true,
  }),
  kind('file.9', 'file.10', "Docker's data directory", 0o711, dataDirectory, {
    severity: 'critical',
    why: 'Anyone who can write to it can read and change every image and container.',
    // userns-remap assigns it the group of the remapped root.
    group: (facts) => dataDirectory(facts)[0]?.group ?? 'root',
  }),
];

function judgeFiles(of: Kind, facts: AuditFacts, wrong: (file: FileFact) => string | undefined): Verdict {
  const files = of.find(facts);
  if (files.length === 0) return notApplicable(`there ${of.plural ? 'are' : 'is'} no ${of.what}`);
  const evidence = files.flatMap((file): readonly Evidence[] => {
    const text = wrong(file);
    return text === undefined ? [] : [{ place: file.path, text }];
  });
  const stays = of.shared && evidence.every(({ place }) => !isDockersOwn(place)) ? SHARED_STAYS : undefined;
  return evidence.length === 0 ? PASS : finding(evidence, undefined, stays);
}

/** Set-id and sticky bits grant no write access, and are kept. */
const SET_ID = 0o7000;

/** Problems with owner and mode; undefined: none. */
type Flaws = { readonly owner: string | undefined; readonly mode: string | undefined };

function flawsOf(of: Kind, file: FileFact, group: string): Flaws {
  const has = `has mode ${octal(file.mode)}`;
  if (of.shared) {
    const who = (file.mode & 0o002) !== 0 ? 'every local user' : `the group ${file.group}`;
    const writable = (file.mode & 0o002) !== 0 || ((file.mode & 0o020) !== 0 && file.gid !== 0);
    return {
      owner: file.uid === 0 ? undefined : `belongs to ${file.user}:${file.group}, not root`,
      mode: writable ? `${has}: ${who} can change it` : undefined,
    };
  }
  return {
    owner: ownedRight(file, group) ? undefined : `belongs to ${file.user}:${file.group}, not root:${group}`,
    mode: (file.mode & ~(of.mode | SET_ID)) === 0 ? undefined : `${has}, wider than ${octal(of.mode)}`,
  };
}

function ownedRight(file: FileFact, wanted: string): boolean {
  // Owner by number, since names can be spoofed. A socket that only root can use also passes.
  return file.uid === 0 && (wanted === 'root' ? file.gid === 0 : file.group === wanted || file.gid === 0);
}

/** Reasons why users other than root can read a private key; empty: none. */
export function keyFlaws({ uid, user, gid, group, mode }: FileFact): readonly string[] {
  const flaws = uid === 0 ? [] : [`belongs to ${user}`];
  if ((mode & 0o007) !== 0) return [...flaws, `mode ${octal(mode)}: every local user can use it`];
  return (mode & 0o070) !== 0 && gid !== 0 ? [...flaws, `mode ${octal(mode)}: the group ${group} can use it`] : flaws;
}

/** A directory with dockerd's key may also contain keys of other programs, and groups that need them (/etc/ssl/private). */
export function isDockersKey(facts: AuditFacts, { path }: FileFact): boolean {
  return isDockersOwn(path) || path === facts.tls.key?.path;
}

/** Desired state of a file: owner root, this group and mode. */
export type FileFix = { readonly path: string; readonly mode: number; readonly group: string };

/** Files with a finding of owners, modes or keys, without duplicates, and their desired state. */
export function fileFixes(facts: AuditFacts): readonly FileFix[] {
  const fixes = new Map<string, FileFix>();
  for (const of of KINDS) {
    const group = of.group?.(facts) ?? 'root';
    for (const file of of.find(facts)) {
      const { owner, mode } = flawsOf(of, file, group);
      if ((owner ?? mode) === undefined || (of.shared && !isDockersOwn(file.path))) continue;
      // With another owner or group, a set-id bit would grant different rights.
      const kept = file.kind === 'directory' || ownedRight(file, group) ? SET_ID : 0;
      fixes.set(file.path, { path: file.path, mode: file.mode & (of.mode | kept), group });
    }
  }
  // A private key is for root only, regardless of its kind of file.
  for (const file of facts.keyFiles) {
    if (keyFlaws(file).length === 0 || !isDockersKey(facts, file)) continue;
    const mode = (fixes.get(file.path)?.mode ?? file.mode) & 0o600;
    fixes.set(file.path, { path: file.path, mode: mode || 0o400, group: 'root' });
  }
  return [...fixes.values()];
}

function check(
  { what, severity = 'high', why = 'Anyone who can change it decides what root runs.' }: Kind,
  id: string,
  title: string,
  failure: string,
  fix: string,
  evaluate: Check['evaluate'],
): Check {
  const words = { title: `${what} ${title}`, failure: `${what} ${failure}`, why, fix };
  return { id, severity, ...words, fixable: 'file-modes', evaluate };
}

function ownerCheck(of: Kind): Check {
  const usual = of.shared ? 'root' : `root:${of.group === undefined ? 'root' : 'docker'}`;
  const [belong, does] = of.plural ? ['belong', 'do'] : ['belongs', 'does'];
  const failure = `${does} not belong to ${usual}`;
  return check(of, of.ownerId, `${belong} to ${usual}`, failure, `chown ${usual} the file`, (facts) => {
    const group = of.group?.(facts) ?? 'root';
    return judgeFiles(of, facts, (file) => flawsOf(of, file, group).owner);
  });
}

function modeCheck(of: Kind): Check {
  const most = octal(of.mode);
  const has = of.plural ? 'have' : 'has';
  const [title, failure, fix] = of.shared
    ? ['can be changed by root only', 'can be changed by others than root', 'chmod go-w the file']
    : [`${has} mode ${most} or narrower`, `${has} a mode wider than ${most}`, `chmod ${most} the file`];
  return check(of, of.modeId, title, failure, fix, (facts) =>
    judgeFiles(of, facts, (file) => flawsOf(of, file, 'root').mode),
  );
}

export const FILE_CHECKS: readonly Check[] = KINDS.flatMap((one) =>
  one.modeId === '3.21' ? [modeCheck(one), ownerCheck(one)] : [ownerCheck(one), modeCheck(one)],
);
