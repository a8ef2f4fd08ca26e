/** Hosts that can be reached from here: those that were set up from this store, and those that an imported client brought along. */

import type { HostRecord, StoredClient, StoreState } from '../../adapters/store/records.ts';
import { dockerHost } from '../destination.ts';
import type { Secret } from '../secret.ts';

export type ReachableHost = {
  readonly record: Pick<HostRecord, 'name' | 'address' | 'port' | 'clients'>;
  /** Absent for a host that was set up from another store. */
  readonly serverCert?: string;
  readonly serverKey?: Secret;
};

/** By name; a host of our own comes before one of the same name that a client brought along. */
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

/** The name of the host that a DOCKER_HOST leads to. */
export function hostAt(state: Pick<StoreState, 'hosts' | 'clients'>, dialled: string | undefined): string | undefined {
  if (!dialled) return undefined;
  const endpoint = dialled.replace(/\/+$/, '');
  const same = ({ record }: ReachableHost) => dockerHost(record.address, record.port) === endpoint;
  return [...reachableHosts(state).values()].find(same)?.record.name;
}

/**
 * The client that is meant at a host: the one that was named, else the only one with a key here that the host accepts, or of several this
 * computer's own. Undefined: there is none, or it has to be said which.
 */
export function meantClient<Client extends StoredClient>(
  clients: ReadonlyMap<string, Client>,
  host: ReachableHost,
  name: string | undefined,
): Client | undefined {
  const usable = usableAt(clients.values(), host).filter(({ record }) => name === undefined || record.name === name);
  return usable.length === 1 ? usable[0] : ownOf(usable);
}

/** A client with which this computer can probe a host that accepts it: its own one, or the first. */
export function probeClientAt<Client extends StoredClient>(
  clients: Iterable<Client>,
  host: ReachableHost,
): Client | undefined {
  const usable = usableAt(clients, host);
  return ownOf(usable) ?? usable[0];
}

function usableAt<Client extends StoredClient>(clients: Iterable<Client>, host: ReachableHost): Client[] {
  return [...clients].filter(
    (client) => client.key !== undefined && client.record.revokedAt === undefined && accepts(host, client),
  );
}

/** Every CA of this store that hosts and clients trust, PEM: the one that issues, then those that a rotation has not dropped yet. */
export function trustedCas({ ca, oldCas }: StoreState): string {
  return [...(ca ? [ca.cert] : []), ...oldCas.map((old) => old.cert)].join('');
}

/** Whether by the records a host accepts a client. */
export function accepts(host: ReachableHost, { record }: StoredClient): boolean {
  const { name, clients } = host.record;
  // A client of another CA knows its own hosts, and a host of ours knows nothing of it.
  if (record.reaches !== undefined) return record.reaches.some((one) => one.name === name) && !host.serverCert;
  return (
    record.revokedAt === undefined && (clients?.includes(record.name) ?? true) && (record.hosts?.includes(name) ?? true)
  );
}

/** This computer's own client: the one that setup gave it, and that is meant where a command names none. */
export function ownOf<Client extends Pick<StoredClient, 'record'>>(clients: readonly Client[]): Client | undefined {
  return clients.find(({ record }) => record.own);
}
