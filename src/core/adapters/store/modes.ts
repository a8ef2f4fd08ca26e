/** Modes of the store's files, and access of other users to a file or directory. */

import type { Stats } from 'node:fs';

export type FileKind = 'key' | 'certificate' | 'record';

export const MODES = { key: 0o400, certificate: 0o444, record: 0o600, directory: 0o700 } as const;

/** Windows has no modes: an access list on the store's directory replaces them, and new files inherit it. */
export const HAS_MODES = process.platform !== 'win32';

/** Other users' excess access by its mode; undefined: none. */
export function openTo({ mode }: Stats, kind: FileKind | 'directory'): 'read' | 'changed' | undefined {
  if (!HAS_MODES) return undefined;
  if (kind === 'key' && (mode & 0o077) !== 0) return 'read';
  return (mode & 0o022) === 0 ? undefined : 'changed';
}

/** True if it belongs to another user. */
export function isForeign({ uid }: Stats): boolean {
  const owner = process.geteuid?.();
  return HAS_MODES && owner !== undefined && uid !== owner;
}
