/** Error for an unreadable file on this computer. */

import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { whyNotRead } from '../named-file.ts';
import { shellQuote } from './quote.ts';

export function unreadable(code: ErrorCode, path: string, cause: unknown): DockerTlsError {
  const hints = [`ls -l ${shellQuote(path)}`];
  return new DockerTlsError(code, `it cannot be read: ${whyNotRead(cause)}`, { where: path, hints, cause });
}
