/** Bounded reads of files named by a user, a store or a configuration: limited in time and memory, whatever the file is. */

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';

/** Default limit of a read, in bytes. */
export const LARGEST_FILE = 16 * 1024 * 1024;

/** Time limit for the program behind a pipe, such as `<(pass show ca)`. */
const PIPE_MS = 30_000;

/** The only character device that is read: others never end, or hold nothing. */
const DEV_NULL = '/dev/null';

/** A file that was not read. `code` is an errno, `message` a clause without a subject. */
class NotRead extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The bytes of a regular file. Fails as open(2) does, and with EISDIR, EFBIG and ENOTSUP (a device, a socket, or a pipe that the user did
 * not name, which may never end).
 */
export async function readNamedFile(path: string, largest: number = LARGEST_FILE): Promise<Buffer> {
  return readNamedFileSync(path, largest);
}

export function readNamedFileSync(path: string, largest: number = LARGEST_FILE): Buffer {
  const { fd, stats } = openNamed(path);
  return readOpened(path, fd, stats, largest);
}

/** Like readNamedFile, for a file that the user names, such as `<(pass show ca)`: also reads a pipe to its end. ETIMEDOUT after 30 s. */
export async function readFileOrPipe(path: string, largest: number = LARGEST_FILE): Promise<Buffer> {
  const { fd, stats } = openNamed(path);
  if (stats.isFIFO()) return readPipe(fd, largest);
  return readOpened(path, fd, stats, largest);
}

/** All of standard input; EFBIG above `largest` bytes. No time limit: the user may be typing. */
export async function readStandardInput(largest: number = LARGEST_FILE): Promise<Buffer> {
  return gather(process.stdin, largest);
}

/** The reason for a failed read, as a clause: `it is a directory`, `ENOENT`. */
export function whyNotRead(error: unknown): string {
  if (error instanceof NotRead) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ELOOP') return 'its symbolic links lead in a circle';
  if (code === 'ENOENT') return 'there is no such file';
  return code ?? 'unknown';
}

/** O_NONBLOCK: opening a named pipe must not wait for its other end, because nothing could interrupt that wait. */
function openNamed(path: string): { readonly fd: number; readonly stats: Stats } {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    return { fd, stats: fstatSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readOpened(path: string, fd: number, stats: Stats, largest: number): Buffer {
  try {
    if (stats.isDirectory()) throw new NotRead('EISDIR', 'it is a directory');
    if (path === DEV_NULL) return Buffer.alloc(0);
    if (!stats.isFile()) throw new NotRead('ENOTSUP', 'it is not a file');
    if (stats.size > largest) throw tooLarge(largest);
    const bytes = readFileSync(fd);
    // Files in /proc report size 0.
    if (bytes.length > largest) throw tooLarge(largest);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

async function readPipe(fd: number, largest: number): Promise<Buffer> {
  const pipe = new Socket({ fd, readable: true, writable: false });
  const timer = setTimeout(() => {
    pipe.destroy(new NotRead('ETIMEDOUT', `it is a pipe, and its other end was not closed within ${PIPE_MS / 1000} s`));
  }, PIPE_MS);
  try {
    return await gather(pipe, largest);
  } finally {
    clearTimeout(timer);
    pipe.destroy();
  }
}

async function gather(stream: AsyncIterable<Uint8Array>, largest: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > largest) throw tooLarge(largest);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(largest: number): NotRead {
  return new NotRead('EFBIG', `it is larger than ${largest / 1024 / 1024} MiB`);
}
