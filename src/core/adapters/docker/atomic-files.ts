/** Atomic file writes: staged whole with their final modes, synced, then renamed into place. */

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import { Secret } from '../../domain/secret.ts';
import { readNamedFile } from '../../named-file.ts';

type FileToWrite = {
  readonly path: string;
  readonly data: string | Secret;
  readonly mode: number;
  /** Keep this owner, if this process may chown. */
  readonly owner?: { readonly uid: number; readonly gid: number };
};

/**
 * Writes all files or, if one cannot be staged, none: readers see an old or a new file and never a part of one. Temporary files are hidden
 * and have their final mode from the start. They are in `staging` (default: the directory of each file), which must be on the same file
 * system.
 */
export async function replaceFiles(files: readonly FileToWrite[], staging?: string): Promise<void> {
  const staged: string[] = [];
  try {
    for (const file of files) {
      const directory = staging ?? dirname(file.path);
      const path = join(directory, `.${basename(file.path)}.${randomBytes(6).toString('hex')}`);
      staged.push(path);
      await stage(path, file);
    }
    // Only renames from this point, so that related files change within microseconds.
    for (const [index, file] of files.entries()) await rename(staged[index] as string, file.path);
    staged.length = 0;
    for (const directory of new Set(files.map((file) => dirname(file.path)))) await syncDirectory(directory);
  } finally {
    for (const path of staged) await unlink(path).catch(() => undefined);
  }
}

async function stage(path: string, file: FileToWrite): Promise<void> {
  // Windows treats a mode without write permission as read-only, and does not rename over such a file.
  const mode = process.platform === 'win32' ? file.mode | 0o200 : file.mode;
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(file.data instanceof Secret ? file.data.reveal() : file.data);
    // The umask can only remove bits; restore them to the final mode.
    await handle.chmod(mode);
    if (file.owner !== undefined) await restoreOwner(handle, file.owner);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function restoreOwner(handle: FileHandle, owner: { uid: number; gid: number }): Promise<void> {
  const now = await handle.stat();
  if (now.uid === owner.uid && now.gid === owner.gid) return;
  await handle.chown(owner.uid, owner.gid).catch(() => undefined); // Only root may chown; otherwise the file belongs to this user.
}

/** A rename is on disk only after its directory is synced; file systems (and Windows) without that are fine. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** The text of a file; undefined if it does not exist. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readNamedFile(path)).toString('utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'a directory is where a file belongs',
  ENOTDIR: 'a file is where a directory belongs',
  EEXIST: 'a file is where a directory belongs',
  ELOOP: 'there are symbolic links that lead in a circle',
};

/** Runs `work`; turns errors of the file system into an error for users about `path`, E_CLIENT_FILES (exit 2). */
export async function withFileErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const errno = errnoOf(cause);
    const why = WHY[errno ?? ''];
    if (why === undefined) throw cause;
    const at = (cause as NodeJS.ErrnoException).path ?? path;
    throw new DockerTlsError('E_CLIENT_FILES', `${at} cannot be read or written: ${why}`, {
      where: path,
      hints:
        errno === 'ENOSPC' || errno === 'EDQUOT' ? ['df -h'] : [`ls -ld ${shellQuote(dirname(at))} ${shellQuote(at)}`],
      cause,
    });
  }
}
