/** Verification step of a host: real connections as accepted clients and as clients that must be rejected. */

import type { StoredClient } from '../../adapters/store/records.ts';
import { hasPort } from '../../domain/network-port.ts';
import { isFrom } from '../../domain/pki/inspect.ts';
import type { Credentials } from '../../domain/plan/desired.ts';
import type { ProbeCheck } from '../../domain/plan/outcome.ts';
import type { Secret } from '../../domain/secret.ts';
import { usableClients } from '../../domain/trust/clients.ts';
import { isAccepted, isListed } from '../../domain/trust/trust.ts';
import { bundleOf, trustedIds, viewOf } from '../../domain/trust/view.ts';
import type { ProbeCredentials } from '../../runtime.ts';
import type { Base, PlannedHost, RestoredCredentials, Run } from '../intent.ts';
import { listenerChecks, socketChecks } from '../loaded-listener.ts';
import { wayTo, withVia } from '../through.ts';
import { verifyHost, verifyNoPort } from '../verify-host.ts';
import { ownClients } from './restore-generation.ts';

/** Probes a host against its plan; `sent`: its credentials. Empty if docker-tls is removed from it. */
export async function verify(
  planned: PlannedHost,
  sent: Credentials | undefined,
  { wanted, state }: Pick<Base, 'wanted' | 'state'>,
  { runtime }: Pick<Run, 'runtime'>,
): Promise<ProbeCheck[]> {
  const { credentials, latest, spec, address, session } = planned;
  if (planned.plan.purpose === 'remove') return [];
  const inactive = planned.plan.listener.inactive.map(({ name }) => name);
  const sockets = await socketChecks({ session, spec, inactive }, runtime);
  const now = runtime.now();
  const base = { address, port: spec.port, now, signal: runtime.signal };
  const way = wayTo(spec, runtime.probe, planned.session);
  if (!hasPort(spec)) return [...sockets, ...withVia(await verifyNoPort(way.probe, base), way)];
  const clients = usableClients(latest, wanted.verifyAs);
  if (credentials !== undefined && 'restored' in credentials)
    return [
      ...withVia(
        await verifyHost(way.probe, { ...base, ...restoredRequest(credentials.restored, planned, clients, now) }),
        way,
      ),
      ...sockets,
    ];
  if (sent === undefined) return [];
  // A key made on the host is not in the store, and the previous key does not belong to the new certificate.
  const kept = sent.key.kind === 'keep' ? latest.hosts.get(spec.name)?.serverKey : undefined;
  const key = sent.key.kind === 'send' ? sent.key.key : kept;
  const accepted = clients.filter(({ record }) => isAccepted(record, spec));
  const [client, ...others] = accepted;
  // For a fleet one client is enough; for a single host users want to see who is accepted.
  const more = wanted.hosts.length > 1 ? [] : others.filter(({ cert }) => isFrom(cert, sent.ca, 'client', now));
  const { limited } = await listenerChecks(spec, accepted);
  const checks = await verifyHost(way.probe, {
    ...base,
    limited,
    // Without a client of this store: only the served certificate and rejections.
    ca: client?.ca ?? bundleOf(trustedIds(viewOf(state, now)), state),
    client: client && named(client),
    others: more.slice(0, MOST_OTHERS).map(named),
    server: key && { cert: sent.cert, key },
    serverCert: sent.cert,
    revoked: (wanted.mustReject ?? []).flatMap((name) => {
      const one = latest.clients.get(name);
      return one?.key === undefined ? [] : [named(one)];
    }),
  });
  return [...withVia(checks, way), ...sockets];
}

const MOST_OTHERS = 7;

function named({ record: { name }, cert, key }: StoredClient): { name: string } & ProbeCredentials {
  return { name, cert, key: key as Secret };
}

/** The request for a restored generation: its port, its certificate and its accepted clients. */
function restoredRequest(
  { ca, cert, accepts }: RestoredCredentials,
  { latest, spec }: PlannedHost,
  clients: readonly StoredClient[],
  now: Date,
) {
  const isTrusted = ({ record, cert }: StoredClient): boolean =>
    isListed(record.name, { accepts }) && isFrom(cert, ca, 'client', now);
  const client = clients.find(isTrusted);
  const known = latest.hosts.get(spec.name);
  const serverKey = known?.serverCert === cert ? known.serverKey : undefined;
  return {
    // If no client of this store is accepted, exactly this certificate must be served.
    ca: client?.ca ?? cert,
    client: client && named(client),
    server: serverKey && { cert, key: serverKey },
    serverCert: cert,
    revoked: ownClients(latest.clients.values()).flatMap((one) =>
      one.record.revokedAt !== undefined && one.key !== undefined && !isTrusted(one) ? [named(one)] : [],
    ),
  };
}
