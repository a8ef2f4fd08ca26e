/** Owns the checks of section 3: owners and modes of Docker's files. A file that does not exist is not applicable. */

import { dirname } from 'node:path/posix';
import { type Check, type Evidence, judge, notApplicable, type Severity, type Verdict } from '../check.ts';
import { setting } from '../dockerd.ts';
import type { AuditFacts, FileFact, TlsFile } from '../facts.ts';

/** `0640`, as chmod takes it. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

type Kind = {
  readonly ownerId: string;
  readonly modeId: string;
  readonly what: string;
  readonly plural?: true;
  /** The most that the mode may allow. */
  readonly mode: number;
  readonly severity: Severity;
  readonly why: string;
  /** Undefined: root. */
  readonly group?: (facts: AuditFacts) => string;
  readonly find: (facts: AuditFacts) => readonly FileFact[];
};

function paths(...wanted: readonly string[]): Kind['find'] {
  return (facts) => wanted.flatMap((path) => facts.files.get(path) ?? []);
}

function unit(name: string): Kind['find'] {
  return (facts) => {
    const path = facts.units.get(name)?.get('FragmentPath')?.[0];
    return path === undefined ? [] : paths(path)(facts);
  };
}

/** Drop-ins of Docker's units, and the directories that hold them. */
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

/** The group that the local socket is to have. dockerd gets one by --group, for sockets that it opens; systemd has its own for `fd://`. */
function socketGroup(facts: AuditFacts): string {
  const bySystemd = facts.units.get('docker.socket')?.get('SocketGroup')?.[0] ?? 'docker';
  const byDockerd = setting(facts.daemon, 'group')?.values.at(-1) ?? bySystemd;
  return localSocket(facts).some(({ group }) => group === bySystemd) ? bySystemd : byDockerd;
}

const CHANGES = 'Anyone who can change it decides what root runs.';

const KINDS: readonly Kind[] = [
  {
    ownerId: '3.1',
    modeId: '3.2',
    what: 'docker.service',
    mode: 0o644,
    severity: 'high',
    why: CHANGES,
    find: unit('docker.service'),
  },
  {
    ownerId: '3.3',
    modeId: '3.4',
    what: 'docker.socket',
    mode: 0o644,
    severity: 'high',
    why: CHANGES,
    find: unit('docker.socket'),
  },
  {
    ownerId: '3.5',
    modeId: '3.6',
    what: '/etc/docker',
    mode: 0o755,
    severity: 'high',
    why: CHANGES,
    find: paths('/etc/docker'),
  },
  {
    ownerId: '3.7',
    modeId: '3.8',
    what: 'registry certificates',
    plural: true,
    mode: 0o444,
    severity: 'medium',
    why: 'Anyone who can change them decides which registries are trusted.',
    find: (facts) => facts.registryFiles,
  },
  {
    ownerId: '3.9',
    modeId: '3.10',
    what: 'TLS CA certificate',
    mode: 0o444,
    severity: 'high',
    why: 'Anyone who can change it decides which clients get in.',
    find: tls('ca'),
  },
  {
    ownerId: '3.11',
    modeId: '3.12',
    what: 'TLS server certificate',
    mode: 0o444,
    severity: 'medium',
    why: 'Anyone who can change it can break or redirect what clients verify.',
    find: tls('cert'),
  },
  {
    ownerId: '3.13',
    modeId: '3.14',
    what: 'TLS server key',
    mode: 0o400,
    severity: 'high',
    why: 'Anyone who can read it can pretend to be this host to all clients.',
    find: tls('key'),
  },
  {
    ownerId: '3.15',
    modeId: '3.16',
    what: 'docker.sock',
    mode: 0o660,
    severity: 'critical',
    why: 'Anyone who can write to it is root on this host.',
    group: socketGroup,
    find: localSocket,
  },
  {
    ownerId: '3.17',
    modeId: '3.18',
    what: 'daemon.json',
    mode: 0o644,
    severity: 'high',
    why: CHANGES,
    find: (facts) => paths(facts.daemon.file.path)(facts),
  },
  {
    ownerId: '3.19',
    modeId: '3.20',
    what: '/etc/default/docker',
    mode: 0o644,
    severity: 'high',
    why: CHANGES,
    find: paths('/etc/default/docker'),
  },
  {
    ownerId: '3.22',
    modeId: '3.21',
    what: '/etc/sysconfig/docker',
    mode: 0o644,
    severity: 'high',
    why: CHANGES,
    find: paths('/etc/sysconfig/docker'),
  },
  {
    ownerId: '3.23',
    modeId: '3.24',
    what: 'containerd.sock',
    mode: 0o660,
    severity: 'critical',
    why: 'Anyone who can write to it can start containers as root, past Docker.',
    find: paths('/run/containerd/containerd.sock'),
  },
  {
    ownerId: 'file.1',
    modeId: 'file.2',
    what: "drop-ins of Docker's units",
    plural: true,
    mode: 0o755,
    severity: 'high',
    why: CHANGES,
    find: dropIns,
  },
  {
    ownerId: 'file.3',
    modeId: 'file.4',
    what: 'directories of the TLS files',
    plural: true,
    mode: 0o755,
    severity: 'high',
    why: 'Anyone who can write to the directory can put other files in the place of these.',
    find: tlsDirectories,
  },
];

