/** Secret files of external CAs: read at each use, and rejected if every local user can read them. */

import { stat } from 'node:fs/promises';
import { type ApiCa, externalCaWords } from '../../../core/domain/external-ca.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { credentialUnnamed } from '../../../core/domain/trust/ca-refusals.ts';
import { readFileOrPipe, whyNotRead } from '../../../core/named-file.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** The credential of a CA. Fails with E_SECRET_FILE (exit 2). */
export async function credentialOf(ca: ApiCa): Promise<{ readonly file: string; readonly secret: Secret }> {
  const { credentialFile: file } = ca;
  if (file === undefined) throw credentialUnnamed(externalCaWords(ca));
  return { file, secret: await readCredential(file) };
}

/** Content of a file without surrounding blanks. Fails with E_SECRET_FILE (exit 2). */
export async function readCredential(path: string): Promise<Secret> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o007) !== 0)
      throw secretFile(path, 'every local user can read it', [`chmod 600 ${shellQuote(path)}`]);
    text = (await readFileOrPipe(path)).toString('utf8').trim();
  } catch (cause) {
    if (cause instanceof DockerTlsError) throw cause;
    throw secretFile(path, `it cannot be read: ${whyNotRead(cause)}`, [`ls -l ${shellQuote(path)}`]);
  }
  if (text === '') throw secretFile(path, 'it is empty', [`ls -l ${shellQuote(path)}`]);
  return new Secret(text);
}

function secretFile(path: string, why: string, hints: readonly string[]): DockerTlsError {
  return new DockerTlsError('E_SECRET_FILE', `the credential for the CA: ${why}`, { where: path, hints });
}
