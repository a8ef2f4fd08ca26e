/** A client's files for docker on this computer, and the directory of its key. */

import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../../../core/domain/secret.ts';

const KEY_MODE = 0o400;
const CERT_MODE = 0o444;

/** A client's credentials in a directory usable as DOCKER_CERT_PATH. */
export function clientFiles(
  directory: string,
  { ca, cert, key }: { readonly ca: string; readonly cert: string; readonly key: Secret },
) {
  return [
    { path: join(directory, 'ca.pem'), data: ca, mode: CERT_MODE },
    { path: join(directory, 'cert.pem'), data: cert, mode: CERT_MODE },
    { path: join(directory, 'key.pem'), data: key, mode: KEY_MODE },
  ];
}

export function textOf(data: string | Secret): string {
  return data instanceof Secret ? data.revealText() : data;
}

/** A directory for keys alone: 0700 from its creation; an existing one with a wider mode is tightened. */
export async function secretDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (process.platform === 'win32') return;
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o700);
}
