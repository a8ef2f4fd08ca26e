/**
 * Installs a client's credentials for the docker CLI of this machine: as a context, and in Docker's config directory. The store records
 * both, because a renewal has to replace these copies.
 */

import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import type { Store } from '../../../core/adapters/store/store.ts';
import { dockerHost } from '../../../core/domain/destination.ts';
import { noKeyHere } from '../../../core/domain/trust/client-refusals.ts';
import { reachableHosts } from '../../../core/domain/trust/reachable-hosts.ts';
import type { ContextRequest } from '../../../core/seams/copies.ts';
import { checkConfigDirectory, installIntoConfigDirectory } from '../adapters/config-directory.ts';
import { checkContext, writeContext } from '../adapters/contexts.ts';
import { changedCopies, withConfigDirectory, withContext } from '../domain/copies.ts';

type ContextPlaces = Pick<ContextRequest, 'context' | 'dockerConfig' | 'use' | 'replace' | 'configDirectory'>;

export type ContextOutcome = {
  readonly context: string;
  readonly endpoint: string;
  readonly client: string;
  readonly created: boolean;
  readonly changed: boolean;
  /** The config directory that also has the files. */
  readonly directory?: string;
  /** Backups of foreign files that were in the way in the config directory. */
  readonly kept: readonly string[];
};

/**
 * Creates or updates the context (and, on request, the files in the config directory), then records it with the client. A second call
 * changes nothing. Fails as writeContext, installIntoConfigDirectory and the store do, and with E_CLIENT_NO_KEY (exit 2).
 */
export function giveContext(request: ContextRequest): Promise<ContextOutcome> {
  const { store, host, client, context, dockerConfig, use, replace, configDirectory } = request;
  return store.withLock('docker-tls context', async () => {
    const state = await store.read();
    const record = reachableHosts(state).get(host)?.record;
    const stored = state.clients.get(client);
    if (!record || !stored) throw new Error(`giveContext: ${host} or ${client} is not in the store`);
    const endpoint = dockerHost(record.address, record.port);
    const files = filesOf(stored);
    const remember = async (change: Parameters<typeof changedCopies>[2]): Promise<void> =>
      writeCopies(store, changedCopies(await store.read(), request, change));
    const installed = configDirectory
      ? await installIntoConfigDirectory({ dockerConfig, ...files, known: certificates(state), replace })
      : undefined;
    if (configDirectory) await remember(withConfigDirectory);
    const description = `${host} over mutual TLS, as ${client}`;
    const source = { store: store.home, hostName: host, client };
    const place = { name: context, dockerConfig, host: endpoint, description, source };
    const written = await writeContext({ ...place, ...files, use, replace });
    await remember(withContext(context));
    return {
      ...{ context, endpoint, client },
      created: written.created,
      changed: written.changed || installed?.changed === true,
      directory: configDirectory ? dockerConfig : undefined,
      kept: installed?.kept ?? [],
    };
  });
}

/** Fails as giveContext would; writes nothing. */
export async function checkPlaces(
  state: StoreState,
  client: Pick<StoredClient, 'ca' | 'cert' | 'key' | 'record'>,
  { context, dockerConfig, use, replace, configDirectory }: ContextPlaces,
): Promise<void> {
  const files = filesOf(client);
  if (configDirectory) await checkConfigDirectory({ dockerConfig, ...files, known: certificates(state), replace });
  await checkContext({ name: context, dockerConfig, use, replace });
}

/** Writes nothing if the store has them already. */
export async function writeCopies(store: Store, clients: ReturnType<typeof changedCopies>): Promise<void> {
  if (Object.keys(clients).length > 0) await store.write({ clients });
}

function filesOf({ record: { name }, ca, cert, key }: Pick<StoredClient, 'ca' | 'cert' | 'key' | 'record'>) {
  if (key === undefined) throw noKeyHere([name], name);
  return { ca, cert, key };
}

function certificates({ clients }: StoreState): string[] {
  return [...clients.values()].map(({ cert }) => cert);
}
