/** Docker contexts on this machine that point to a host: search and removal. */

import { type DockerTlsError, failureOf } from '../../errors/errors.ts';
import { type ContextPlace, contextsTo, removeContext } from '../adapters/docker/contexts.ts';
import type { StoredHost, StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import { dockerHost } from '../domain/destination.ts';
import { changedCopies, withContext } from '../domain/trust/copies.ts';
import { writeCopies } from './give-context.ts';

/**
 * Our contexts on this machine that point to this host and to no other one of the store: `remove` deletes them with it. An unreadable
 * context is skipped, because its endpoint is unknown.
 */
export async function contextsOf(host: string, state: StoreState): Promise<readonly ContextPlace[]> {
  const record = state.hosts.get(host)?.record;
  if (record === undefined) return [];
  const endpoint = dockerHost(record.address, record.port);
  const leads = ({ record: { name, address, port } }: StoredHost) =>
    name !== host && dockerHost(address, port) === endpoint;
  if ([...state.hosts.values()].some(leads)) return [];
  const copies = [...state.clients.values()].flatMap((client) => client.record.copies ?? []);
  const found = await Promise.all(copies.map((one) => contextsTo(endpoint, [one]).catch(() => [])));
  return found.flat().filter(({ ours }) => ours);
}

/** The one by which docker on this machine reaches the host; undefined: none. */
export async function contextHere(host: string, state: StoreState, dockerConfig: string): Promise<string | undefined> {
  return (await contextsOf(host, state)).find((place) => place.dockerConfig === dockerConfig)?.name;
}

/**
 * Removes contexts, also from the store's records; call it inside the store's lock. Returns the names of the removed ones; a failure is an
 * error next to the others.
 */
export async function takeContextsAway(
  places: readonly ContextPlace[],
  { store, now }: { readonly store: Store; readonly now: () => Date },
): Promise<{ readonly gone: string[]; readonly errors: DockerTlsError[] }> {
  const gone: string[] = [];
  const errors: DockerTlsError[] = [];
  for (const { name, dockerConfig } of places) {
    try {
      await removeContext({ name, dockerConfig });
      const about = { client: undefined, dockerConfig, now };
      await writeCopies(store, changedCopies(await store.read(), about, withContext(name)));
      gone.push(name);
    } catch (error) {
      errors.push(failureOf(error));
    }
  }
  return { gone, errors };
}
