/** Owns the engines that the conformance test of stores runs over: a place for one store, and any number of runs that open it. */

import { openStore, type Store } from '../../src/adapters/store/store.ts';
import { newHome } from './store.ts';

export type StorePlace = {
  /** One more run on the same store; `who` tells the runs apart. */
  open(who: string): Promise<Store>;
};

/** A line for each engine. */
export const ENGINES: readonly { readonly name: string; place(): Promise<StorePlace> }[] = [
  { name: 'directory', place: directory },
];

async function directory(): Promise<StorePlace> {
  const home = newHome();
  return { open: async () => openStore(home, { retryMs: 30_000 }) };
}
