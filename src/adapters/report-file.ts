/** Owns the file that a report goes to. */

import { randomBytes } from 'node:crypto';
import { realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { shellQuote } from '../domain/quote.ts';
import { DockerTlsError } from '../errors/errors.ts';
import { replaceFiles } from './docker/files.ts';

/**
 * Writes the report for its owner alone, since it tells where to break in; whole or not at all. A link stays and what it leads to is
 * written, and so are devices and pipes (/dev/stdout), which a new file must not replace. Its absolute path. Fails with E_AUDIT_OUT (exit 2).
 */
export function saveReport(out: string, cwd: string, text: string): Promise<string> {
  return atPlace(out, cwd, (place, path) =>
    place === undefined ? writeFile(path, text) : replaceFiles([{ path: place, data: text, mode: 0o600 }]),
  );
}

/** Whether a report can be written there, before the change that it is about. Fails with E_AUDIT_OUT (exit 2). */
export async function checkReport(out: string, cwd: string): Promise<void> {
  await atPlace(out, cwd, async (place) => {
    if (place === undefined) return;
    const trial = `${place}.${randomBytes(6).toString('hex')}`;
    await writeFile(trial, '', { mode: 0o600, flag: 'wx' });
    await rm(trial);
  });
}

/** `place`: the file that is replaced; undefined for a device or a pipe. */
async function atPlace(
  out: string,
  cwd: string,
  work: (place: string | undefined, path: string) => Promise<void>,
): Promise<string> {
  const path = resolve(cwd, out);
  try {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
    await work(there === undefined ? path : there.isFile() ? await realpath(path) : undefined, path);
    return path;
  } catch (cause) {
    const hints = [`ls -ld ${shellQuote(dirname(path))} ${shellQuote(path)}`];
    throw new DockerTlsError('E_AUDIT_OUT', 'the report cannot be written', { where: path, hints, cause });
  }
}
