/** The user of this program, and where that user's files are, also for a user without an entry in passwd (`docker run --user 1234`). */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { DockerTlsError } from '../errors/errors.ts';

/** What /etc/os-release of this computer says; empty where there is none. */
export function osReleaseHere(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}

/** The login name; undefined for a user who has none. */
export function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** A name for the user in any case: the login name, that of the environment, or one made of the number. */
export function userName(): string {
  return loginName() ?? (process.env.USER || process.env.LOGNAME || `uid-${process.getuid?.() ?? 'unknown'}`);
}

/** The same as the name of a client (src/core/domain/names.ts). */
export function ownClientName(): string {
  return userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
}

/** The home directory; an empty HOME counts as unset, as for docker. Fails with E_NO_HOME (exit 2) where neither HOME nor passwd names one. */
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

/** The working directory. One that was deleted goes by its name: then only files that are named relative to it are not found. */
export function workingDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  try {
    return process.cwd();
  } catch {
    return env.PWD !== undefined && isAbsolute(env.PWD) ? env.PWD : '/';
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
