/** Owns the files that commands read and write by name for users: `-` for the standard streams, secrets never on a terminal. */

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { replaceFiles, withFileErrors } from '../adapters/docker/files.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import { unreadable } from '../domain/unreadable.ts';
import { DockerTlsError, usage } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { GlobalOptions } from './action-context.ts';

export type OutOptions = { readonly out: string | undefined; readonly replace: boolean };

export type OutFile = {
  readonly runtime: Runtime;
  readonly global: Pick<GlobalOptions, 'json'>;
  /** FILE or `-`. */
  readonly out: string;
  readonly data: Secret | string;
  readonly replace: boolean;
  /** It is no text: no standard output takes it. */
  readonly binary?: boolean;
};

/** Refuses what writeOut would, before anything is made. Fails with E_USAGE, E_FILE_EXISTS (exit 2). */
export function checkOut({ runtime, global, out, replace, binary }: Omit<OutFile, 'data'>, secret: boolean): void {
  if (out === '-') {
    if (global.json) throw usage('--json and --out - both want standard output', ['--out FILE']);
    if (binary) throw usage('this form is not text: it needs a file', ['--out FILE']);
    if (secret && runtime.io.outIsTerminal)
      throw usage('a private key does not belong on a terminal', ['--out FILE', '… --out - | ssh HOST …']);
    return;
  }
  const path = resolve(runtime.cwd, out);
  if (!existsSync(dirname(path)))
    throw usage(`the directory ${dirname(path)} is not there`, [`mkdir -p ${shellQuote(dirname(path))}`]);
  if (!replace && existsSync(path)) {
    throw new DockerTlsError('E_FILE_EXISTS', 'there is a file of this name already', {
      where: path,
      hints: ['--out OTHER', '--replace'],
    });
  }
}

/** Writes whole or not at all: secrets 0600, other things 0644. Returns the path; `-` for standard output. */
export async function writeOut(file: OutFile): Promise<string> {
  const { runtime, out, data } = file;
  const secret = data instanceof Secret;
  checkOut(file, secret);
  if (out === '-') {
    runtime.io.out(secret ? data.revealText() : data);
    return '-';
  }
  const path = resolve(runtime.cwd, out);
  await withFileErrors(path, () => replaceFiles([{ path, data, mode: secret ? 0o600 : 0o644 }]));
  return path;
}

/** The bytes of a file, or of standard input for `-`. Fails with E_FILE (exit 2). */
export async function readIn(path: string, cwd: string): Promise<Buffer> {
  try {
    return path === '-' ? await buffer(process.stdin) : await readFile(resolve(cwd, path));
  } catch (cause) {
    throw unreadable('E_FILE', path, cause);
  }
}

/**
 * Writes the report for its owner alone, since it tells where to break in; whole or not at all. A link stays and what it leads to is
 * written, and so are devices and pipes (/dev/stdout), which a new file must not replace. Its absolute path. Fails with E_AUDIT_OUT (exit 2).
 */
export async function saveReport(out: string, cwd: string, text: string): Promise<string> {
  const path = resolve(cwd, out);
  let temporary: string | undefined;
  try {
    const place = await placeOf(path);
    if (place === undefined) {
      await writeFile(path, text);
      return path;
    }
    temporary = `${place}.${randomBytes(6).toString('hex')}`;
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, place);
    return path;
  } catch (cause) {
    if (temporary !== undefined) await rm(temporary, { force: true });
    throw notWritable(path, cause);
  }
}

/** Whether a report can be written there, before the change that it is about. Fails with E_AUDIT_OUT (exit 2). */
export async function checkReport(out: string, cwd: string): Promise<void> {
  const path = resolve(cwd, out);
  try {
    const place = await placeOf(path);
    if (place === undefined) return;
    const trial = `${place}.${randomBytes(6).toString('hex')}`;
    await writeFile(trial, '', { mode: 0o600, flag: 'wx' });
    await rm(trial);
  } catch (cause) {
    throw notWritable(path, cause);
  }
}

/** The file that is replaced; undefined for a device or a pipe. */
async function placeOf(path: string): Promise<string | undefined> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return path;
  if (there.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  return there.isFile() ? realpath(path) : undefined;
}

function notWritable(path: string, cause: unknown): DockerTlsError {
  return new DockerTlsError('E_AUDIT_OUT', 'the report cannot be written', {
    where: path,
    hints: [`ls -ld ${shellQuote(dirname(path))} ${shellQuote(path)}`],
    cause,
  });
}
