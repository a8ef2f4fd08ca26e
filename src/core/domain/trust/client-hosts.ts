/** Clients and the hosts that they can reach: by the trust file of each host, which may lag behind the records. */

import type { StoredClient, StoreState } from '../../adapters/store/records.ts';
import { inspectCertificate, isFrom } from '../pki/inspect.ts';
import { type Renewal, renewal } from '../pki/renewal.ts';
import { accepts, reachableHosts } from './reachable-hosts.ts';

export type ClientAccess = {
  readonly name: string;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly state: Renewal['state'] | 'revoked';
  readonly serial: string;
  /** Hosts that accept it as they are now. */
  readonly hosts: readonly string[];
  /** Those are all hosts there are. */
  readonly everywhere: boolean;
  /** Hosts that accept it, or keep it out, against the records: the next apply changes them. */
  readonly toAdd: readonly string[];
  readonly toDrop: readonly string[];
  readonly key: 'here' | 'external';
  /** Issued from another store and imported here. */
  readonly imported: boolean;
  readonly contexts: readonly string[];
  /** A Docker config directory itself holds copies. */
  readonly configDirectory: boolean;
  readonly revokedAt?: string;
};

/** Every client of the store, by name. Asks no host: what a host has is known from when it was last changed. */
export function clientAccess(state: StoreState, now: Date): ClientAccess[] {
  const hosts = [...reachableHosts(state).values()];
  return [...state.clients.values()].map((client) => {
    const { record } = client;
    const info = inspectCertificate(client.cert);
    const standing = renewal({ ...info, now });
    const isTrusted = trusting(client, info);
    const meant = hosts.filter((host) => accepts(host, client)).map((host) => host.record.name);
    const real =
      record.reaches === undefined
        ? [...state.hosts.values()].filter((host) => isTrusted(host.ca)).map((host) => host.record.name)
        : meant;
    return {
      name: record.name,
      notAfter: info.notAfter,
      daysLeft: standing.daysLeft,
      state: record.revokedAt === undefined ? standing.state : 'revoked',
      serial: info.serial,
      hosts: real,
      everywhere: record.reaches === undefined && real.length > 1 && real.length === state.hosts.size,
      toAdd: meant.filter((name) => !real.includes(name)),
      toDrop: real.filter((name) => !meant.includes(name)),
      key: client.key === undefined ? 'external' : 'here',
      imported: record.reaches !== undefined,
      contexts: (record.copies ?? []).flatMap((one) => one.contexts),
      configDirectory: (record.copies ?? []).some((one) => one.directory),
      revokedAt: record.revokedAt,
    };
  });
}

/**
 * How the clients that a host accepts differ from the records, in words by host name: a revocation or an access that did not reach the
 * host. Asks no host, as above.
 */
export function accessDrift(state: StoreState, now: Date): Map<string, readonly string[]> {
  const drift = new Map<string, string[]>();
  const add = (host: string, words: string) => drift.set(host, [...(drift.get(host) ?? []), words]);
  for (const { name, toAdd, toDrop, revokedAt } of clientAccess(state, now)) {
    const who =
      revokedAt === undefined ? `client ${name}, which the records do not allow` : `the revoked client ${name}`;
    for (const host of toDrop) add(host, `still accepts ${who}: it was not applied`);
    for (const host of toAdd) add(host, `does not accept client ${name} yet: it was not applied`);
  }
  return drift;
}

/** Whether a trust file accepts a client, dates aside; most hosts have the same one, which is looked at once. */
function trusting(client: StoredClient, { notBefore, notAfter }: { notBefore: Date; notAfter: Date }) {
  const known = new Map<string, boolean>();
  const middle = new Date((notBefore.getTime() + notAfter.getTime()) / 2);
  return (trust: string): boolean => {
    const before = known.get(trust);
    if (before !== undefined) return before;
    const found = isFrom(client.cert, trust, 'client', middle);
    known.set(trust, found);
    return found;
  };
}
