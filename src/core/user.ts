/** The user of this program and the location of that user's files, also without a passwd entry (`docker run --user 1234`). */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { DockerTlsError } from '../errors/errors.ts';

/** This machine's /etc/os-release; empty if missing. */
export function osReleaseHere(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}

/** The login name; undefined without one. */
export function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** A name for the user in every case: the login name, the name from the environment, or one made from the uid. */
export function userName(): string {
  return loginName() ?? (process.env.USER || process.env.LOGNAME || `uid-${process.getuid?.() ?? 'unknown'}`);
}

/** userName() as a valid client name (src/core/domain/names.ts). */
export function ownClientName(): string {
  return userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
}

/** The home directory; like docker, an empty HOME counts as unset. Fails with E_NO_HOME (exit 2) if neither HOME nor passwd names one. */
export function homeDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.HOME) return env.HOME;
  try {
    return userInfo().homedir;
  } catch (cause) {
    throw new DockerTlsError(
      'E_NO_HOME',
      `${userName()} has no home directory: HOME is not set, and passwd has no entry for this user`,
      { hints: ['export HOME=/path/to/a/directory'], cause },
    );
  }
}

/** The working directory. A deleted one keeps its name, so only files named relative to it are missing. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    const { PWD } = process.env;
    return PWD !== undefined && isAbsolute(PWD) ? PWD : '/';
  }
}

type Where = { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string };

/** The store's directory, absolute: `home` (--home), DOCKER_TLS_HOME, or the Docker config directory + `/tls`. */
export function storeDirectory(home: string | undefined, { env, cwd }: Where): string {
  const chosen = home || env.DOCKER_TLS_HOME;
  return chosen ? resolve(cwd, chosen) : join(dockerConfigDirectory({ env, cwd }), 'tls');
}

/** The Docker CLI's own directory: DOCKER_CONFIG, or `~/.docker`. */
export function dockerConfigDirectory({ env, cwd }: Where): string {
  return env.DOCKER_CONFIG ? resolve(cwd, env.DOCKER_CONFIG) : join(homeDirectory(env), '.docker');
}
