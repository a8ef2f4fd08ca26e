/** Opening a store: the local directory, which is the default and needs nothing, or a shared one. */

import { resolve } from 'node:path';
import type { Secret } from '../../domain/secret.ts';
import { keepFromChildren } from '../../environment.ts';
import { openStore, type Store } from './store.ts';
import { parseStoreAddress, type StoreAddress } from './team/address.ts';
import { storeOfHome } from './team/local.ts';

export type OpenOptions = {
  readonly home: string;
  /** `--store`; absent: DOCKER_TLS_STORE, or the shared store that the directory was used with before, or the directory itself. */
  readonly url?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `user@computer`. */
  readonly who: string;
  readonly signal?: AbortSignal | undefined;
  /** Ends before the first child process: takes secrets out of the environment that it would inherit. */
  readonly hideSecrets?: () => Promise<void>;
  /** Only what was fetched before, at once. */
  readonly cached?: boolean;
  now(): Date;
  /** Says what a person should know, such as the age of what is read offline. */
  note(text: string): void;
  /** Asks for the passphrase of an SSH key; absent without a terminal. */
  readonly ask?: ((question: { file: string; again?: boolean }) => Promise<Secret>) | undefined;
};

/** How long a run waits for another one that is writing to a store in a directory. */
const RETRY_MS = 30_000;

/** The store of a run. Opens nothing yet. Fails with E_STORE_URL (exit 2). */
export function openAnyStore(options: OpenOptions): Store {
  const url = storeUrl(options);
  if (!url) return openStore(options.home, { now: options.now, retryMs: RETRY_MS });
  addressOf(url);
  return lateStore(resolve(options.home), async () =>
    (await import('./team/open.ts')).openTeamStore({ ...options, url }),
  );
}

/** A shared store whose code is loaded at its first use: engines and signatures are half of what `env` would load for nothing. */
function lateStore(home: string, load: () => Promise<Store>): Store {
  let loaded: Promise<Store> | undefined;
  const store = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    home,
    shared: true,
    mark: async (fresh) => (await store()).mark(fresh),
    exists: async () => (await store()).exists(),
    accepts: async (id) => (await store()).accepts(id),
    accept: async (id) => (await store()).accept(id),
    requireWritable: async () => (await store()).requireWritable(),
    read: async (scope) => (await store()).read(scope),
    withLock: async (who, fn, how) => (await store()).withLock(who, fn, how),
    write: async (change) => (await store()).write(change),
  };
}

/** The address of the shared store that is meant; undefined where it is the directory. */
export function storeUrl({ home, url, env }: Pick<OpenOptions, 'home' | 'url' | 'env'>): string | undefined {
  return url || env.DOCKER_TLS_STORE || storeOfHome(resolve(home));
}

/** The address at `url`. A password that it names is out of the environment before anything else runs: no program that we start needs it. */
export function addressOf(url: string): StoreAddress {
  const address = parseStoreAddress(url);
  if (address.kind === 'etcd' && address.password?.startsWith('env:')) keepFromChildren(address.password.slice(4));
  return address;
}
