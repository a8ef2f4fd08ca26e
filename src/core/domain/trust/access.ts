/** Trust of hosts under a view of the clients: decided once for each host; stored hosts whose trust file is outdated. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { HostRecord, StoredHost, StoreState } from '../../adapters/store/records.ts';
import {
  acceptedCa,
  type OtherClients,
  otherClients,
  otherClientsLose,
  otherClientsNotes,
} from '../plan/other-clients.ts';
import type { HostSpec } from '../settings.ts';
import { listWords } from '../words.ts';
import { certificateIds, sameIds } from './ca-id.ts';
import type { Trust, WantedHost } from './changes.ts';
import { type Accepting, acceptsAll, listedClients, listsClients, trustFor } from './trust.ts';
import type { AccessView } from './view.ts';

export type Access = {
  /** The trust of every stored host. */
  readonly trust: ReadonlyMap<string, Trust>;
  /** Stored hosts whose trust file is outdated. */
  readonly outdated: readonly string[];
  /** Hosts that no client may use (E_HOST_WITHOUT_CLIENTS): left unchanged, since nothing could be verified. */
  readonly withoutClients: readonly DockerTlsError[];
  /** Notes about other clients that lose hosts with a new client list: clients of an imported CA that are not in this store. */
  readonly notes: readonly string[];
};

type Asking = {
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
  state: Pick<StoreState, 'ca' | 'oldCas' | 'issuers' | 'hosts' | 'clients'>,
  view: AccessView,
  { rejectOthers, now, changed = [] }: Asking,
): Access {
  const trust = new Map<string, Trust>();
  const outdated: string[] = [];
  const withoutClients: DockerTlsError[] = [];
  const losing: { readonly name: string; readonly others: OtherClients }[] = [];
  for (const host of state.hosts.values()) {
    const { record, ca } = host;
    // Not merged: a requested spec without a list of clients accepts all of them.
    const spec: Accepting = changed.find(({ name }) => name === record.name) ?? record;
    const accepting = acceptingNow(spec, record);
    const decided = trustOf(accepting, view);
    trust.set(record.name, decided);
    if (!(decided instanceof DockerTlsError)) {
      if (!sameIds(decided, certificateIds(ca)) || listIsOutdated(record, view)) outdated.push(record.name);
    } else if (decided.code === 'E_NO_CLIENTS') withoutClients.push(leftAsItIs(record.name, decided));
    else throw decided;
    // A host with a list accepts no clients that are unknown to this store.
    if (listsClients(record) || acceptsAll(accepting, [...view.clients.values()])) continue;
    const others = otherClients({ trust: ca, path: '', ours: true }, accepting.acceptCa ?? '', { ...state, host }, now);
    if (others.losing.length > 0) losing.push({ name: record.name, others });
  }
  const [first] = losing;
  const where = losing.map(({ name }) => name).join(', ');
  if (first !== undefined && !rejectOthers) throw otherClientsLose(where, first.others, 'ours');
  const notes = first === undefined ? [] : otherClientsNotes(first.others).map((note) => `on ${where}: ${note}`);
  return { trust, outdated, withoutClients, notes };
}

/** Whether the list of clients and roles of a host that has one is outdated. */
function listIsOutdated(record: HostRecord, { clients }: AccessView): boolean {
  return listedClients(record, clients.values())?.join('\n') !== record.accepts?.join('\n');
}

/** The hosts with their trust under the view; `decided`: by an earlier `accessOf` of the same view. */
export function withTrust(
  specs: readonly HostSpec[],
  { hosts }: Pick<StoreState, 'hosts'>,
  view: AccessView,
  decided?: Access['trust'],
): WantedHost[] {
  return specs.map((spec) => {
    const trust = decided?.get(spec.name) ?? trustOf(acceptingNow(spec, hosts.get(spec.name)?.record), view);
    return { spec, trust };
  });
}

/** As far as the store knows: a host tells which clients exist only once it is connected. */
function acceptingNow(spec: Accepting, known: HostRecord | undefined): Accepting {
  return { ...spec, acceptCa: acceptedCa(spec.acceptCa, known?.acceptCa, undefined) };
}

function trustOf(spec: Accepting, view: AccessView): Trust {
  try {
    return trustFor(spec, view);
  } catch (error) {
    if (error instanceof DockerTlsError) return error;
    throw error;
  }
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
