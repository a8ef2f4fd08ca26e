/** Reachable hosts: those set up from this store, and those of imported clients. */

import type { HostRecord, StoredClient, StoreState } from '../../adapters/store/records.ts';
import type { Secret } from '../secret.ts';

export type ReachableHost = {
  readonly record: Pick<HostRecord, 'name' | 'address' | 'port' | 'clients'>;
  /** Absent for a host set up from another store. */
  readonly serverCert?: string;
  readonly serverKey?: Secret;
};

/** Reachable hosts by name; our hosts take precedence over an imported client's host of the same name. */
export function reachableHosts(state: Pick<StoreState, 'hosts' | 'clients'>): ReadonlyMap<string, ReachableHost> {
  const found = new Map<string, ReachableHost>();
  for (const { record } of state.clients.values()) {
    for (const host of record.reaches ?? []) {
      const clients = [...(found.get(host.name)?.record.clients ?? []), record.name];
      found.set(host.name, { record: { ...host, clients } });
    }
  }
  for (const [name, host] of state.hosts) found.set(name, host);
  return found;
}

/**
 * Client to use for a host: the named one, else the only accepted one with a local key, or, of several, this computer's default client.
 * Undefined: there is none, or the choice is ambiguous.
 */
export function meantClient<Client extends StoredClient>(
  clients: ReadonlyMap<string, Client>,
  host: ReachableHost,
  name: string | undefined,
): Client | undefined {
  const usable = usableAt(clients.values(), host).filter(({ record }) => name === undefined || record.name === name);
  return usable.length === 1 ? usable[0] : ownOf(usable);
}

/** Client for probing a host that accepts it: this computer's default client, or the first usable one. */
export function probeClientAt<Client extends StoredClient>(
  clients: Iterable<Client>,
  host: ReachableHost,
): Client | undefined {
  const usable = usableAt(clients, host);
  return ownOf(usable) ?? usable[0];
}

/**
 * Name of the client to propose for a host where a command without a client's name would have to ask which: the first `isMine`, or the
 * first.
 */
export function clientToName(
  { clients, ...state }: StoreState,
  host: string,
  isMine: (client: StoredClient & { readonly directory: string }) => boolean,
): string | undefined {
  const reached = reachableHosts({ clients, ...state }).get(host);
  if (reached === undefined || meantClient(clients, reached, undefined) !== undefined) return undefined;
  const mine = [...clients.values()].filter(isMine);
  return (probeClientAt(mine, reached) ?? probeClientAt(clients.values(), reached))?.record.name;
}

/** Accepted clients whose keys are here. */
export function usableAt<Client extends StoredClient>(clients: Iterable<Client>, host: ReachableHost): Client[] {
  return [...clients].filter(
    (client) => client.key !== undefined && client.record.revokedAt === undefined && accepts(host, client),
  );
}

/** PEM of every CA that hosts and clients of this store trust: the issuing one, then those that a rotation has not dropped yet. */
export function trustedCas({ ca, oldCas }: StoreState): string {
  return [...(ca ? [ca.cert] : []), ...oldCas.map((old) => old.cert)].join('');
}

/** Whether a host accepts a client, according to the records. */
export function accepts(host: ReachableHost, { record }: StoredClient): boolean {
  const { name, clients } = host.record;
  // A client of another CA has its own list of hosts, and our hosts do not accept it.
  if (record.reaches !== undefined) return record.reaches.some((one) => one.name === name) && !host.serverCert;
  return (
    record.revokedAt === undefined && (clients?.includes(record.name) ?? true) && (record.hosts?.includes(name) ?? true)
  );
}

/** This computer's default client: created by setup, and used if a command names none. */
export function ownOf<Client extends Pick<StoredClient, 'record'>>(clients: readonly Client[]): Client | undefined {
  return clients.find(({ record }) => record.own);
}
