/** Owns which store a directory and an address mean: the local directory, which is the default and needs nothing, or a shared one. */

import { join, resolve } from 'node:path';
import type { Secret } from '../../domain/secret.ts';
import { keepFromChildren } from '../../environment.ts';
import type { Engine, Snapshot } from './engine.ts';
import { etcdEngine } from './engines/etcd.ts';
import { gitEngine } from './engines/git.ts';
import { openStore, type Store } from './store.ts';
import { parseStoreAddress, type StoreAddress } from './team/address.ts';
import { findIdentities } from './team/identities.ts';
import { type Local, openLocal, storeOfHome } from './team/local.ts';
import { openSession, type Session } from './team/session.ts';
import { teamStore } from './team/store.ts';

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
  const session = openTeamSession(options);
  return session === undefined ? openStore(options.home, { now: options.now, retryMs: RETRY_MS }) : teamStore(session);
}

/** The session of a shared store; undefined where the store is the directory. */
export function openTeamSession(options: OpenOptions): Session | undefined {
  const home = resolve(options.home);
  const url = storeUrl(options);
  if (!url) return undefined;
  const address = parseStoreAddress(url);
  const { env, cwd, who, now, note, ask } = options;
  const local = openLocal(home, url);
  let hidden: Promise<void> | undefined;
  const before = () => {
    hidden ??= options.hideSecrets?.() ?? Promise.resolve();
    return hidden;
  };
  const engine = engineOf(address, home, { ...options, before });
  const { pinned } = address;
  return openSession({
    engine: options.cached ? { ...engine, read: () => lastSeen(engine, local) } : engine,
    local,
    identities: () => findIdentities({ env, cwd, ask }),
    ...{ who, pinned, now, note },
  });
}

/** The address of the shared store that is meant; undefined where it is the directory. */
function storeUrl({ home, url, env }: Pick<OpenOptions, 'home' | 'url' | 'env'>): string | undefined {
  return url || env.DOCKER_TLS_STORE || storeOfHome(resolve(home));
}

function engineOf(
  address: StoreAddress,
  home: string,
  { env, signal, before, now }: OpenOptions & { before(): Promise<void> },
): Engine {
  switch (address.kind) {
    case 'git':
      return gitEngine({ ...address, cache: join(home, 'cache.git'), signal, before });
    case 'etcd':
      // No program that we start needs it.
      if (address.password?.startsWith('env:')) keepFromChildren(address.password.slice(4));
      return etcdEngine({ address, env, cache: join(home, 'cache.etcd'), signal, now });
  }
}

async function lastSeen(engine: Engine, local: Local): Promise<Snapshot> {
  return (await engine.at(local.seen()?.revision ?? '')) ?? { revision: '', files: new Map() };
}
