/** Owns which hosts of the store do not trust yet what they should, and why. */

import type { StoredHost, StoreState } from '../../adapters/store/records.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import type { HostSpec } from '../settings.ts';
import { listWords } from '../words.ts';
import { certificateIds, sameIds } from './ca-id.ts';
import { type AccessView, trustFor } from './view.ts';

export type Access = {
  /** Hosts of the store whose trust file is not what it should be. */
  readonly outdated: readonly string[];
  /** Hosts that no client may use any more (E_NO_CLIENTS, exit 5): they stay as they are, for nothing could be verified there. */
  readonly withoutClients: readonly DockerTlsError[];
};

/**
 * What a view of the clients means for the hosts of the store, `changed` in place of the specs on record. What cannot be done with this CA
 * fails here, with E_CA_LEAF_ONLY or E_NO_ISSUER (exit 2).
 */
export function accessOf(
  { hosts }: Pick<StoreState, 'hosts'>,
  view: AccessView,
  changed: readonly HostSpec[] = [],
): Access {
  const outdated: string[] = [];
  const withoutClients: DockerTlsError[] = [];
  for (const { record, ca } of hosts.values()) {
    try {
      const trust = trustFor(changed.find((spec) => spec.name === record.name) ?? record, view);
      if (!sameIds(trust, certificateIds(ca))) outdated.push(record.name);
    } catch (error) {
      if (!(error instanceof DockerTlsError) || error.code !== 'E_NO_CLIENTS') throw error;
      withoutClients.push(leftAsItIs(record.name, error));
    }
  }
  return { outdated, withoutClients };
}

function leftAsItIs(host: string, { hints }: DockerTlsError): DockerTlsError {
  return new DockerTlsError({
    code: 'E_NO_CLIENTS',
    exit: 5,
    where: host,
    message: 'no client would be allowed on this host; left unchanged (it still accepts its current clients)',
    hints: [...hints, `docker-tls remove ${host}`],
  });
}

/** Why hosts are changed that nobody named; `why`: what they have to be told. */
export function reasonsFor(hosts: readonly StoredHost[], view: AccessView, why: string): string[] {
  const acceptsAll = ({ ca }: StoredHost) => view.ca !== undefined && certificateIds(ca).includes(String(view.ca));
  const names = (list: readonly StoredHost[]) =>
    listWords(
      list.map(({ record }) => record.name),
      6,
    );
  const all = hosts.filter(acceptsAll);
  const others = hosts.filter((host) => !acceptsAll(host));
  return [
    ...(all.length > 0 ? [`${names(all)}: changed as well, from every client of the CA to a list: ${why}`] : []),
    ...(others.length > 0 ? [`${names(others)}: changed as well, the list of accepted clients there is outdated`] : []),
  ];
}
