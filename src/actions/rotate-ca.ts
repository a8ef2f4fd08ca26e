/** Owns the rotation of the CA: accept old and new, issue from the new, drop the old. Reads like a table of contents. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { type RotationStage, rotationStage } from '../domain/plan/stages.ts';
import { externalKey } from '../engine/client-refusals.ts';
import type { Keyring } from '../engine/keyring.ts';
import { DockerTlsError } from '../errors/errors.ts';

/** Where a rotation stands, by the store alone. */
export async function stageOf(state: StoreState, keyring: Keyring, now: Date): Promise<RotationStage> {
  if (state.ca === undefined) return { stage: 'none', hosts: [], clients: [] };
  const hosts = [];
  for (const host of state.hosts.values()) {
    const wanted = await keyring.trustFor(host.record);
    hosts.push({ name: host.record.name, trust: host.ca, wanted, serverCert: host.serverCert });
  }
  return rotationStage({
    ca: state.ca.cert,
    oldCas: state.oldCas.map((old) => old.cert),
    hosts,
    clients: ownClients(state).map((client) => ({
      name: client.record.name,
      cert: client.cert,
      revoked: client.record.revokedAt !== undefined,
      keyHere: client.key !== undefined,
    })),
    now,
  });
}

/** Stage three is refused while anything still depends on the old CA (E_CA_IN_USE, exit 3), which is named. */
export function refuseDrop(stage: RotationStage, { clients }: Pick<StoreState, 'clients'>): void {
  if (stage.stage === 'drop' || stage.stage === 'clear' || stage.stage === 'none') return;
  throw new DockerTlsError({
    code: 'E_CA_IN_USE',
    exit: 3,
    message: `the old CA is still needed by ${[...stage.hosts.map((host) => `host ${host}`), ...stage.clients.map((client) => `client ${client}`)].join(', ')}`,
    hints: [
      ...(stage.hosts.length > 0 || stage.clients.some((name) => clients.get(name)?.key !== undefined)
        ? ['docker-tls rotate ca']
        : []),
      ...waysOn(stage.clients, clients),
    ],
  });
}

/** What has to be done elsewhere for clients whose key is not here: no command of this computer renews them. */
export function waysOn(names: readonly string[], clients: StoreState['clients']): string[] {
  return names
    .filter((name) => clients.get(name)?.key === undefined)
    .flatMap((name) => [
      ...externalKey(name).hints,
      `if ${name} is not to get in any more: docker-tls client revoke ${name}`,
    ]);
}

/** Clients of this store's CA; those that were issued elsewhere and imported here are no business of a rotation. */
export function ownClients(state: StoreState): (StoredClient & { readonly directory: string })[] {
  return [...state.clients.values()].filter(({ record }) => record.reaches === undefined);
}

/**
 * Makes the new CA, and for every client an issuing CA under it; clients trust hosts of both from the first moment. Written at once.
 * `lost`: without the passphrase of the old keys.
 */
export async function beginRotation(state: StoreState, keyring: Keyring, lost = false): Promise<void> {
  if (state.ca === undefined) {
    throw new DockerTlsError({
      code: 'E_NO_CA',
      exit: 2,
      message: 'there is no CA to rotate yet',
      hints: ['docker-tls setup root@HOST'],
    });
  }
  await keyring.replaceCa({ lost });
  const ca = await keyring.trusted();
  for (const { directory: _, ...client } of ownClients(state)) {
    if (client.record.revokedAt !== undefined) continue;
    // A colleague's as well: hosts that list clients one by one have to know it before the colleague asks for credentials.
    const { name } = client.record;
    if (client.key !== undefined || state.issuers.has(name)) await keyring.prepareIssuer(name);
    keyring.amend({ ...client, ca });
  }
}
