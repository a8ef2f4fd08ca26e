/** Owns the rows of `status`: everything of a store that can expire, and what hosts have answered. */

import type { StoredClient, StoredHost, StoreState } from '../../adapters/store/records.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { renewal } from '../pki/renewal.ts';
import type { LiveRow, StatusRow } from '../status.ts';
import { externalKey } from './client-refusals.ts';
import { newCredentials } from './new-credentials.ts';
import { otherCas } from './other-cas.ts';

export type Due = { readonly now: Date; readonly withinDays: number | undefined };

/** Every row, the CA first. `live`: what hosts have answered. */
export function statusRows(state: StoreState, live: ReadonlyMap<string, LiveRow>, due: Due): StatusRow[] {
  const row = (kind: StatusRow['kind'], name: string, cert: string) => rowOf(kind, name, cert, due);
  return [
    ...(state.ca ? [row('ca', state.ca.record.name, state.ca.cert)] : []),
    ...state.oldCas.map((old) => ({
      ...row('old ca', old.record?.name ?? old.serial, old.cert),
      serial: old.serial,
    })),
    ...[...state.hosts.values()].map((host) => hostRow(host, live.get(host.record.name), due, state)),
    ...[...state.clients.values()].map((client) => ({
      ...row('client', client.record.name, client.cert),
      ...renewalOf(client),
    })),
  ];
}

export function hostRow(
  { record, serverCert, ca }: StoredHost,
  live: LiveRow | undefined,
  due: Due,
  state: StoreState,
): StatusRow {
  const { name, address, port, generation, description } = record;
  const others = otherCas(ca, state, due.now);
  return {
    ...rowOf('host', name, serverCert, due),
    ...{ address: `${address}:${port}`, generation, description },
    otherCas: others.length > 0 ? others : undefined,
    ...live,
  };
}

function rowOf(kind: StatusRow['kind'], name: string, cert: string, due: Due): StatusRow {
  const { issuer, selfIssued, notBefore, notAfter } = inspectCertificate(cert);
  const { daysLeft, state, dueAt } = renewal({ notBefore, notAfter, ...due });
  return { kind, name, issuer: selfIssued ? 'itself' : issuer, notBefore, notAfter, daysLeft, state, dueAt };
}

function renewalOf({ record: { name, reaches, ownKey, revokedAt }, key }: StoredClient): Partial<StatusRow> {
  if (revokedAt !== undefined) return { state: 'revoked' };
  if (reaches !== undefined)
    return { renew: newCredentials({ client: name, external: true, ownKey }), renewable: false };
  if (key === undefined) return { renew: externalKey(name).hints, renewable: false };
  return { renew: [`docker-tls rotate client ${name}`], renewable: true };
}
