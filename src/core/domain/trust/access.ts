/** Stored hosts with an outdated trust file, and the reasons. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoredHost, StoreState } from '../../adapters/store/records.ts';
import { type OtherClients, otherClients, otherClientsLose, otherClientsNotes } from '../plan/other-clients.ts';
import type { HostSpec } from '../settings.ts';
import { listWords } from '../words.ts';
import { certificateIds, sameIds } from './ca-id.ts';
import { acceptsAll, trustFor } from './trust.ts';
import type { AccessView } from './view.ts';

export type Access = {
  /** Stored hosts whose trust file is outdated. */
  readonly outdated: readonly string[];
  /** Hosts that no client may use (E_HOST_WITHOUT_CLIENTS): left unchanged, since nothing could be verified. */
  readonly withoutClients: readonly DockerTlsError[];
  /** Notes about other clients that lose hosts with a new client list: clients of an imported CA that are not in this store. */
  readonly notes: readonly string[];
};

export type Asking = {
  /** Clients unknown to this store may lose access to a host. */
  readonly rejectOthers: boolean;
  readonly now: Date;
  /** Replaces the recorded specs. */
  readonly changed?: readonly HostSpec[];
};

/**
 * Effect of a view of the clients on the stored hosts. Fails with E_CA_LEAF_ONLY, E_CA_ACCEPTED or E_NO_ISSUER (exit 2) if the CA cannot
 * do it, and with E_OTHER_CLIENTS (exit 4) if consent is missing.
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

/** Reasons to change hosts that were not named; `why`: their change. */
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
