/**
 * Pending certificate requests: `requests/NAME/` with the request and its key, which never leaves this machine. They are not part of the
 * store's state: nothing else in the store depends on them.
 */

import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  createFile,
  flush,
  inside,
  makeDirectories,
  makeDirectory,
  present,
  writeFailure,
} from '../../../core/adapters/store/store-files.ts';
import { checkName, nameProblem } from '../../../core/domain/names.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { readNamedFileSync, whyNotRead } from '../../../core/named-file.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';

/** `key`: PKCS#8 PEM; `csr`: PEM. */
export type PendingRequest = { readonly name: string; readonly key: Secret; readonly csr: string };

/** Every pending request, by name. Fails with E_REQUEST_DAMAGED (exit 2). */
export function readRequests(home: string): PendingRequest[] {
  let names: string[];
  try {
    names = readdirSync(inside(resolve(home), 'requests')).filter((name) => nameProblem(name) === undefined);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw writeFailure(home, error);
  }
  return names.sort().map((name) => {
    const directory = inside(resolve(home), `requests/${name}`);
    try {
      const key = new Secret(readNamedFileSync(join(directory, 'key.pem')));
      return { name, key, csr: readNamedFileSync(join(directory, 'request.pem')).toString('utf8') };
    } catch (cause) {
      throw new DockerTlsError(
        'E_REQUEST_DAMAGED',
        `the request of ${name} cannot be read: ${errnoOf(cause) === undefined ? 'it is damaged' : whyNotRead(cause)}`,
        { where: directory, hints: offeredCommands('request', name, '--new'), cause },
      );
    }
  });
}

/**
 * Stores a request, replacing one of the same name. The key is 0400 and its directory 0700 from the start. Fails with E_NAME, E_STORE_FULL,
 * E_STORE_WRITE.
 */
export async function writeRequest(home: string, { name, key, csr }: PendingRequest): Promise<void> {
  checkName('client', name);
  const root = resolve(home);
  try {
    makeDirectories(root);
    makeDirectory(inside(root, 'requests'));
    removeRequest(root, name);
    const directory = inside(root, `requests/${name}`);
    makeDirectory(directory);
    // The request comes last: its presence shows that the key is complete.
    createFile(join(directory, 'key.pem'), { kind: 'key', bytes: key });
    createFile(join(directory, 'request.pem'), { kind: 'certificate', bytes: csr });
    await flush([join(directory, 'key.pem'), join(directory, 'request.pem'), directory, inside(root, 'requests')]);
  } catch (error) {
    throw writeFailure(root, error);
  }
}

export function removeRequest(home: string, name: string): void {
  const directory = inside(resolve(home), `requests/${checkName('client', name)}`);
  if (present(directory)) rmSync(directory, { recursive: true, force: true });
}
