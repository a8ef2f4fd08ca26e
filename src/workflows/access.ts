/** Owns who may reach what: which hosts still have to hear of a change, and the taking away of access from one client. */

import { DockerTlsError } from '../errors.ts';
import type { StoredClient, StoreState } from '../store/records.ts';
import type { Keyring } from './keyring.ts';

/** Hosts whose trust file is not what it should be, by the store. */
export async function behindHosts({
  state,
  keyring,
}: {
  readonly state: StoreState;
  readonly keyring: Keyring;
}): Promise<string[]> {
  const behind: string[] = [];
  for (const host of state.hosts.values()) {
    if ((await keyring.trustFor({ name: host.record.name, clients: host.record.clients })) !== host.ca)
      behind.push(host.record.name);
  }
  return behind;
}

/** The client with its mark of revocation. Fails with E_CLIENT_UNKNOWN, E_LAST_CLIENT (exit 2). */
export function revoked(state: StoreState, name: string, now: Date): StoredClient {
  const known = state.clients.get(name);
  if (known === undefined) {
    throw new DockerTlsError({
      code: 'E_CLIENT_UNKNOWN',
      exit: 2,
      message: `no client ${name} in the store`,
      hints: ['docker-tls client list'],
    });
  }
  const { folder: _, ...client } = known;
  if (client.record.revokedAt !== undefined) return client;
  const others = [...state.clients.values()].filter(
    (other) => other.record.name !== name && other.record.revokedAt === undefined,
  );
  if (others.length === 0 && state.hosts.size > 0) {
    throw new DockerTlsError({
      code: 'E_LAST_CLIENT',
      exit: 2,
      where: name,
      message: 'it is the last client: without it nobody gets in, and nothing could be proven',
      hints: ['docker-tls client add NAME', `docker-tls client revoke ${name}`],
    });
  }
  return { ...client, record: { ...client.record, revokedAt: now.toISOString(), updatedAt: now.toISOString() } };
}
