/** The step that verifies a host at its turn: real connections as a client that it accepts, and as those that it must reject. */

import type { StoredClient } from '../../adapters/store/records.ts';
import { isFrom } from '../../domain/pki/inspect.ts';
import type { Credentials } from '../../domain/plan/desired.ts';
import type { CheckResult } from '../../domain/plan/outcome.ts';
import type { Secret } from '../../domain/secret.ts';
import { usableClients } from '../../domain/trust/clients.ts';
import { isAccepted } from '../../domain/trust/trust.ts';
import { bundleOf, trustedIds, viewOf } from '../../domain/trust/view.ts';
import type { ProbeCredentials } from '../../runtime.ts';
import type { Base, PlannedHost, RestoredCredentials, Run } from '../intent.ts';
import { wayTo, withVia } from '../through.ts';
import { verifyHost } from '../verify-host.ts';
import { ownClients } from './restore.ts';

/** Probes a host as the plan leaves it; `sent`: its credentials. Empty where docker-tls is removed from it. */
export async function verify(
  planned: PlannedHost,
  sent: Credentials | undefined,
  { wanted, state }: Pick<Base, 'wanted' | 'state'>,
  { runtime }: Pick<Run, 'runtime'>,
): Promise<CheckResult[]> {
  const { credentials, latest, spec, address } = planned;
  const now = runtime.now();
  const base = { address, port: spec.port, now, signal: runtime.signal };
  const way = wayTo(spec, runtime.probe, planned.session);
  const clients = usableClients(latest, wanted.verifyAs);
  if (credentials !== undefined && 'restored' in credentials)
    return withVia(
      await verifyHost(way.probe, { ...base, ...restoredRequest(credentials.restored, planned, clients, now) }),
      way,
    );
  if (sent === undefined) return [];
  // A key that the host made itself is not here, and the one before does not belong to the new certificate.
  const kept = sent.key.kind === 'keep' ? latest.hosts.get(spec.name)?.serverKey : undefined;
  const key = sent.key.kind === 'send' ? sent.key.key : kept;
  const [client, ...others] = clients.filter(({ record }) => isAccepted(record, spec));
  // Over a fleet one client is enough; of a single host users want to read who is accepted.
  const more = wanted.hosts.length > 1 ? [] : others.filter(({ cert }) => isFrom(cert, sent.ca, 'client', now));
  const checks = await verifyHost(way.probe, {
    ...base,
    // Without a client of ours: only what is served, and who is rejected.
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
  return withVia(checks, way);
}

const MOST_OTHERS = 7;

function named({ record: { name }, cert, key }: StoredClient): { name: string } & ProbeCredentials {
  return { name, cert, key: key as Secret };
}

/** The host as the generation has it: its port, its certificate, and whom it accepts. */
function restoredRequest(
  { ca, cert }: RestoredCredentials,
  { latest, spec }: PlannedHost,
  clients: readonly StoredClient[],
  now: Date,
) {
  const isTrusted = (one: StoredClient): boolean => isFrom(one.cert, ca, 'client', now);
  const client = clients.find(isTrusted);
  const known = latest.hosts.get(spec.name);
  const serverKey = known?.serverCert === cert ? known.serverKey : undefined;
  return {
    // Where no client of ours is accepted, exactly this certificate has to be served.
    ca: client?.ca ?? cert,
    client: client && named(client),
    server: serverKey && { cert, key: serverKey },
    serverCert: cert,
    revoked: ownClients(latest.clients.values()).flatMap((one) =>
      one.record.revokedAt !== undefined && one.key !== undefined && !isTrusted(one) ? [named(one)] : [],
    ),
  };
}
