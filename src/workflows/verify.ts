/** Owns the proof of a host that the store knows: with its own record, a client of the store, and everybody who must not get in. */

import type { Runtime } from '../runtime.ts';
import type { Secret } from '../secret.ts';
import type { StoredClient, StoreState } from '../store/records.ts';
import { type Proof, proveHost } from './prove.ts';
import type { ReachableHost } from './reach.ts';

/** `client` needs its key in the store. Clients that were revoked and whose papers are still here must be refused. */
export function proveStored(
  runtime: Runtime,
  state: StoreState,
  host: ReachableHost,
  client: StoredClient,
): Promise<Proof[]> {
  const revoked = [...state.clients.values()].filter(
    (one) => one.record.revokedAt !== undefined && one.key !== undefined && host.serverCert !== undefined,
  );
  return proveHost(runtime.probe, {
    address: host.record.address,
    port: host.record.port,
    ca: client.ca,
    client: { name: client.record.name, cert: client.cert, key: client.key as Secret },
    ...(host.serverKey && host.serverCert ? { server: { cert: host.serverCert, key: host.serverKey } } : {}),
    ...(host.serverCert ? { serverCert: host.serverCert } : {}),
    revoked: revoked.map((one) => ({ name: one.record.name, cert: one.cert, key: one.key as Secret })),
    now: runtime.now(),
  });
}
