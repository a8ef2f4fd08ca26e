/** The reading of the small files of this computer that decide on a login: each once, until it changes. */

import { statSync } from 'node:fs';
import { readNamedFile } from '../../named-file.ts';

type Read = { readonly version: string; readonly bytes: Promise<Buffer> };

const reads = new Map<string, Read>();

/**
 * A file's bytes, or undefined when it does not exist; not to be changed by the caller. A fleet reads the same few files for every host:
 * they are looked at each time, and read again where their inode, size or times are others. The same bytes are the same Buffer.
 */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
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

/** There is a file, or something else, of that name. */
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
