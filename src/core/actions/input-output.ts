/** Files that users name for input and output: `-` for the standard streams, secrets never on a terminal. */

import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError, usage } from '../../errors/errors.ts';
import { replaceFiles, withFileErrors } from '../adapters/docker/atomic-files.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import { unreadable } from '../domain/unreadable.ts';
import { readFileOrPipe, readStandardInput } from '../named-file.ts';
import type { Runtime } from '../runtime.ts';
import type { GlobalOptions } from './action-context.ts';

export type OutOptions = { readonly out: string | undefined; readonly replace: boolean };

type OutFile = {
  readonly runtime: Runtime;
  readonly global: Pick<GlobalOptions, 'json'>;
  /** FILE or `-`. */
  readonly out: string;
  readonly data: Secret | string;
  readonly replace: boolean;
  /** Not text, so standard output is refused. */
  readonly binary?: boolean;
};

/** The checks of writeOut, before any work. Fails with E_USAGE, E_FILE_EXISTS (exit 2). */
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
  const hints = ['--out OTHER', '--replace'];
  if (!replace && existsSync(path))
    throw new DockerTlsError('E_FILE_EXISTS', 'there is a file of this name already', { where: path, hints });
}

/** Writes atomically: secrets 0600, other files 0644. Returns the path; `-` for standard output. */
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

/** The bytes of a file, or of standard input for `-`. Fails with E_FILE or the given code (exit 2). */
export async function readIn(path: string, cwd: string, code: ErrorCode = 'E_FILE'): Promise<Buffer> {
  try {
    return await (path === '-' ? readStandardInput() : readFileOrPipe(resolve(cwd, path)));
  } catch (cause) {
    throw unreadable(code, path, cause);
  }
}

/** The path as a user would type it: relative if the file is below the working directory. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below.startsWith('..') ? path : below;
}
