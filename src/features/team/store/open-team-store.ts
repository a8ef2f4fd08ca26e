/** Opening of a shared store: engine, operator, and local state. */

import { join, resolve } from 'node:path';
import type { Store } from '../../../core/adapters/store/store.ts';
import { type OpenOptions, storeUrl } from '../../../core/adapters/store/store-url.ts';
import type { Listing, Snapshot, StoreEngine } from '../engines/engine.ts';
import { etcdEngine } from '../engines/etcd.ts';
import { gitEngine } from '../engines/git.ts';
import { type StoreAddress, storeAddress } from './address.ts';
import { findIdentities } from './identities.ts';
import { type Local, openLocal } from './local-copy.ts';
import { openSession, type Session } from './session.ts';
import { agentKeys } from './ssh-agent.ts';
import { listingOf } from './store-manifest.ts';
import { teamStore } from './team-store.ts';

/** Session of a shared store; undefined if the store is a directory. */
export function openTeamSession(options: OpenOptions): Session | undefined {
  const home = resolve(options.home);
  const url = storeUrl(options);
  if (!url) return undefined;
  const address = storeAddress(url);
  const { env, cwd, who, now, note, ask } = options;
  const local = openLocal(home, url);
  let hidden: Promise<void> | undefined;
  const before = () => {
    hidden ??= options.hideSecrets?.() ?? Promise.resolve();
    return hidden;
  };
  const { pinned } = address;
  const listing = listingOf(() => [...(pinned === undefined ? [] : [pinned]), ...(local.seen()?.signers ?? [])]);
  const engine = engineOf(address, home, { ...options, before, listing });
  return openSession({
    engine: options.cached ? { ...engine, read: () => lastSeen(engine, local) } : engine,
    local,
    identities: () => findIdentities({ env, cwd, ask }),
    agentKeys: () => agentKeys({ socket: env.SSH_AUTH_SOCK, note, signal: options.signal }),
    ...{ who, pinned, now, note },
  });
}

export function openTeamStore(options: OpenOptions & { readonly url: string }): Store {
  return teamStore(openTeamSession(options) as Session);
}

function engineOf(
  address: StoreAddress,
  home: string,
  { env, signal, before, listing, now }: OpenOptions & { before(): Promise<void>; readonly listing: Listing },
): StoreEngine {
  switch (address.kind) {
    case 'git':
      return gitEngine({ ...address, cache: join(home, 'cache.git'), listing, signal, before });
    case 'etcd':
      return etcdEngine({ address, env, cache: join(home, 'cache.etcd'), listing, signal, now });
  }
}

async function lastSeen(engine: StoreEngine, local: Local): Promise<Snapshot> {
  return (await engine.at(local.seen()?.revision ?? '')) ?? { revision: '', files: new Map(), history: { parent: '' } };
}
