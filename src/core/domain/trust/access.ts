/** Hosts of the store that do not trust yet what they should, and why. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoredHost, StoreState } from '../../adapters/store/records.ts';
import { type OtherClients, otherClients, otherClientsLose, otherClientsNotes } from '../plan/other-clients.ts';
import type { HostSpec } from '../settings.ts';
import { listWords } from '../words.ts';
import { certificateIds, sameIds } from './ca-id.ts';
import { acceptsAll, trustFor } from './trust.ts';
import type { AccessView } from './view.ts';

export type Access = {
  /** Hosts of the store whose trust file is not what it should be. */
  readonly outdated: readonly string[];
  /** Hosts that no client may use (E_HOST_WITHOUT_CLIENTS): they stay as they are, for nothing could be verified there. */
  readonly withoutClients: readonly DockerTlsError[];
  /** Who else loses hosts that list their clients from now on, in words: clients of an imported CA that are not in this store. */
  readonly notes: readonly string[];
};

export type Asking = {
  /** Clients unknown to this store may lose a host. */
  readonly rejectOthers: boolean;
  readonly now: Date;
  /** In place of the specs on record. */
  readonly changed?: readonly HostSpec[];
};

/**
 * What a view of the clients means for the hosts of the store. What cannot be done with this CA fails here, with E_CA_LEAF_ONLY,
 * E_CA_ACCEPTED or E_NO_ISSUER (exit 2), and what needs its own yes with E_OTHER_CLIENTS (exit 4).
 */
export function accessOf(
  state: Pick<StoreState, 'ca' | 'oldCas' | 'issuers' | 'hosts'>,
  view: AccessView,
  { rejectOthers, now, changed = [] }: Asking,
): Access {
  const outdated: string[] = [];
  const withoutClients: DockerTlsError[] = [];
  const losing: { readonly name: string; readonly others: OtherClients }[] = [];
  for (const host of state.hosts.values()) {
    const { record, ca } = host;
    const spec = { ...record, ...changed.find(({ name }) => name === record.name) };
    const accepting = { ...spec, acceptCa: spec.acceptCa ?? record.acceptCa };
    try {
      if (!sameIds(trustFor(accepting, view), certificateIds(ca))) outdated.push(record.name);
    } catch (error) {
      if (!(error instanceof DockerTlsError) || error.code !== 'E_NO_CLIENTS') throw error;
      withoutClients.push(leftAsItIs(record.name, error));
    }
    if (acceptsAll(accepting, [...view.clients.values()])) continue;
    const others = otherClients({ trust: ca, path: '', ours: true }, accepting.acceptCa ?? '', { ...state, host }, now);
    if (others.losing.length > 0) losing.push({ name: record.name, others });
  }
  const [first] = losing;
  const where = losing.map(({ name }) => name).join(', ');
  if (first !== undefined && !rejectOthers) throw otherClientsLose(where, first.others, 'ours');
  const notes = first === undefined ? [] : otherClientsNotes(first.others).map((note) => `on ${where}: ${note}`);
  return { outdated, withoutClients, notes };
}

function leftAsItIs(host: string, { hints }: DockerTlsError): DockerTlsError {
  return new DockerTlsError(
    'E_HOST_WITHOUT_CLIENTS',
    'no client would be allowed on this host; left unchanged (it still accepts its current clients)',
    { where: host, hints: [...hints, `docker-tls remove ${host}`] },
  );
}

/** Why hosts are changed that were not named; `why`: what changes for them. */
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
