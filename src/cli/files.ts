/** Owns the files that commands read and write by name for people: `-` for the standard streams, secrets never on a terminal. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { replaceFiles, withFileErrors } from '../adapters/docker/files.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { GlobalOptions, OptionSpecs } from './command.ts';
import { usage } from './options.ts';

export const OUT_OPTIONS = {
  out: { kind: 'text', value: 'FILE', summary: 'the file to write; - is standard output', completes: 'file' },
  replace: { kind: 'flag', summary: 'replace a file that is there' },
} as const satisfies OptionSpecs;

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
    if (binary) throw usage('this form is no text: it needs a file', ['--out FILE']);
    if (secret && runtime.io.outIsTerminal)
      throw usage('a private key does not belong on a terminal', ['--out FILE', '… --out - | ssh HOST …']);
    return;
  }
  const path = resolve(runtime.cwd, out);
  if (!existsSync(dirname(path)))
    throw usage(`the directory ${dirname(path)} is not there`, [`mkdir -p ${shellQuote(dirname(path))}`]);
  if (!replace && existsSync(path)) {
    throw new DockerTlsError({
      code: 'E_FILE_EXISTS',
      where: path,
      message: 'there is a file of this name already',
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
    if (path !== '-') return await readFile(resolve(cwd, path));
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch (cause) {
    throw new DockerTlsError({
      code: 'E_FILE',
      where: path,
      message: `it cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`,
      hints: [`ls -l ${shellQuote(path)}`],
      cause,
    });
  }
}
