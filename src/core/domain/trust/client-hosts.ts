/** Hosts that each client can use, by the trust file of each host (possibly older than the records). */

import type { StoredClient, StoreState } from '../../adapters/store/records.ts';
import { inspectCertificate, isFrom } from '../pki/inspect.ts';
import { type Renewal, renewal } from '../pki/renewal.ts';
import { accepts, reachableHosts } from './reachable-hosts.ts';
import { isListed } from './trust.ts';

export type ClientAccess = {
  readonly name: string;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly state: Renewal['state'] | 'revoked';
  readonly serial: string;
  /** Absent: it may do everything. */
  readonly role?: string | undefined;
  /** Hosts that accept it now. */
  readonly hosts: readonly string[];
  /** `hosts` is all hosts. */
  readonly everywhere: boolean;
  /** Hosts to change at the next apply: they reject the client (`toAdd`) or accept it (`toDrop`) against the records. */
  readonly toAdd: readonly string[];
  readonly toDrop: readonly string[];
  readonly key: 'here' | 'external';
  /** Issued by another store and imported. */
  readonly imported: boolean;
  readonly contexts: readonly string[];
  /** A Docker config directory has copies of its files. */
  readonly configDirectory: boolean;
  readonly revokedAt?: string;
};

/** Every client of the store, by name. Contacts no host: uses the state of each host's last change. */
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
        ? [...state.hosts.values()]
            .filter((host) => isTrusted(host.ca) && isListed(record.name, host.record))
            .map((host) => host.record.name)
        : meant;
    return {
      name: record.name,
      notAfter: info.notAfter,
      daysLeft: standing.daysLeft,
      state: record.revokedAt === undefined ? standing.state : 'revoked',
      serial: info.serial,
      role: record.role,
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
 * Differences between the clients that a host accepts and the records, in words by host name: a revocation or grant that was not
 * applied. Contacts no host.
 */
export function accessDrift(state: StoreState, now: Date): Map<string, readonly string[]> {
  const drift = new Map<string, string[]>();
  const add = (host: string, words: string) => drift.set(host, [...(drift.get(host) ?? []), words]);
  for (const { name, toAdd, toDrop, revokedAt } of clientAccess(state, now)) {
    const who =
      revokedAt === undefined ? `client ${name}, although the records do not allow it` : `the revoked client ${name}`;
    for (const host of toDrop) add(host, `still accepts ${who}: it was not applied`);
    for (const host of toAdd) add(host, `does not accept client ${name} yet: it was not applied`);
  }
  return drift;
}

/** Whether a trust file accepts a client, ignoring dates. Cached, since most hosts have the same file. */
export function trusting(client: StoredClient, { notBefore, notAfter }: { notBefore: Date; notAfter: Date }) {
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
