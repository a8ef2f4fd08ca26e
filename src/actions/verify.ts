/** Owns the verification of a host that the store knows: with its own record, a client of the store, and everybody who must not get in. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Secret } from '../domain/secret.ts';
import { completeHost } from '../domain/settings.ts';
import type { Reach } from '../engine/intent.ts';
import type { ReachableHost } from '../engine/reachable-hosts.ts';
import { alongWay, said } from '../engine/through.ts';
import { type CheckResult, type VerifyRequest, verifyHost } from '../engine/verify-host.ts';

/** Through ssh where the host's record says so. `client` needs its key in the store. Clients that were revoked and whose credentials are still here must be refused. */
export function verifyStored(
  reach: Reach,
  state: StoreState,
  host: ReachableHost,
  client: StoredClient,
): Promise<CheckResult[]> {
  const revoked = [...state.clients.values()].filter(
    (one) => one.record.revokedAt !== undefined && one.key !== undefined && host.serverCert !== undefined,
  );
  const { runtime } = reach;
  const own = state.hosts.get(host.record.name);
  const spec = own === undefined || host.serverCert === undefined ? undefined : completeHost(own.record);
  const request: VerifyRequest = {
    address: host.record.address,
    port: host.record.port,
    ca: client.ca,
    client: { name: client.record.name, cert: client.cert, key: client.key as Secret },
    server: host.serverKey && host.serverCert ? { cert: host.serverCert, key: host.serverKey } : undefined,
    serverCert: host.serverCert,
    revoked: revoked.map((one) => ({ name: one.record.name, cert: one.cert, key: one.key as Secret })),
    now: runtime.now(),
  };
  if (spec === undefined) return verifyHost(runtime.probe, request);
  return alongWay(spec, reach, async (way) => said(await verifyHost(way.probe, request), way));
}
