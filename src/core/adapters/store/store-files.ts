/**
 * Single files and directories of the store: created with their final modes whatever the umask, and flushed to disk. Also translates errors
 * of the operating system.
 */

import { execFile } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pMap from 'p-map';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import type { Secret } from '../../domain/secret.ts';
import { readNamedFileSync, whyNotRead } from '../../named-file.ts';
import { userName } from '../../user.ts';
import { setAccessList } from './access-list.ts';
import { type FileKind, HAS_MODES, MODES } from './modes.ts';

/** Closes a new directory to other users where modes cannot. */
type Close = (path: string) => void;
const closeByMode: Close = () => {};
const closeHere: Close = HAS_MODES ? closeByMode : (path) => setAccessList(path, userName());

export type FileContent = { readonly kind: FileKind; readonly bytes: Secret | string };

/**
 * Creates a file. Its mode is never wider than the final one, which is checked before the first byte is written. Not flushed: see flush.
 * The functions of this file are synchronous: a call takes microseconds, and a promise ten times that.
 */
export function createFile(path: string, { kind, bytes }: FileContent): void {
  const fd = openSync(path, 'wx', MODES[kind]);
  try {
    settleMode(path, MODES[kind], fstatSync(fd).mode, (mode) => fchmodSync(fd, mode));
    writeFileSync(fd, typeof bytes === 'string' ? bytes : bytes.reveal());
    // Windows flushes only files opened for writing.
    if (!HAS_MODES) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A new directory, 0700. False if it existed. Fails with E_STORE_DAMAGED if a file or a link is in its place. */
export function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, MODES.directory);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    if (!lstatSync(path).isDirectory()) throw notADirectory(path);
    return false;
  }
  settleMode(path, MODES.directory, lstatSync(path).mode, (mode) => chmodSync(path, mode));
  return true;
}

/** Creates a directory with all its parents, any of which may be a link to a directory; returns the created ones, outermost first. */
export function makeDirectories(path: string, close: Close = closeHere): string[] {
  try {
    if (statSync(path).isDirectory()) return [];
    throw notADirectory(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  const made = makeDirectories(dirname(path), closeByMode);
  if (!makeDirectory(path)) return made;
  try {
    close(path);
  } catch (error) {
    // If it stayed, the next run would use it unchanged.
    rmdirSync(path);
    throw error;
  }
  return [...made, path];
}

/** Restores mode bits that the umask removed. Excess bits mean a file system without modes. */
export function settleMode(path: string, mode: number, found: number, change: (mode: number) => void): void {
  if (!HAS_MODES || (found & 0o777) === mode) return;
  if ((found & 0o777 & ~mode) === 0) {
    change(mode);
    if ((lstatSync(path).mode & 0o777) === mode) return;
  }
  throw new DockerTlsError(
    'E_STORE_MODES',
    'the file system does not keep the modes of files, so private keys would be open to others',
    { where: path, hints: ['choose a directory on a file system of this computer with --home'] },
  );
}

/** From this number, flushing the whole file system is faster than flushing each file. */
const MANY_FILES = 200;

/** Flushes files and directory entries, so that they survive a power cut. */
export async function flush(paths: readonly string[]): Promise<void> {
  const [first] = paths;
  if (!HAS_MODES || first === undefined) return;
  if (paths.length >= MANY_FILES && process.platform === 'linux' && (await flushFileSystem(first))) return;
  // The disk flushes several files in about the time of one; the pool of libuv has four threads.
  await pMap(paths, flushOne, { concurrency: 8 });
}

async function flushOne(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** syncfs(2), which node lacks, through coreutils' sync(1). False if unavailable. */
async function flushFileSystem(path: string): Promise<boolean> {
  try {
    await promisify(execFile)('sync', ['-f', path]);
    return true;
  } catch {
    return false;
  }
}

/** True if anything has that path, including a dangling link. */
export function present(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The path itself, or its nearest existing ancestor. */
export function nearestPresent(path: string): string {
  return present(path) || dirname(path) === path ? path : nearestPresent(dirname(path));
}

/** The text of a file; undefined if it does not exist. Fails with E_STORE_DAMAGED (exit 2) if something else is in its place. */
export function textIfThere(path: string): string | undefined {
  try {
    return readNamedFileSync(path).toString('utf8');
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    if (errno === 'EACCES') throw cause;
    const hints = [`ls -ld ${shellQuote(dirname(path))} ${shellQuote(path)}`];
    throw new DockerTlsError('E_STORE_DAMAGED', `${path} cannot be read: ${whyNotRead(cause)}`, { hints, cause });
  }
}

/** Cleanup only: a directory that stays (on Windows, the working directory of a shell) does no harm. */
export function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Not empty, missing, or in use.
  }
}

/** The error for a link or a file in a directory's place. */
function notADirectory(path: string): DockerTlsError {
  return new DockerTlsError('E_STORE_DAMAGED', `${path} is not a directory`, {
    where: path,
    hints: [`mv ${shellQuote(path)} ${shellQuote(`${path}.damaged`)}`],
  });
}

/** An error of the operating system, for users. Other errors are returned unchanged. */
export function writeFailure(home: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return error;
  const { path } = error as NodeJS.ErrnoException;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new DockerTlsError('E_STORE_FULL', `no space is left for the store in ${home}; it is unchanged`, {
      where: home,
      hints: [`df -h ${shellQuote(home)}`, 'make room, or choose another directory with --home'],
      cause: error,
    });
  }
  return new DockerTlsError(
    'E_STORE_WRITE',
    `the store cannot be written: ${errno}${path === undefined ? '' : ` at ${path}`}`,
    { where: home, hints: [`ls -la ${shellQuote(home)}`, 'choose another directory with --home'], cause: error },
  );
}

/** A path of the store, always written with `/`, on this machine. */
export function inside(directory: string, path: string): string {
  return join(directory, ...path.split('/'));
}
