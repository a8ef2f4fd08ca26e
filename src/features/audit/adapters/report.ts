/** The file that a report goes to. */

import { randomBytes } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/**
 * Writes the report for its owner alone, since it tells where to break in; whole or not at all. A link stays and what it leads to is
 * written, and so are devices and pipes (/dev/stdout), which a new file must not replace. Its absolute path. Fails with E_AUDIT_OUT (exit 2).
 */
export function saveReport(out: string, cwd: string, text: string): Promise<string> {
  return atPlace(out, cwd, (place, path) =>
    place === undefined ? writeFile(path, text) : stage(place, text, (staged) => rename(staged, place)),
  );
}

/** Whether a report can be written there, before the change that it is about. Fails with E_AUDIT_OUT (exit 2). */
export async function checkReport(out: string, cwd: string): Promise<void> {
  await atPlace(out, cwd, async (place) => place && stage(place, '', (staged) => rm(staged)));
}

/** Beside its place, 0600, and gone if anything fails. */
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

/** `place`: the file that is replaced; undefined for a device or a pipe. */
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
