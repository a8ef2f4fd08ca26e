/** Waiting until a store changes: etcd says so at once, a directory is looked at each second, and a git server is asked again anyway. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from './engine.ts';
import type { Session } from './team/session.ts';
import { treeSignature } from './tree.ts';

const LOOK_MS = 1000;

/** A store as it is now. Take it before what is shown is read. */
export type Mark = { readonly snapshot: Snapshot } | { readonly signature: string } | undefined;

export async function markOf(home: string, session: Session | undefined): Promise<Mark> {
  if (session === undefined) return { signature: treeSignature(home) };
  return session.engine.changed === undefined ? undefined : { snapshot: await session.engine.read() };
}

/** Resolves when the store changes after the mark, or after `mostMs`. Rejects with the signal's reason. */
export async function waitForChange(
  home: string,
  session: Session | undefined,
  mark: Mark,
  { mostMs, signal }: { readonly mostMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const done = new AbortController();
  const until = AbortSignal.any([done.signal, signal]);
  try {
    await Promise.race([sleep(mostMs, undefined, { signal: until }), changed(home, session, mark, until)]);
  } finally {
    done.abort();
  }
  signal.throwIfAborted();
}

async function changed(home: string, session: Session | undefined, mark: Mark, signal: AbortSignal): Promise<void> {
  const never = new Promise<void>(() => {});
  if (mark === undefined) return never;
  // A watch that ends, as with its server, is no change: the time that is waited at most goes on.
  if ('snapshot' in mark) return session?.engine.changed?.(mark.snapshot, signal).catch(() => never);
  while (treeSignature(home) === mark.signature) await sleep(LOOK_MS, undefined, { signal }).catch(() => never);
}
