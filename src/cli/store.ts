/** Owns how a command opens the store. */

import type { Runtime } from '../runtime.ts';
import { openStore, type Store } from '../store/store.ts';
import type { GlobalOptions } from './command.ts';

/** How long a run waits for another one that is writing to the store. */
const PATIENCE_MS = 30_000;

type Around = { readonly global: Pick<GlobalOptions, 'home'>; readonly runtime: Pick<Runtime, 'now'> };

/** The store of a run: writing waits for another run, reading does not. Fails as the store does. */
export function storeOf({ global, runtime }: Around): Store {
  return openStore(global.home, { now: runtime.now, patienceMs: PATIENCE_MS });
}
