/** Opening a store: the local directory, which is the default and needs no setup, or a shared one. */

import { resolve } from 'node:path';
import { DockerTlsError } from '../../../errors/errors.ts';
import { SHARED_STORE } from '../../seams/stores.ts';
import { openStore, type Store } from './store.ts';
import { type OpenOptions, storeUrl } from './store-url.ts';

/** Time limit for waiting for another run that is writing to a store in a directory. */
const RETRY_MS = 30_000;

/** The store of a run, not yet opened. Fails with E_STORE_URL (exit 2). */
export function openAnyStore(options: OpenOptions): Store {
  const url = storeUrl(options);
  if (!url) return openStore(options.home, { now: options.now, retryMs: RETRY_MS });
  const [sharedStore] = SHARED_STORE.all;
  if (sharedStore === undefined)
    // Not the address: it may hold a password.
    throw new DockerTlsError('E_STORE_URL', 'this build of docker-tls does not support shared stores', {
      hints: ['docker-tls version'],
    });
  sharedStore.checkAddress(url);
  return lateStore(resolve(options.home), () => sharedStore.open({ ...options, url }));
}

/** A shared store whose code is loaded at its first use: engines and signatures are half of the code that `env` would load without need. */
function lateStore(home: string, load: () => Promise<Store>): Store {
  let loaded: Promise<Store> | undefined;
  const store = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    home,
    shared: true,
    operators: async () => (await store()).operators(),
    mark: async () => (await store()).mark(),
    requireSeen: async (host, state) => (await store()).requireSeen(host, state),
    exists: async () => (await store()).exists(),
    accepts: async (id) => (await store()).accepts(id),
    loggedIn: async (host, place) => (await store()).loggedIn(host, place),
    accept: async (id) => (await store()).accept(id),
    requireWritable: async () => (await store()).requireWritable(),
    read: async (scope) => (await store()).read(scope),
    isCurrent: async (state) => (await store()).isCurrent(state),
    withLock: async (who, fn, how) => (await store()).withLock(who, fn, how),
    write: async (change) => (await store()).write(change),
    watch: async () => (await store()).watch(),
  };
}
