/** Opening the store of a command. */

import { openAnyStore } from '../adapters/store/open.ts';
import type { Store } from '../adapters/store/store.ts';
import { type OpenOptions, storeUrl } from '../adapters/store/store-url.ts';
import type { Runtime } from '../runtime.ts';
import type { ActionContext, GlobalOptions } from './action-context.ts';

type Around = {
  readonly global: Pick<GlobalOptions, 'home' | 'store'> & { readonly file?: string | undefined };
  readonly runtime: Pick<Runtime, 'now' | 'env' | 'cwd' | 'operator' | 'signal'>;
};
export type Attended = Around & Pick<ActionContext, 'progress' | 'prompts'>;

/** By the options of the run: one store knows what its reads have seen, and asks once for the keys of a shared one. */
const STORES = new WeakMap<Attended['global'], Store>();

/** The store of a run: the directory of --home, or a shared one. Does not open it yet. Fails with E_STORE_URL (exit 2). */
export function storeOf(context: Attended): Store {
  const known = STORES.get(context.global);
  if (known !== undefined) return known;
  const opened = openAnyStore(storeOptions(context));
  const store: Store = {
    ...opened,
    write(change) {
      context.progress.changes();
      return opened.write(change);
    },
  };
  STORES.set(context.global, store);
  return store;
}

/** Whether the commands of a run without further options use a shared store. */
export function usesSharedStore({ home, store }: Around['global'], { env }: Pick<Runtime, 'env'>): boolean {
  return storeUrl({ home, url: store, env }) !== undefined;
}

export function storeOptions({ global, runtime, progress, prompts }: Attended): OpenOptions {
  const { now, env, cwd, operator, signal } = runtime;
  const ask = prompts.ssh?.passphrase;
  const { home, store: url } = global;
  const about = { env, cwd, who: operator, signal, now, note: progress.note, ask };
  const hideSecrets = async () => (await import('./fleet-files.ts')).hideFleetSecrets(global.file, cwd);
  return { home, url, ...about, hideSecrets };
}
