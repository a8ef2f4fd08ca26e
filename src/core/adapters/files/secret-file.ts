/** Reads of files that hold a secret. */

import { stat } from 'node:fs/promises';
import { DockerTlsError } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import { Secret } from '../../domain/secret.ts';
import { readFileOrPipe, whyNotRead } from '../../named-file.ts';

/** The first line of a file; E_SECRET_FILE (exit 2) if it is missing, empty, or readable by every local user. */
export async function readSecretFile(path: string, flag: string): Promise<Secret> {
  const refused = (what: string, hints: readonly string[] = [], cause?: unknown) =>
    new DockerTlsError('E_SECRET_FILE', `${flag}: ${what}`, { hints, cause });
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw refused(`${path} is a directory`);
    if (process.platform !== 'win32' && (found.mode & 0o007) !== 0) {
      // No hint to change its mode: devices such as /dev/null are world-readable on purpose.
      if (!found.isFile() && !found.isFIFO()) throw refused(`${path} is a device, no file`);
      throw refused(`every local user can read ${path}`, [`chmod 600 ${shellQuote(path)}`]);
    }
    const [line = ''] = (await readFileOrPipe(path)).toString('utf8').split(/\r?\n/);
    if (line === '') throw refused(`${path} is empty`);
    return new Secret(line);
  } catch (cause) {
    if (cause instanceof DockerTlsError) throw cause;
    throw refused(`${path} cannot be read: ${whyNotRead(cause)}`, [`ls -l ${shellQuote(path)}`], cause);
  }
}
