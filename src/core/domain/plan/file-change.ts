/** A change of one path on a host, and constructors of such changes. */

import type { HostFacts } from './facts.ts';
import type { PathState } from './host-files.ts';
import type { SnapshotEntry } from './host-state.ts';

/** Contains no secrets: private keys are credentials, not files of a plan, and travel separately. */
export type FileChange = {
  readonly kind: 'file' | 'link' | 'absent' | 'attributes' | 'member' | 'sysctl' | 'loopback' | 'linger';
  /** Membership: `group:user`. Kernel setting: its key. Linger: systemd's file of the user. */
  readonly path: string;
  /**
   * Octal, four digits. Membership and linger: `present` or `absent`. Kernel setting: its value, or values per interface
   * (`default=0 NAME=1`) if its key has a `*`. Loopback packets: the same, or `dropped`. Otherwise `-`.
   */
  readonly mode: string;
  readonly owner: string;
  /** Text of the file after the change. */
  readonly after?: string;
  /** Current text of the file, or `-> target` of a link. */
  readonly before?: string;
  /** What is there in place of a file, such as `a FIFO`. */
  readonly found?: string;
  readonly to?: string;
  /** Source of a restore: a copy on the host. */
  readonly copy?: string;
  /** The path was edited by hand since docker-tls wrote it. */
  readonly drift?: boolean;
  readonly reason?: string;
  /** For kinds without a file: there is something to do. */
  readonly pending: boolean;
};

/** Services beside the daemon that read changed files. */
export type Reload = 'sshd' | 'audit rules';

/** Whether a change is one of a file or link. Parts of features have the other kinds. */
export function isFileKind(kind: string): boolean {
  return kind === 'file' || kind === 'link' || kind === 'absent';
}

/** A text file with its final mode. */
export function textFile(path: string, content: string, mode = '0644', owner = '0:0', reason?: string): FileChange {
  return { kind: 'file', path, mode, owner, after: content, pending: true, reason: reason || undefined };
}

/** A change described by mode and owner alone. */
export function stateChange(
  kind: FileChange['kind'],
  path: string,
  mode = '-',
  owner = '-',
  reason?: string,
): FileChange {
  return { kind, path, mode, owner, pending: true, reason };
}

export function link(path: string, to: string): FileChange {
  return { ...stateChange('link', path), to };
}

/** The state of a path in a snapshot; a path missing from it did not exist. */
export function bySnapshot(entry: SnapshotEntry | undefined, path: string): FileChange {
  if (entry === undefined) return stateChange('absent', path);
  switch (entry.kind) {
    case 'file':
      return { ...textFile(path, entry.content ?? '', entry.mode.padStart(4, '0'), entry.owner), copy: entry.copy };
    case 'link':
      return { ...link(path, entry.to ?? ''), copy: entry.copy };
    case 'absent':
      return stateChange('absent', path);
    case 'attributes':
      return stateChange('attributes', path, entry.mode.padStart(4, '0'), entry.owner);
    default:
      return stateChange(entry.kind as FileChange['kind'], path, entry.mode, entry.owner);
  }
}

/**
 * One change per path: attributes of a file that is also written merge into that change. Those of a file in `editable` become a
 * change of the whole file.
 */
export function foldAttributes(
  changes: readonly FileChange[],
  editable: ReadonlySet<string>,
  facts: HostFacts,
): FileChange[] {
  const attributes = new Map(
    changes.filter((change) => change.kind === 'attributes').map((change) => [change.path, change]),
  );
  const written = new Set(changes.filter((change) => change.kind === 'file').map((change) => change.path));
  return changes.flatMap((change): FileChange[] => {
    const wanted = attributes.get(change.path);
    if (wanted === undefined) return [change];
    if (change.kind === 'file') return [{ ...change, mode: wanted.mode, owner: wanted.owner }];
    if (change.kind !== 'attributes') return [change];
    if (written.has(change.path)) return [];
    const now = facts.files.get(change.path);
    if (!editable.has(change.path) || now?.kind !== 'file') return [change];
    return [textFile(change.path, now.content, change.mode, change.owner, change.reason)];
  });
}

/** Whether the host's state of the path differs. */
export function differs(change: FileChange, facts: HostFacts): boolean {
  const now = facts.files.get(change.path);
  switch (change.kind) {
    case 'absent':
      return now !== undefined && now.kind !== 'absent';
    case 'link':
      return !(now?.kind === 'link' && now.to === change.to);
    case 'file':
      return !(
        now?.kind === 'file' &&
        now.content === change.after &&
        now.mode === change.mode.replace(/^0+/, '') &&
        now.owner === change.owner
      );
    default:
      return change.pending;
  }
}

/** Marks a change whose file differs from the version that docker-tls wrote. */
export function withDrift(change: FileChange, facts: HostFacts): FileChange {
  const generation = facts.state ? facts.generations.get(facts.state.generation) : undefined;
  const ours = generation?.get(change.path);
  const now: PathState | undefined = facts.files.get(change.path);
  if (ours === undefined || now === undefined || !isFileKind(change.kind)) return change;
  const sameMode = now.kind !== 'file' || now.mode === ours.mode;
  return sameMode && isAsLeft(ours, now) ? change : { ...change, drift: true };
}

/** Whether a path still has our content, whatever its mode. */
export function isAsLeft(ours: SnapshotEntry, now: PathState): boolean {
  if (ours.kind !== now.kind) return false;
  if (now.kind === 'link') return now.to === ours.to;
  return now.kind === 'file' ? now.content === ours.content : now.kind === 'absent';
}

/** Adds the current content. */
export function withBefore(change: FileChange, facts: HostFacts): FileChange {
  const now = facts.files.get(change.path);
  if (now?.kind === 'file') return { ...change, before: now.content };
  if (now?.kind === 'link') return { ...change, before: `-> ${now.to}` };
  return now?.kind === 'other' ? { ...change, found: now.what } : change;
}

/** A text file with its current mode and owner. */
export function edited(facts: HostFacts, path: string, content: string): FileChange {
  const now = facts.files.get(path);
  return now?.kind === 'file' ? textFile(path, content, now.mode.padStart(4, '0'), now.owner) : textFile(path, content);
}
