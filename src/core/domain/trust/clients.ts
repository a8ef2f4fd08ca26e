/** Planned changes to clients: creation, update, renewal, revocation. Signs nothing. */

import { asWritten, DockerTlsError } from '../../../errors/errors.ts';
import type { ClientRecord, StoredClient, StoreState } from '../../adapters/store/records.ts';
import type { ClientSpec } from '../settings.ts';
import { knownWords } from '../words.ts';
import type { CredentialChange } from './changes.ts';
import { refuseForeign, refuseOther, refuseRenewal, unknownClient } from './client-refusals.ts';
import { ownOf } from './reachable-hosts.ts';

type Admitted = {
  readonly record: ClientRecord;
  readonly change: 'created' | 'changed' | 'none';
  readonly changes: readonly CredentialChange[];
};

/**
 * Creates the client, or updates an existing one with the `requested` values (a new lifetime applies from the next renewal).
 * Fails with E_CLIENT_EXTERNAL, E_CLIENT_REVOKED (exit 2).
 */
export function admit(
  state: Pick<StoreState, 'clients'>,
  spec: ClientSpec,
  requested: Partial<Pick<ClientRecord, 'hosts' | 'days' | 'keyType' | 'role'>>,
  now: Date,
): Admitted {
  const known = state.clients.get(spec.name);
  if (known === undefined) {
    const record = newRecord(spec, now);
    return { record, change: 'created', changes: [{ kind: 'client', why: 'new', record }] };
  }
  refuseOther(known);
  const record = amended(known.record, requested, now);
  const same = (key: keyof typeof requested): boolean =>
    JSON.stringify(record[key]) === JSON.stringify(known.record[key]);
  if (same('hosts') && same('days') && same('keyType') && same('role'))
    return { record: known.record, change: 'none', changes: [] };
  return { record, change: 'changed', changes: [{ kind: 'record', record }] };
}

export function newRecord({ name, days, keyType, hosts, role }: ClientSpec, now: Date): ClientRecord {
  const time = now.toISOString();
  return { name, createdAt: time, updatedAt: time, days, keyType, hosts, ...(role === undefined ? {} : { role }) };
}

export function amended(record: ClientRecord, more: Partial<ClientRecord>, now: Date): ClientRecord {
  return { ...record, ...more, updatedAt: now.toISOString() };
}

/** A new key and certificate. Fails with E_CLIENT_UNKNOWN, E_CLIENT_NO_KEY, E_CLIENT_EXTERNAL, E_CLIENT_REVOKED (exit 2). */
export function renewed({ clients }: Pick<StoreState, 'clients'>, name: string, days: number | undefined, now: Date) {
  const known = clients.get(name);
  if (known === undefined) throw unknownClient(name);
  refuseRenewal(known);
  const record = amended(known.record, days === undefined ? {} : { days }, now);
  return { kind: 'client', why: 'renewal', record } satisfies CredentialChange;
}

/** Marks the client as revoked. Fails with E_CLIENT_UNKNOWN, E_CLIENT_EXTERNAL, E_LAST_CLIENT (exit 2). */
export function revoked(state: Pick<StoreState, 'clients' | 'hosts'>, name: string, now: Date) {
  const client = state.clients.get(name);
  if (client === undefined) throw unknownClient(name);
  refuseForeign(client, [asWritten(`where it was issued: docker-tls client revoke ${name}`)]);
  const others = activeClients(state).filter(({ record }) => record.name !== name);
  if (client.record.revokedAt === undefined && others.length === 0 && state.hosts.size > 0) {
    throw new DockerTlsError(
      'E_LAST_CLIENT',
      'it is the last client: without it no client is accepted, and nothing could be verified',
      { where: name, hints: ['docker-tls client add NAME', `docker-tls client revoke ${name}`] },
    );
  }
  const record = amended(client.record, { revokedAt: client.record.revokedAt ?? now.toISOString() }, now);
  return { kind: 'record', record } satisfies CredentialChange;
}

/** Clients of this store's CA that are not revoked. */
export function activeClients({ clients }: Pick<StoreState, 'clients'>): StoredClient[] {
  return [...clients.values()].filter(({ record }) => record.revokedAt === undefined && record.reaches === undefined);
}

/** Active clients with a local key: those in `first`, then the default client, then the others. */
export function usableClients(state: Pick<StoreState, 'clients'>, first: readonly string[] = []): StoredClient[] {
  const usable = activeClients(state).filter(({ key }) => key !== undefined);
  const named = first.flatMap((name) => usable.filter(({ record }) => record.name === name));
  const own = ownOf(usable);
  return [...new Set([...named, ...(own ? [own] : []), ...usable])];
}

/**
 * Client that verifies hosts from this computer: the `named` one, the default client, one with a local key, or a new one. Fails as `admit`
 * does.
 */
export function verifierOf(
  state: Pick<StoreState, 'clients'>,
  spec: ClientSpec,
  { named, without, now }: { readonly named: boolean; readonly without: readonly string[]; readonly now: Date },
): { readonly name: string; readonly changes: readonly CredentialChange[] } {
  const usable = activeClients(state).filter(({ key, record }) => key !== undefined && !without.includes(record.name));
  const known = ownOf(usable) ?? (state.clients.has(spec.name) ? undefined : usable[0]);
  if (!named && known !== undefined) return { name: known.record.name, changes: [] };
  return { name: spec.name, changes: admit(state, spec, {}, now).changes };
}

/** Rejects unknown hosts in a list: a typing error would lock the client out of the intended host. E_HOST_UNKNOWN (exit 2). */
export function requireHosts(names: readonly string[], { hosts }: Pick<StoreState, 'hosts'>): void {
  const unknown = names.filter((name) => !hosts.has(name));
  if (unknown.length === 0) return;
  throw new DockerTlsError('E_HOST_UNKNOWN', `no host ${unknown.join(', ')} in the store${knownWords(hosts.keys())}`, {
    hints: ['docker-tls status --offline'],
  });
}
