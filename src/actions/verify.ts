/** Owns the verification of a host that the store knows: with its own record, a client of the store, and everybody who must not get in. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Secret } from '../domain/secret.ts';
import type { ReachableHost } from '../engine/reachable-hosts.ts';
import { type CheckResult, verifyHost } from '../engine/verify-host.ts';
import type { Runtime } from '../runtime.ts';

/** `client` needs its key in the store. Clients that were revoked and whose credentials are still here must be refused. */
export function verifyStored(
  runtime: Runtime,
  state: StoreState,
  host: ReachableHost,
  client: StoredClient,
): Promise<CheckResult[]> {
  const revoked = [...state.clients.values()].filter(
    (one) => one.record.revokedAt !== undefined && one.key !== undefined && host.serverCert !== undefined,
  );
  return verifyHost(runtime.probe, {
    address: host.record.address,
    port: host.record.port,
    ca: client.ca,
    client: { name: client.record.name, cert: client.cert, key: client.key as Secret },
    server: host.serverKey && host.serverCert ? { cert: host.serverCert, key: host.serverKey } : undefined,
    serverCert: host.serverCert,
    revoked: revoked.map((one) => ({ name: one.record.name, cert: one.cert, key: one.key as Secret })),
    now: runtime.now(),
  });
}
