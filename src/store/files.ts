/**
 * Owns single files and folders of the store: made with their final modes whatever the umask, flushed to the disk, and the
 * translation of what the operating system refuses.
 */

import { lstatSync } from 'node:fs';
import { chmod, lstat, mkdir, open, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { shellQuote } from '../daemon/quote.ts';
import { DockerTlsError } from '../errors.ts';
import type { Secret } from '../secret.ts';

export type FileKind = 'key' | 'certificate' | 'record';

/** Final modes. */
export const MODES = { key: 0o400, certificate: 0o444, record: 0o600, folder: 0o700 } as const;

/** Windows has no modes: there a folder of the user's profile is closed to others by its own access list. */
export const HAS_MODES = process.platform !== 'win32';

export type FileContent = { readonly kind: FileKind; readonly bytes: Secret | string };

/** A new file, flushed. It never has a wider mode than its final one, and it is checked before a byte is in it. */
export async function createFile(path: string, { kind, bytes }: FileContent): Promise<void> {
  const file = await open(path, 'wx', MODES[kind]);
  try {
    await settleMode(path, MODES[kind], (await file.stat()).mode, (mode) => file.chmod(mode));
    await file.writeFile(typeof bytes === 'string' ? bytes : bytes.reveal());
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new folder, 0700. False when it was there. Fails with E_STORE_DAMAGED where a file or a link is in its place. */
export async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, MODES.folder);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    if (!(await lstat(path)).isDirectory()) throw notAFolder(path);
    return false;
  }
  await settleMode(path, MODES.folder, (await lstat(path)).mode, (mode) => chmod(path, mode));
  return true;
}

/** A folder with all its parents, any of which may be a link to a folder; returns those that were made, outermost first. */
export async function makeFolders(path: string): Promise<string[]> {
  try {
    if ((await stat(path)).isDirectory()) return [];
    throw notAFolder(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  const made = await makeFolders(dirname(path));
  return (await makeFolder(path)) ? [...made, path] : made;
}

/** The umask may have taken bits away: they are given back. Bits too many mean a file system without modes. */
async function settleMode(path: string, mode: number, found: number, change: (mode: number) => Promise<void>) {
  if (!HAS_MODES || (found & 0o777) === mode) return;
  if ((found & 0o777 & ~mode) === 0) {
    await change(mode);
    if ((lstatSync(path).mode & 0o777) === mode) return;
  }
  throw new DockerTlsError({
    code: 'E_STORE_MODES',
    exit: 2,
    message: 'the file system does not keep the modes of files, so private keys would be open to others',
    where: path,
    hints: ['choose a folder on a file system of this computer with --home'],
  });
}

/** Flushes the entries of a folder, so that a rename outlives a power cut. Windows can't and needn't. */
export async function syncFolder(path: string): Promise<void> {
  if (!HAS_MODES) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Whether anything is there, a link that leads nowhere included. */
export async function present(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Takes a folder away if nothing is in it. */
export async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** The operating system's word for an error (`ENOENT`), if it is one of its. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Where a link or a file stands in a folder's place. */
export function notAFolder(path: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_STORE_DAMAGED',
    exit: 2,
    message: `${path} is not a folder`,
    where: path,
    hints: [`mv ${shellQuote(path)} ${shellQuote(`${path}.damaged`)}`],
  });
}

/** What the operating system refused, for people. Errors that are not its own come back as they are. */
export function writeFailure(home: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return error;
  const { path } = error as NodeJS.ErrnoException;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new DockerTlsError({
      code: 'E_STORE_FULL',
      exit: 4,
      message: `no space is left for the store in ${home}; it is as it was`,
      where: home,
      hints: [`df -h ${shellQuote(home)}`, 'make room, or choose another folder with --home'],
      cause: error,
    });
  }
  return new DockerTlsError({
    code: 'E_STORE_WRITE',
    exit: 4,
    message: `the store can not be written: ${errno}${path === undefined ? '' : ` at ${path}`}`,
    where: home,
    hints: [`ls -la ${shellQuote(home)}`, 'choose another folder with --home'],
    cause: error,
  });
}

/** A path of the store, always written with `/`, on this computer. */
export function inside(folder: string, path: string): string {
  return join(folder, ...path.split('/'));
}
