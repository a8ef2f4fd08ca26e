/** A service that accepts TLS clients in front of the daemon: as it is to be, and its part of a plan. */

import type { LocalSockets } from '../dockerd/drop-in.ts';
import { LISTENER_CLIENTS } from '../dockerd/paths.ts';
import type { HostFacts } from './facts.ts';

/** A listener as the host is to have it. Its files follow from the accepted clients; certificates and keys are the host's credentials. */
export type DesiredListener = {
  /** Program and version in messages. */
  readonly title: string;
  /** Text of its unit, and of its other files by their path. */
  readonly unit: string;
  readonly files: ReadonlyMap<string, string>;
  /** Its sockets for programs on the host. */
  readonly local?: LocalSockets | undefined;
  /** As which it opens the daemon's socket; undefined: as the daemon's user. */
  readonly group?: string | undefined;
  /** It runs now. */
  readonly active: boolean;
  /** Packages that the host lacks, and that are installed before the change. */
  readonly packages: readonly string[];
  /** Shell command that checks its configuration, with files at other paths than those that they will have. */
  readonly check: (at: (path: string) => string, credentials: string) => string;
  /**
   * Shell text that ends the connections of clients that lose access, after a reload, which the host may prefer to a planned restart; empty:
   * none. `removed`: PEM of the CAs that the host no longer accepts. The text gets MASTER, the socket of a process, and WORKERS, its
   * children from before.
   */
  readonly cut: (removed: readonly string[]) => string;
};

export type ListenerPlan = {
  readonly service: string;
  readonly action: 'none' | 'start' | 'reload' | 'restart' | 'stop';
  readonly reason: string;
  /** Shell command that checks its new configuration before anything changes; empty: none. */
  readonly check: string;
  /** Shell text that runs after a reload; empty: none. */
  readonly cut: string;
  /** Packages that are installed first. */
  readonly packages: readonly string[];
  /** Names of sockets that are not active before the change, and need not be after it. */
  readonly inactive: readonly string[];
};

/**
 * Clients in the list of a listener (`NAME ROLE`), of a generation or now; undefined: the host has no such list then. `unreadable`: lines that
 * docker-tls did not write, so nobody can tell which clients they accept.
 */
export function listThen(
  { places, files, generations }: Pick<HostFacts, 'places' | 'files' | 'generations'>,
  generation?: number,
): { readonly clients: readonly string[]; readonly unreadable: readonly string[] } | undefined {
  const path = `${places.tls}/${LISTENER_CLIENTS}`;
  const map = generation === undefined ? files.get(path) : generations.get(generation)?.get(path);
  if (map?.kind !== 'file') return undefined;
  const unreadable: string[] = [];
  const clients = (map.content ?? '').split('\n').flatMap((line) => {
    const [, name, role] = /^\S+ ([^\s/]+)\/([^\s/]+)\/\S+$/.exec(line) ?? [];
    if (name !== undefined) return [`${name} ${role}`];
    if (line !== '' && !line.startsWith('#')) unreadable.push(line);
    return [];
  });
  return { clients: [...new Set(clients)].sort(), unreadable };
}
