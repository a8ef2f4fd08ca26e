/** File names in a fleet or an inventory: relative to its directory; `~/` is the current user's home. */

import { dirname, join, resolve } from 'node:path';
import type { CaSpec, HostSpec, SshSpec } from '../../../core/domain/settings.ts';
import type { Fleet } from './fleet.ts';

/**
 * The fleet with absolute file names: keys, ssh configs and `file:` references. `path` of the fleet must be absolute
 * (for standard input: any name in the working directory).
 */
export function resolveFleetPaths(fleet: Fleet, home: string): Fleet {
  const absolute = pathsFrom(dirname(fleet.path), home);
  const reference = (text: string): string => (text.startsWith('file:') ? `file:${absolute(text.slice(5))}` : text);
  const { caPassphrase, sudoPassword, sudoDefault } = fleet.secrets;
  const passwords: Record<string, string> = Object.create(null);
  for (const [name, text] of Object.entries(sudoPassword)) passwords[name] = reference(text);
  return {
    ...fleet,
    ca: resolveCa(fleet.ca, absolute),
    defaults: fleet.defaults.ssh
      ? { ...fleet.defaults, ssh: resolveSsh(fleet.defaults.ssh, absolute) }
      : fleet.defaults,
    hosts: withPaths(fleet.hosts, absolute),
    secrets: {
      caPassphrase: caPassphrase === undefined ? undefined : reference(caPassphrase),
      sudoPassword: passwords,
      sudoDefault: sudoDefault === undefined ? undefined : reference(sudoDefault),
    },
  };
}

/** Hosts of an inventory with absolute file names. An inventory does not define a base for relative names: it is `directory`. */
export function resolveHostPaths(hosts: readonly HostSpec[], directory: string, home: string): HostSpec[] {
  return withPaths(hosts, pathsFrom(directory, home));
}

function pathsFrom(directory: string, home: string): (path: string) => string {
  return (path) => (path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : resolve(directory, path));
}

function withPaths(hosts: readonly HostSpec[], absolute: (path: string) => string): HostSpec[] {
  return hosts.map((host) => ({ ...host, ssh: resolveSsh(host.ssh, absolute) }));
}

const CA_FILES = ['cert', 'chain', 'tlsRoot', 'pinFile', 'credentialFile', 'passphraseFile'] as const;

function resolveCa(ca: CaSpec, absolute: (path: string) => string): CaSpec {
  const given = CA_FILES.flatMap((field) => {
    const path = ca[field];
    return path === undefined ? [] : [[field, absolute(path)] as const];
  });
  return { ...ca, ...Object.fromEntries(given) };
}

function resolveSsh<T extends Partial<SshSpec>>(ssh: T, absolute: (path: string) => string): T {
  const { identities, configFile } = ssh;
  return {
    ...ssh,
    identities: identities?.map(absolute),
    configFile: configFile && absolute(configFile),
  };
}
