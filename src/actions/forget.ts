/** Owns `forget`: drops hosts from the store without connecting to them, and with them the docker contexts of ours that point there. */

import type { StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import { clientAccess } from '../domain/trust/client-hosts.ts';
import type { DockerTlsError } from '../errors/errors.ts';
import { contextsOf, takeContextsAway } from './contexts-of-host.ts';

export type ForgottenHost = {
  readonly host: string;
  readonly address: string;
  /** Clients that it accepts, and goes on accepting if it still runs. */
  readonly clients: readonly string[];
  /** Docker contexts that point to it. */
  readonly contexts: readonly string[];
};

/** What `forgetHosts` would drop; `names` are hosts of the store. Changes nothing. */
export function planForget(names: readonly string[], state: StoreState, now: Date): Promise<ForgottenHost[]> {
  const access = clientAccess(state, now);
  return Promise.all(
    names.map(async (host) => ({
      host,
      address: state.hosts.get(host)?.record.address ?? '',
      clients: access.filter(({ hosts }) => hosts.includes(host)).map(({ name }) => name),
      contexts: (await contextsOf(host, state)).map(({ name }) => name),
    })),
  );
}

/** Drops the hosts. A context that could not be removed is an error beside the others. Fails as the store's lock and write do. */
export function forgetHosts(
  names: readonly string[],
  store: Store,
  now: () => Date,
): Promise<{ readonly hosts: ForgottenHost[]; readonly errors: DockerTlsError[] }> {
  return store.withLock('docker-tls forget', async () => {
    const state = await store.read();
    const hosts = await planForget(names, state, now());
    const places = (await Promise.all(names.map((name) => contextsOf(name, state)))).flat();
    await store.write({ removeHosts: names });
    const { errors } = await takeContextsAway(places, { store, now });
    return { hosts, errors };
  });
}
