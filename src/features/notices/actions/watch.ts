/** `status --watch`: etcd reports a change of the store at once, a directory is polled each second, and a git store is read again after a time. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../../core/adapters/store/store.ts';
import { wrapLines } from '../../../core/domain/words.ts';
import type { Watched } from '../../../core/seams/monitors.ts';
import { usage } from '../../../errors/errors.ts';

const MOST_MS = 30_000;
/** A fleet in the middle of a change commits many times a second. */
const LEAST_MS = 2000;

/** As Monitor.watch. On a terminal the output replaces the previous one. */
export async function watchStatus(look: () => Promise<string>, { store, runtime, ending }: Watched): Promise<void> {
  const { signal, io, now } = runtime;
  const [first] = ending;
  if (first !== undefined)
    throw usage(`--watch ends with Ctrl-C alone, and ${first} needs an end`, ['docker-tls status --watch']);
  while (!signal.aborted) {
    const changed = await store.watch();
    runtime.forgetFirstKeys();
    try {
      const text = await look();
      const lines = io.outIsTerminal ? wrapLines(text, io.columns) : text;
      io.out(`${io.outIsTerminal ? '\u001b[H\u001b[2J' : ''}${now().toISOString().slice(0, 19)}Z\n${lines}\n\n`);
      await sleep(LEAST_MS, undefined, { signal });
      await waitForChange(changed, { mostMs: MOST_MS, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Resolves when the store changes after `changed` was created (Store.watch), or after `mostMs`. Rejects with the signal's reason. */
async function waitForChange(
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
