/** Cached reads of this machine's small files that decide on a login: each is read once until it changes. */

import { statSync } from 'node:fs';
import { readNamedFile } from '../../named-file.ts';

type Read = { readonly version: string; readonly bytes: Promise<Buffer> };

const reads = new Map<string, Read>();

/**
 * A file's bytes, or undefined if it does not exist; callers must not modify them. A fleet reads the same few files for every host: each
 * call stats them and rereads only if inode, size or times differ. Unchanged bytes are the same Buffer.
 */
export async function readBytesIfThere(path: string): Promise<Buffer | undefined> {
  const version = versionOf(path);
  if (version === undefined) return undefined;
  const known = reads.get(path);
  const bytes = known?.version === version ? known.bytes : readNamedFile(path);
  reads.set(path, { version, bytes });
  try {
    return await bytes;
  } catch (error) {
    reads.delete(path);
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** True if a file, or anything else, has that name. */
export function isThere(path: string): boolean {
  try {
    return versionOf(path) !== undefined;
  } catch {
    return false;
  }
}

function versionOf(path: string): string | undefined {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found && `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
