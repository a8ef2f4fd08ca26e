/** Owns who may reach what: clients that come, change or go, in memory; and which hosts then still have to hear of it. */

import type { ClientRecord, StoredClient, StoreState } from '../adapters/store/records.ts';
import { otherClients, otherClientsLose, otherClientsNotes } from '../domain/plan/other-clients.ts';
import type { ClientSpec, HostSpec } from '../domain/settings.ts';
import { type Accepting, acceptsAll } from '../domain/trust/trust.ts';
import { DockerTlsError } from '../errors/errors.ts';
import { refuseForeign, refuseOther, unknownClient } from './client-refusals.ts';
import type { Keyring } from './keyring.ts';

export type Access = {
  /** Hosts of the store whose trust file is not what it should be. */
  readonly outdated: readonly string[];
  /** Hosts that nobody may use any more (E_NO_CLIENTS, exit 5): they stay as they are, for nothing could be verified there. */
  readonly withoutClients: readonly DockerTlsError[];
  /** Who else loses hosts that list their clients from now on, in words: clients of an imported CA that are not in this store. */
  readonly notes: readonly string[];
};

/**
 * What the access that the keyring holds means for the hosts of the store, `changed` in place of the specs on record. To be asked before
 * access is written: what cannot be done with this CA fails here, with E_CA_LEAF_ONLY or E_NO_ISSUER (exit 2), and what needs its own yes
 * with E_OTHER_CLIENTS (exit 4).
 */
export async function accessOf(
  {
    state,
    keyring,
    rejectOthers,
    now,
  }: { readonly state: StoreState; readonly keyring: Keyring; readonly rejectOthers: boolean; readonly now: Date },
  changed: readonly HostSpec[] = [],
): Promise<Access> {
  const outdated: string[] = [];
  const withoutClients: DockerTlsError[] = [];
  for (const { record, ca } of state.hosts.values()) {
    try {
      const spec = changed.find(({ name }) => name === record.name) ?? record;
      const trust = await keyring.trustFor({ ...spec, acceptCa: spec.acceptCa ?? record.acceptCa });
      if (trust !== ca) outdated.push(record.name);
    } catch (error) {
      if (!(error instanceof DockerTlsError) || error.code !== 'E_NO_CLIENTS') throw error;
      withoutClients.push(leftAsItIs(record.name, error));
    }
  }
  const clients = [...keyring.clients().values()].map(({ record }) => record);
  const specs = [...state.hosts.values()].map(
    ({ record }) => changed.find(({ name }) => name === record.name) ?? record,
  );
  const notes = requireYes({ ...state, clients }, specs, rejectOthers, now);
  return { outdated, withoutClients, notes };
}

/** What of a client's record says whom it reaches. */
export type AccessRecord = Pick<ClientRecord, 'name' | 'hosts' | 'revokedAt' | 'reaches'>;

/**
 * Who else loses hosts of the store when `clients` are all that there are, in words; nothing is signed for it. Fails with E_OTHER_CLIENTS
 * (exit 4) unless that was agreed to.
 */
export function requireYes(
  state: Pick<StoreState, 'ca' | 'oldCas' | 'issuers' | 'hosts'> & { readonly clients: readonly AccessRecord[] },
  specs: readonly Accepting[],
  agreed: boolean,
  now: Date,
): string[] {
  const own = state.clients.filter(({ reaches }) => reaches === undefined);
  const losing = specs.flatMap((spec) => {
    const host = state.hosts.get(spec.name);
    if (host === undefined || acceptsAll(spec, own)) return [];
    const trust = { trust: host.ca, path: '', ours: true };
    const others = otherClients(trust, spec.acceptCa ?? host.record.acceptCa ?? '', { ...state, host }, now);
    return others.losing.length === 0 ? [] : [{ name: spec.name, others }];
  });
  const [first] = losing;
  const where = losing.map(({ name }) => name).join(', ');
  if (first !== undefined && !agreed) throw otherClientsLose(where, first.others, 'ours');
  return first === undefined ? [] : otherClientsNotes(first.others).map((note) => `on ${where}: ${note}`);
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

export type Admitted = { readonly client: StoredClient; readonly change: 'created' | 'changed' | 'none' };

/**
 * The client as it shall be: made, or, where it is there already, with what is `said` of it now (a lifetime counts from the next
 * renewal on). Fails as the keyring does.
 */
export async function admit(
  { state, keyring }: { readonly state: StoreState; readonly keyring: Keyring },
  spec: ClientSpec,
  said: Partial<Pick<ClientRecord, 'hosts' | 'days' | 'keyType'>>,
  now: Date,
): Promise<Admitted> {
  const known = state.clients.get(spec.name);
  if (known === undefined) return { client: await keyring.client(spec), change: 'created' };
  refuseOther(known);
  const client = amended(known, said, now);
  const same = (key: keyof typeof said): boolean =>
    JSON.stringify(client.record[key]) === JSON.stringify(known.record[key]);
  if (same('hosts') && same('days') && same('keyType')) return { client: known, change: 'none' };
  keyring.amend(client);
  return { client, change: 'changed' };
}

/** A client with another record, and the credentials it has. */
export function amended(
  { directory: _, ...client }: StoredClient & { readonly directory?: string },
  more: Partial<ClientRecord>,
  now: Date,
): StoredClient {
  return { ...client, record: { ...client.record, ...more, updatedAt: now.toISOString() } };
}

/** The client with its mark of revocation. Fails with E_CLIENT_UNKNOWN, E_CLIENT_EXTERNAL, E_LAST_CLIENT (exit 2). */
export function revoked(state: StoreState, name: string, now: Date): StoredClient {
  const client = state.clients.get(name);
  if (client === undefined) throw unknownClient(name);
  refuseForeign(client, [`where it was issued: docker-tls client revoke ${name}`]);
  const others = [...state.clients.values()].filter(
    ({ record }) => record.name !== name && record.revokedAt === undefined && record.reaches === undefined,
  );
  if (client.record.revokedAt === undefined && others.length === 0 && state.hosts.size > 0) {
    throw new DockerTlsError({
      code: 'E_LAST_CLIENT',
      exit: 2,
      where: name,
      message: 'it is the last client: without it nobody gets in, and nothing could be verified',
      hints: ['docker-tls client add NAME', `docker-tls client revoke ${name}`],
    });
  }
  return amended(client, { revokedAt: client.record.revokedAt ?? now.toISOString() }, now);
}

/** An unknown host in a list of hosts is a typing error, and would lock the client out of what was meant: E_HOST_UNKNOWN (exit 2). */
export function requireHosts(names: readonly string[], { hosts }: StoreState): void {
  const unknown = names.filter((name) => !hosts.has(name));
  if (unknown.length === 0) return;
  throw new DockerTlsError({
    code: 'E_HOST_UNKNOWN',
    exit: 2,
    message: `no host ${unknown.join(', ')} in the store`,
    hints: ['docker-tls status --offline'],
  });
}
