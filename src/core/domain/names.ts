/** Naming rule for hosts, clients and CAs in fleet file, command line and store. */

import { DockerTlsError } from '../../errors/errors.ts';

export const NAME_HINT = 'up to 128 letters, digits and . _ @ + - after a first letter or digit';

/** Name of a role: a regular expression. */
export const ROLE_NAME = '[a-z][a-z0-9-]{0,31}';

/** Device names of Windows: invalid as file names. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/**
 * Returns `name` if it is valid for a host or a client. It must be safe as a file name on Linux, macOS and Windows.
 * Fails with E_NAME (exit 2).
 */
export function checkName(what: 'host' | 'client' | 'CA' | 'operator', name: string): string {
  const why = nameProblem(name);
  if (why === undefined) return name;
  throw new DockerTlsError('E_NAME', `"${name}" cannot be the name of a ${what}: ${why}`, {
    hints: [`choose a name such as ${what === 'host' ? 'build-1' : 'laptop'}: ${NAME_HINT}`],
  });
}

/** Short reason that `name` is invalid for a host or client; undefined: valid. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > 128) return 'it is longer than 128 characters';
  if (!/^[A-Za-z0-9]/.test(name)) return 'it does not begin with a letter or digit';
  if (!/^[A-Za-z0-9._@+-]+$/.test(name)) return 'it has characters other than letters, digits and . _ @ + -';
  if (name.includes('..')) return 'it has two dots in a row';
  if (name.endsWith('.')) return 'it ends in a dot';
  if (RESERVED.test(name)) return 'Windows reserves it for a device';
  return undefined;
}

/** Short reason that `name` is invalid for a docker context (docker/cli, cli/context/store: ValidateContextName); undefined: valid. */
export function contextNameProblem(name: string): string | undefined {
  if (name === 'default') return 'docker reserves it';
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name)) return undefined;
  return 'docker wants two or more letters, digits and _ . + -, a letter or digit first';
}

/** Default context name of a host: the host's name, adapted to docker's rule. */
export function contextNameOf(host: string): string {
  // Names of hosts may contain an @, be one letter, or `default`.
  const name = host.replaceAll('@', '-');
  return name.length < 2 || name === 'default' ? `docker-${name}` : name;
}
