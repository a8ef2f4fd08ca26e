/** Reading a file that a person, a store or a configuration names: whatever is there, it is read in limited time and memory. */

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';

/** Bytes that are read at most unless the caller says otherwise. */
export const LARGEST_FILE = 16 * 1024 * 1024;

/** How long the program behind a pipe, such as `<(pass show ca)`, may take. */
const PIPE_MS = 30_000;

/** Character devices other than this one are not read: they end in nothing, or never. */
const DEV_NULL = '/dev/null';

/** Why a file was not read. `code` is an errno, `message` a clause without a subject. */
class NotRead extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The bytes of a regular file. Fails as open(2) does, and with the codes EISDIR, EFBIG and ENOTSUP (a device, a socket, or a pipe that nobody
 * has named, which may never end).
 */
export async function readNamedFile(path: string, largest: number = LARGEST_FILE): Promise<Buffer> {
  return readNamedFileSync(path, largest);
}

export function readNamedFileSync(path: string, largest: number = LARGEST_FILE): Buffer {
  const { fd, stats } = openNamed(path);
  return readOpened(path, fd, stats, largest);
}

/** The same of a file that a person names, as with `<(pass show ca)`: also what comes through a pipe until its end. ETIMEDOUT after 30 s. */
export async function readFileOrPipe(path: string, largest: number = LARGEST_FILE): Promise<Buffer> {
  const { fd, stats } = openNamed(path);
  if (stats.isFIFO()) return readPipe(fd, largest);
  return readOpened(path, fd, stats, largest);
}

/** All of standard input; EFBIG where that is more than `largest` bytes. Has no time limit: a person may type it. */
export async function readStandardInput(largest: number = LARGEST_FILE): Promise<Buffer> {
  return gather(process.stdin, largest);
}

/** Why a file was not read, as a clause: `it is a directory`, `ENOENT`. */
export function whyNotRead(error: unknown): string {
  if (error instanceof NotRead) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ELOOP') return 'its symbolic links lead in a circle';
  return code ?? 'unknown';
}

/** O_NONBLOCK: opening a named pipe does not wait for the other end, which nothing could interrupt. */
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
    // Files of /proc say that they are empty.
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
