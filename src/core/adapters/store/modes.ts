/** Modes of the store's files, and what in a file or directory lets other users in. */

import type { Stats } from 'node:fs';

export type FileKind = 'key' | 'certificate' | 'record';

export const MODES = { key: 0o400, certificate: 0o444, record: 0o600, directory: 0o700 } as const;

/** Windows has no modes: there the store's directory gets an access list, which what is made in it inherits. */
export const HAS_MODES = process.platform !== 'win32';

/** What others may do with it by its mode; undefined: nothing that they should not. */
export function openTo({ mode }: Stats, kind: FileKind | 'directory'): 'read' | 'changed' | undefined {
  if (!HAS_MODES) return undefined;
  if (kind === 'key' && (mode & 0o077) !== 0) return 'read';
  return (mode & 0o022) === 0 ? undefined : 'changed';
}

/** Whether it belongs to another user. */
export function isForeign({ uid }: Stats): boolean {
  const owner = process.geteuid?.();
  return HAS_MODES && owner !== undefined && uid !== owner;
}