function judgeFiles(kind: Kind, facts: AuditFacts, wrong: (file: FileFact) => string | undefined): Verdict {
  const files = kind.find(facts);
  if (files.length === 0)
    return notApplicable(kind.plural === true ? `there are no ${kind.what}` : `there is no ${kind.what}`);
  const evidence = files.flatMap((file): readonly Evidence[] => {
    const text = wrong(file);
    return text === undefined ? [] : [{ place: file.path, text }];
  });
  return judge(evidence);
}

function ownedRight(file: FileFact, wanted: string): boolean {
  // The owner by number: names can be made to look alike. A socket that only root can use is fine as well.
  return file.uid === 0 && (wanted === 'root' ? file.gid === 0 : file.group === wanted || file.gid === 0);
}

/** A private key that others than root can use. */
function isKeyOpen(file: FileFact): boolean {
  return file.uid !== 0 || (file.mode & 0o007) !== 0 || ((file.mode & 0o070) !== 0 && file.gid !== 0);
}

/** How a file should be: root's, with this group and mode. */
export type FileFix = { readonly path: string; readonly mode: number; readonly group: string };

/** Every file that a check of owners, modes or keys finds fault with, once, and how it should be. */
export function fileFixes(facts: AuditFacts): readonly FileFix[] {
  const fixes = new Map<string, FileFix>();
  for (const kind of KINDS) {
    const group = kind.group?.(facts) ?? 'root';
    for (const file of kind.find(facts)) {
      if (ownedRight(file, group) && (file.mode & ~kind.mode) === 0) continue;
      fixes.set(file.path, { path: file.path, mode: file.mode & kind.mode, group });
    }
  }
  // What is a key is root's alone, whatever else the kind of file it is may have.
  for (const file of facts.keyFiles) {
    if (!isKeyOpen(file)) continue;
    const mode = (fixes.get(file.path)?.mode ?? file.mode) & 0o600;
    fixes.set(file.path, { path: file.path, mode: mode || 0o400, group: 'root' });
  }
  return [...fixes.values()];
}

function ownerCheck(kind: Kind): Check {
  const group = kind.group === undefined ? 'root' : 'docker';
  return {
    id: kind.ownerId,
    title: `${kind.what} ${kind.plural === true ? 'belong' : 'belongs'} to root:${group}`,
    failure: `${kind.what} ${kind.plural === true ? 'do' : 'does'} not belong to root:${group}`,
    severity: kind.severity,
    why: kind.why,
    fix: `chown root:${group} the file`,
    fixable: 'file-modes',
    evaluate: (facts) => {
      const wanted = kind.group?.(facts) ?? 'root';
      return judgeFiles(kind, facts, (file) => {
        return ownedRight(file, wanted) ? undefined : `belongs to ${file.user}:${file.group}, not root:${wanted}`;
      });
    },
  };
}

function modeCheck(kind: Kind): Check {
  return {
    id: kind.modeId,
    title: `${kind.what} ${kind.plural === true ? 'have' : 'has'} mode ${octal(kind.mode)} or narrower`,
    failure: `${kind.what} ${kind.plural === true ? 'have' : 'has'} a mode wider than ${octal(kind.mode)}`,
    severity: kind.severity,
    why: kind.why,
    fix: `chmod ${octal(kind.mode)} the file`,
    fixable: 'file-modes',
    evaluate: (facts) =>
      judgeFiles(kind, facts, (file) =>
        (file.mode & ~kind.mode) === 0 ? undefined : `has mode ${octal(file.mode)}, wider than ${octal(kind.mode)}`,
      ),
  };
}

export const FILE_CHECKS: readonly Check[] = KINDS.flatMap((kind) =>
  kind.modeId === '3.21' ? [modeCheck(kind), ownerCheck(kind)] : [ownerCheck(kind), modeCheck(kind)],
);
