/** A service that accepts TLS clients in front of the daemon: as it is to be, and its part of a plan. */

import { LISTENER_CLIENTS, LISTENER_SERVICE, type Places } from '../dockerd/paths.ts';
import type { CaId } from '../trust/ca-id.ts';
import type { HostFacts } from './facts.ts';
import type { FileChange } from './file-change.ts';

/** A listener as the host is to have it. Certificates and keys are the host's credentials. */
export type DesiredListener = {
  /** Program and version in messages. */
  readonly title: string;
  /** Its units and its configuration. */
  readonly files: readonly FileChange[];
  /** As which it opens the daemon's socket; undefined: as the daemon's user. */
  readonly group?: string | undefined;
  /** What a change does to it. */
  readonly plan: (change: ListenerChange) => ListenerPlan;
};

/** `files`: the pending changes; `credentials`: the reason of new ones; `trust`: CAs that the host is to accept. */
export type ListenerChange = {
  readonly files: readonly FileChange[];
  readonly credentials: { readonly reason: string } | undefined;
  readonly trust: readonly CaId[];
  readonly generation: number;
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
  /** Sockets that are not active before the change, and need not be after it. `who`: as in the check of one that answers by then. */
  readonly inactive: readonly { readonly name: string; readonly who: string; readonly warning: string }[];
};

export const NO_LISTENER: ListenerPlan = {
  service: LISTENER_SERVICE,
  action: 'none',
  reason: '',
  check: '',
  cut: '',
  packages: [],
  inactive: [],
};

export function listenerUnit({ units }: Places): string {
  return `${units}/${LISTENER_SERVICE}`;
}

/** A change of these paths concerns the listener, if the host has one. */
export function isListenerPath(path: string, { socket, socketWants, tls }: Places): boolean {
  return (
    path === socket ||
    path === socketWants ||
    // A socket for programs on the host, or the link that starts it at boot.
    /\/docker-tls-role@[^/]*\.socket$/.test(path) ||
    path.endsWith(`/${LISTENER_SERVICE}`) ||
    path.startsWith(`${tls}/`)
  );
}

/** Whether the host has a listener of docker-tls after the change. */
export function usesListener({ managed }: { readonly managed: readonly { readonly path: string }[] }): boolean {
  return managed.some(({ path }) => path.endsWith(`/${LISTENER_SERVICE}`));
}

/** Whether docker-tls has set up a listener of its own on the host. */
export function hasListener(facts: Pick<HostFacts, 'state' | 'files' | 'places'>): boolean {
  const isThere = facts.files.get(listenerUnit(facts.places))?.kind === 'file';
  return isThere && usesListener({ managed: facts.state?.managed ?? [] });
}

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
