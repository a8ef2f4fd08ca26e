/** Ca.pem, cert.pem and key.pem in Docker's config directory itself, where docker looks for them when DOCKER_CERT_PATH is not set. */

import { link } from 'node:fs/promises';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import { clientFiles, newDirectory, readIfThere, replaceFiles, textOf, withFileErrors } from './files.ts';

export type DirectoryToWrite = {
  readonly dockerConfig: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: Secret;
  /** Client certificates of ours (PEM), or their issuing CAs: files that hold one of them may be replaced without being asked. */
  readonly known?: readonly string[];
  /** Replace files that docker-tls did not write; those are kept beside as NAME.before-docker-tls. */
  readonly replace?: boolean;
};

/**
 * Puts a client's credentials into the config directory, keys 0400 and certificates 0444, so that DOCKER_HOST and DOCKER_TLS_VERIFY=1 are
 * enough. `kept`: copies of foreign files that were replaced. Nothing is written when everything is in sync.
 * Errors (exit 2): E_CLIENT_FILES_EXIST when there are other files and neither `known` nor `replace` lets them go; E_CLIENT_FILES.
 */
export async function installIntoConfigDirectory(
  files: DirectoryToWrite,
): Promise<{ changed: boolean; kept: readonly string[] }> {
  const { dockerConfig } = files;
  return withFileErrors(dockerConfig, async () => {
    const { wanted, same, foreign } = await compare(files);
    if (same) return { changed: false, kept: [] };
    await newDirectory(dockerConfig);
    const kept: string[] = [];
    for (const path of foreign) kept.push(await keepCopy(path));
    await replaceFiles(wanted);
    return { changed: true, kept };
  });
}

/** Fails as installIntoConfigDirectory would; writes nothing. */
export async function checkConfigDirectory(files: DirectoryToWrite): Promise<void> {
  await withFileErrors(files.dockerConfig, () => compare(files));
}

/** What is to be written, and the foreign files in its way. */
async function compare({ dockerConfig, known = [], replace, ...credentials }: DirectoryToWrite) {
  const wanted = clientFiles(dockerConfig, credentials);
  const there = await Promise.all(wanted.map((file) => readIfThere(file.path)));
  const differing = wanted.filter((file, index) => there[index] !== undefined && there[index] !== textOf(file.data));
  const same = differing.length === 0 && there.every((text) => text !== undefined);
  const oursBefore = known.some((one) => there[1]?.includes(one.trim()));
  const foreign = oursBefore ? [] : differing.map((file) => file.path);
  if (foreign.length > 0 && !replace) throw existing(foreign);
  return { wanted, same, foreign };
}

/** A second name for a file, so that it outlives the rename over its first; a key that is gone cannot be made again. */
async function keepCopy(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const copy = `${path}.before-docker-tls${number === 1 ? '' : `-${number}`}`;
    try {
      await link(path, copy);
      return copy;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}

function existing(paths: readonly string[]): DockerTlsError {
  return new DockerTlsError(
    'E_CLIENT_FILES_EXIST',
    `there are other TLS files in the Docker config directory already: ${paths.join(', ')}`,
    {
      hints: [
        'use a docker context alone, without --config-directory: docker-tls context HOST',
        'replace them (copies are kept): docker-tls context HOST --config-directory --replace',
      ],
    },
  );
}
