/** Owns how a command opens the store. */

import { openStore, type Store } from '../adapters/store/store.ts';
import { reachableHosts } from '../domain/trust/reachable-hosts.ts';
import type { Runtime } from '../runtime.ts';
import type { GlobalOptions } from './action-context.ts';

/** How long a run waits for another one that is writing to the store. */
const RETRY_MS = 30_000;

type Around = { readonly global: Pick<GlobalOptions, 'home'>; readonly runtime: Pick<Runtime, 'now'> };

/** The store of a run: writing waits for another run, reading does not. Fails as the store does. */
export function storeOf({ global, runtime }: Around): Store {
  return openStore(global.home, { now: runtime.now, retryMs: RETRY_MS });
}

/** Names that the shell offers: of clients, or of hosts that can be reached from here. */
export async function storedNames(kind: 'host' | 'client', around: Around): Promise<string[]> {
  const state = await storeOf(around).read();
  return [...(kind === 'client' ? state.clients : reachableHosts(state)).keys()];
}
