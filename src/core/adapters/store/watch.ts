/**
 * Waiting for a change of a store: etcd reports it at once, a directory is polled each second, and callers reread a git store after a time.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from './store.ts';

/** Resolves when the store changes after `changed` was created (Store.watch), or after `mostMs`. Rejects with the signal's reason. */
export async function waitForChange(
  changed: Awaited<ReturnType<Store['watch']>>,
  { mostMs, signal }: { readonly mostMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const done = new AbortController();
  const until = AbortSignal.any([done.signal, signal]);
  const never = new Promise<void>(() => {});
  try {
    // A failed watch, for instance after its server went down, is not a change: the wait continues until `mostMs`.
    await Promise.race([sleep(mostMs, undefined, { signal: until }), changed?.(until).catch(() => never) ?? never]);
  } finally {
    done.abort();
  }
  signal.throwIfAborted();
}
