/** Report file. */

import { randomBytes } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/**
 * Writes the report with mode 0600, since it shows where to break in; all or nothing. Writes through links, devices and pipes (/dev/stdout)
 * instead of replacing them. Returns the absolute path. Fails with E_AUDIT_OUT (exit 2).
 */
export function saveReport(out: string, cwd: string, text: string): Promise<string> {
  return atPlace(out, cwd, (place, path) =>
    place === undefined ? writeFile(path, text) : stage(place, text, (staged) => rename(staged, place)),
  );
}

/** Removes an old report, or its signature. Fails with E_AUDIT_OUT (exit 2). */
export async function removeReport(out: string, cwd: string): Promise<void> {
  await atPlace(out, cwd, async (place) => place && rm(place, { force: true }));
}

/** Checks that the report can be written, before the change that it describes. Fails with E_AUDIT_OUT (exit 2). */
export async function checkReport(out: string, cwd: string): Promise<void> {
  await atPlace(out, cwd, async (place) => place && stage(place, '', (staged) => rm(staged)));
}

/** Temporary file in the target's directory, 0600, removed on failure. */
async function stage(place: string, text: string, then: (staged: string) => Promise<void>): Promise<void> {
  const staged = `${place}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(staged, text, { mode: 0o600, flag: 'wx' });
    await then(staged);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}

/** `place`: the file to replace; undefined for a device or a pipe. */
async function atPlace(
  out: string,
  cwd: string,
  work: (place: string | undefined, path: string) => Promise<unknown>,
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
