/** Rows of `status`: everything in a store that can expire, and results from hosts. */

import type { StoredClient, StoredHost, StoreState } from '../../adapters/store/records.ts';
import { hasPort } from '../network-port.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { renewal } from '../pki/renewal.ts';
import { shellQuote } from '../quote.ts';
import type { LiveRow, StatusRow } from '../status-row.ts';
import { type Acceptance, acceptance } from './accepted.ts';
import { externalKey } from './client-refusals.ts';
import { usableClients } from './clients.ts';
import { newCredentials } from './new-credentials.ts';
import { isListed, listsClients } from './trust.ts';

type Due = { readonly now: Date; readonly withinDays: number | undefined };

/** Every row, the CA first. `live`: results of hosts; `reached`: by client, results of other stores' hosts. */
export function statusRows(
  state: StoreState,
  live: ReadonlyMap<string, LiveRow>,
  due: Due,
  reached: ReadonlyMap<string, LiveRow> = new Map(),
): StatusRow[] {
  const row = (kind: StatusRow['kind'], name: string, cert: string) => rowOf(kind, name, cert, due);
  const accepted = acceptance(state, due.now);
  return [
    ...(state.ca ? [row('ca', state.ca.record.name, state.ca.cert)] : []),
    ...state.oldCas.map((old) => ({
      ...row('old ca', old.record?.name ?? old.serial, old.cert),
      serial: old.serial,
    })),
    ...[...state.hosts.values()].map((host) => hostRow(host, live.get(host.record.name), due, accepted)),
    ...[...state.clients.values()].map((client) => ({
      ...row('client', client.record.name, client.cert),
      ...renewalOf(client, state),
      ...reached.get(client.record.name),
    })),
  ];
}

export function hostRow(
  { record, serverCert, ca }: StoredHost,
  live: LiveRow | undefined,
  due: Due,
  accepted: (trust: string) => Acceptance,
): StatusRow {
  const { name, address, port, generation, description } = record;
  const { otherCas: others, cas, clients } = accepted(ca);
  return {
    ...rowOf('host', name, serverCert, due),
    ...{ address: hasPort(record) ? `${address}:${port}` : address, generation, description },
    otherCas: others.length > 0 ? others : undefined,
    accepts: {
      cas,
      clients: clients.filter((one) => isListed(one.name, record)),
      listener: listsClients(record) ? { others: record.otherClients } : undefined,
    },
    ...live,
  };
}

function rowOf(kind: StatusRow['kind'], name: string, cert: string, due: Due): StatusRow {
  const { issuer, selfIssued, notBefore, notAfter } = inspectCertificate(cert);
  const { daysLeft, state, dueAt } = renewal({ notBefore, notAfter, ...due });
  return { kind, name, issuer: selfIssued ? undefined : issuer, notBefore, notAfter, daysLeft, state, dueAt };
}

function renewalOf(
  { record: { name, reaches, ownKey, revokedAt, own }, key }: StoredClient,
  state: StoreState,
): Partial<StatusRow> {
  if (revokedAt !== undefined) return own ? { state: 'revoked', ...ownRevoked(state) } : { state: 'revoked' };
  if (reaches !== undefined)
    return { renew: newCredentials({ client: name, external: true, ownKey }), renewable: false };
  if (key === undefined) return { renew: externalKey(name).hints, renewable: false };
  return { renew: [`docker-tls rotate client ${name}`], renewable: true };
}

/** No command uses it as the default, but local contexts may still have its files. */
function ownRevoked(state: StoreState): Pick<StatusRow, 'drift' | 'renew'> {
  const other = usableClients(state)[0]?.record.name;
  return {
    drift: ["revoked, but still this computer's own client: choose another"],
    renew:
      other === undefined
        ? ['docker-tls client add NAME', 'docker-tls client use NAME']
        : [`docker-tls client use ${shellQuote(other)}`],
  };
}
