/** Waiting until a store changes: etcd says so at once, a directory is looked at each second, and a git server is asked again anyway. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from './store.ts';

/** Resolves when the store changes after `changed` was made (Store.watch), or after `mostMs`. Rejects with the signal's reason. */
export async function waitForChange(
  changed: Awaited<ReturnType<Store['watch']>>,
  { mostMs, signal }: { readonly mostMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const done = new AbortController();
  const until = AbortSignal.any([done.signal, signal]);
  const never = new Promise<void>(() => {});
  try {
    // A watch that ends, as with its server, is no change: the time that is waited at most goes on.
    await Promise.race([sleep(mostMs, undefined, { signal: until }), changed?.(until).catch(() => never) ?? never]);
  } finally {
    done.abort();
  }
  signal.throwIfAborted();
}
