/** The hosts in a client's bundle, and the forms in which a client travels (../adapters/bundle.ts, ../domain/pkcs12.ts). */

import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import { dockerHost } from '../../../core/domain/destination.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { clientRevoked, externalKey } from '../../../core/domain/trust/client-refusals.ts';
import { accepts, reachableHosts } from '../../../core/domain/trust/reachable-hosts.ts';
import { noPort } from '../../../core/domain/trust/resolve.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type ClientBundle, packBundle, renderBundleEnv, renderBundlePem } from '../adapters/bundle.ts';
import { makePkcs12 } from '../domain/pkcs12.ts';

export const BUNDLE_FORMATS = ['tar', 'p12', 'env', 'pem'] as const;
export type BundleFormat = (typeof BUNDLE_FORMATS)[number];

/**
 * The client with the hosts that accept it and have a port, or those of `only`. Fails with E_CLIENT_UNKNOWN, E_CLIENT_REVOKED,
 * E_HOST_UNKNOWN, E_NO_PORT, E_CLIENT_NOT_ACCEPTED (exit 2).
 */
export function clientBundle(state: StoreState, client: StoredClient, only: readonly string[] = []): ClientBundle {
  const { record, ca, cert, key } = client;
  if (record.revokedAt !== undefined)
    throw clientRevoked(record.name, record.revokedAt, `docker-tls client add ${record.name}-2`);
  const known = reachableHosts(state);
  // A name of a host in the store is that host.
  const isDialled = (name: string) => hasPort(state.hosts.get(name)?.record ?? {});
  for (const name of only) {
    const host = known.get(name);
    if (!isDialled(name)) throw noPort(name);
    if (host !== undefined && accepts(host, client)) continue;
    throw new DockerTlsError(
      host === undefined ? 'E_HOST_UNKNOWN' : 'E_CLIENT_NOT_ACCEPTED',
      host === undefined ? 'no host of this name in the store' : `this host does not accept ${record.name}`,
      { where: name, hints: ['docker-tls client list'] },
    );
  }
  const hosts = [...known.values()].filter(
    (host) =>
      accepts(host, client) && isDialled(host.record.name) && (only.length === 0 || only.includes(host.record.name)),
  );
  return {
    client: record.name,
    hosts: hosts.map((host) => ({
      name: host.record.name,
      host: dockerHost(host.record.address, host.record.port),
    })),
    ca,
    cert,
    key,
  };
}

/** The file's contents. Only tar works without a key (E_CLIENT_NO_KEY); p12 calls `passphrase`. Fails as makePkcs12 does. */
export async function renderBundle(
  bundle: ClientBundle,
  format: BundleFormat,
  options: { readonly now: Date; readonly passphrase: () => Promise<Secret> },
): Promise<Secret> {
  if (format === 'tar') return packBundle(bundle, options.now);
  const { key, cert, ca, client } = bundle;
  if (key === undefined) throw externalKey(client);
  if (format === 'env') return renderBundleEnv(bundle);
  if (format === 'pem') return renderBundlePem(bundle);
  return makePkcs12({ key, chain: [cert, ca], passphrase: await options.passphrase(), name: client });
}
