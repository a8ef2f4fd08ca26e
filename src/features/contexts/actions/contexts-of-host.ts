/** Docker contexts on this machine that point to a host: search and removal. */

import type { StoredHost, StoreState } from '../../../core/adapters/store/records.ts';
import type { Store } from '../../../core/adapters/store/store.ts';
import { dockerHost } from '../../../core/domain/destination.ts';
import { hostContextName } from '../../../core/domain/hosts/specs.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { ContextPlace } from '../../../core/seams/copies.ts';
import { dockerConfigDirectory } from '../../../core/user.ts';
import { type DockerTlsError, failureOf } from '../../../errors/errors.ts';
import { contextsTo, removeContext } from '../adapters/contexts.ts';
import { changedCopies, withContext } from '../domain/copies.ts';
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

/** The requested one, or one that points to it. */
export async function contextHere(spec: HostSpec, state: StoreState, runtime: Runtime): Promise<string | undefined> {
  const dockerConfig = dockerConfigDirectory(runtime);
  return (
    hostContextName(spec) ?? (await contextsOf(spec.name, state)).find((one) => one.dockerConfig === dockerConfig)?.name
  );
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
