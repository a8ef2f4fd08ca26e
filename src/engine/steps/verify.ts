/** Owns what a host is verified with at its turn: real connections as a client that it accepts, and as those that it must reject. */

import type { StoredClient, StoreState } from '../../adapters/store/records.ts';
import type { Credentials } from '../../domain/plan/desired.ts';
import { isAccepted, isFrom } from '../../domain/trust/trust.ts';
import { bundleOf, trustedIds, viewOf } from '../../domain/trust/view.ts';
import type { PlannedHost, Run, Wanted } from '../intent.ts';
import { ownOf } from '../own-client.ts';
import { type CheckResult, verifyHost } from '../verify-host.ts';
import { ownClients } from './restore.ts';

/** Clients of this store's CA that this computer can be: those that are named, then its own, then the others. */
export function usableClients(state: StoreState, first: readonly string[] = []): StoredClient[] {
  const usable = [...state.clients.values()].filter(
    ({ key, record }) => key !== undefined && record.revokedAt === undefined && record.reaches === undefined,
  );
  const named = first.flatMap((name) => usable.filter(({ record }) => record.name === name));
  const own = ownOf(usable);
  return [...new Set([...named, ...(own ? [own] : []), ...usable])];
}

/** Probes a host as the plan leaves it; `sent`: its credentials. Empty where docker-tls is removed from it. */
export async function verify(
  planned: PlannedHost,
  sent: Credentials | undefined,
  { wanted, state }: { readonly wanted: Wanted; readonly state: StoreState },
  { runtime }: Pick<Run, 'runtime'>,
): Promise<CheckResult[]> {
  const { credentials, latest, spec, address } = planned;
  const now = runtime.now();
  const base = { address, port: spec.port, now };
  const known = latest.hosts.get(spec.name);
  const clients = usableClients(latest, wanted.verifyAs);
  if (credentials === undefined) return [];
  if ('restored' in credentials)
    return verifyHost(runtime.probe, { ...base, ...restoredRequest(planned, clients, now) });
  const credentials = sent as Credentials;
  const key = credentials.key.kind === 'send' ? credentials.key.key : known?.serverKey;
  const client = clients.find(({ record }) => isAccepted(record, spec));
  return verifyHost(runtime.probe, {
    ...base,
    // Without a client of ours: only what is served, and who is rejected.
    ...(client?.key
      ? { ca: client.ca, client: { name: client.record.name, cert: client.cert, key: client.key } }
      : { ca: bundleOf(trustedIds(viewOf(state, now)), state) }),
    ...(key ? { server: { cert: credentials.cert, key } } : {}),
    serverCert: credentials.cert,
    revoked: (wanted.mustReject ?? []).flatMap((name) => {
      const one = latest.clients.get(name);
      return one?.key === undefined ? [] : [{ name, cert: one.cert, key: one.key }];
    }),
  });
}

/** The host as the generation has it: its port, its certificate, and whom it accepts. */
function restoredRequest({ credentials, latest, spec }: PlannedHost, clients: readonly StoredClient[], now: Date) {
  const { ca, cert } = (credentials as { restored: { ca: string; cert: string } }).restored;
  const isTrusted = (one: StoredClient): boolean => isFrom(one.cert, ca, 'client', now);
  const client = clients.find(isTrusted);
  const known = latest.hosts.get(spec.name);
  const serverKey = known?.serverCert === cert ? known.serverKey : undefined;
  return {
    // Where no client of ours is accepted, exactly this certificate has to be served.
    ca: client?.ca ?? cert,
    ...(client?.key ? { client: { name: client.record.name, cert: client.cert, key: client.key } } : {}),
    ...(serverKey ? { server: { cert, key: serverKey } } : {}),
    serverCert: cert,
    revoked: ownClients(latest.clients.values()).flatMap((one) =>
      one.record.revokedAt !== undefined && one.key !== undefined && !isTrusted(one)
        ? [{ name: one.record.name, cert: one.cert, key: one.key }]
        : [],
    ),
  };
}
