/** Owns the verification of a host that the store knows: as a client of the store, and as every client that must be rejected. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import type { CheckResult } from '../domain/plan/outcome.ts';
import type { Secret } from '../domain/secret.ts';
import { completeHost } from '../domain/settings.ts';
import type { ReachableHost } from '../domain/trust/reachable-hosts.ts';
import type { Reach } from '../engine/intent.ts';
import { alongWay, said } from '../engine/through.ts';
import { type VerifyRequest, verifyHost } from '../engine/verify-host.ts';

/** Through ssh where the host's record says so. `client` needs its key in the store. Revoked and expired clients whose credentials are still here must be rejected. */
export function verifyStored(
  reach: Reach,
  state: StoreState,
  host: ReachableHost,
  client: StoredClient,
): Promise<CheckResult[]> {
  const { runtime } = reach;
  const now = runtime.now();
  const { serverKey, serverCert } = host;
  const held = [...state.clients.values()].flatMap((one) => {
    const { record, cert, key } = one;
    return key === undefined || serverCert === undefined ? [] : [{ name: record.name, cert, key, record }];
  });
  const isOver = ({ cert }: { readonly cert: string }): boolean => inspectCertificate(cert).notAfter <= now;
  const own = state.hosts.get(host.record.name);
  const spec = own === undefined || serverCert === undefined ? undefined : completeHost(own.record);
  const request: VerifyRequest = {
    address: host.record.address,
    port: host.record.port,
    ca: client.ca,
    client: { name: client.record.name, cert: client.cert, key: client.key as Secret },
    server: serverKey && serverCert ? { cert: serverCert, key: serverKey } : undefined,
    serverCert,
    expired: held.filter((one) => one.record.revokedAt === undefined && one.name !== client.record.name && isOver(one)),
    revoked: held.filter(({ record }) => record.revokedAt !== undefined),
    now,
  };
  if (spec === undefined) return verifyHost(runtime.probe, request);
  return alongWay(spec, reach, async (way) => said(await verifyHost(way.probe, request), way));
}
