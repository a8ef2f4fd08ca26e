/** ca.pem, cert.pem and key.pem in Docker's config directory itself, docker's default without DOCKER_CERT_PATH. */

import { link } from 'node:fs/promises';
import { ensureDir } from 'fs-extra/esm';
import { readIfThere, replaceFiles, withFileErrors } from '../../../core/adapters/docker/atomic-files.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { clientFiles, textOf } from './client-files.ts';

type DirectoryToWrite = {
  readonly dockerConfig: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: Secret;
  /** Our client certificates (PEM), or their issuing CAs: files that contain one of them may be replaced without confirmation. */
  readonly known?: readonly string[];
  /** Replace files that docker-tls did not write; they are kept as NAME.before-docker-tls. */
  readonly replace?: boolean;
};

/**
 * Writes a client's credentials into the config directory, keys 0400 and certificates 0444, so that DOCKER_HOST and DOCKER_TLS_VERIFY=1 are
 * enough. `kept`: copies of replaced foreign files. Writes nothing if everything is in sync. Errors (exit 2): E_CLIENT_FILES_EXIST if other
 * files exist and neither `known` nor `replace` covers them; E_CLIENT_FILES.
 */
export async function installIntoConfigDirectory(
  files: DirectoryToWrite,
): Promise<{ changed: boolean; kept: readonly string[] }> {
  const { dockerConfig } = files;
  return withFileErrors(dockerConfig, async () => {
    const { wanted, same, foreign } = await compare(files);
    if (same) return { changed: false, kept: [] };
    await ensureDir(dockerConfig, 0o700);
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

/** The files to write, and the foreign files in their way. */
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

/** A second name for a file, so that it survives the rename over its first; a lost key cannot be recreated. */
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
