/**
 * The order of a run's steps on a shared store, and which of them become one commit. All commits of a store follow one another, so a
 * run over many hosts would wait for one round trip after the other: while one commit is on its way, what other steps write is collected
 * for the next.
 */

import { DockerTlsError } from '../../../errors/errors.ts';
import { changed } from '../engines/refusals.ts';
import type { Contents } from './contents.ts';
import type { Opened } from './session.ts';

/** One step of a run: what it has read, and whether another commit came before its own. */
export type Turn = {
  readonly command: string;
  /** It writes once at most, at its end: its change may be committed together with those of other steps. */
  readonly joins: boolean;
  base?: Opened;
  wrote: boolean;
  overtaken: boolean;
  /** Lets the next step begin. */
  release(): void;
};

export function newTurn(command: string, joins: boolean, release: () => void): Turn {
  return { command, joins, wrote: false, overtaken: false, release };
}

export type CommitChanges = (
  base: Opened,
  contents: Contents,
  command: string,
  lines: readonly string[],
) => Promise<Opened>;

type Waiter = { resolve(done: Opened): void; reject(error: unknown): void };
type Group = {
  base: Opened;
  contents: Contents;
  readonly command: string;
  readonly lines: string[];
  readonly waiters: Waiter[];
};

/** Fits one transaction of etcd: a host has two files. */
const MOST_STEPS = 40;

export function openTurns(url: string, commit: CommitChanges) {
  let queue: Promise<unknown> = Promise.resolve();
  let pending: Group | undefined;
  let flight: Group | undefined;
  let last: Opened | undefined;
  /** What was handed out before it was committed: it counts only while what it is made from does. */
  const ahead = new WeakSet<Opened>();
  let failures = 0;
  /** Resolves when nothing is left to commit. */
  let flushing: Promise<void> | undefined;

  /** What the next step builds on: all that was written before it, committed or not. */
  function tip(): Opened | undefined {
    const group = pending ?? flight;
    if (group === undefined) return undefined;
    const opened = { ...group.base, contents: group.contents };
    ahead.add(opened);
    return opened;
  }

  async function flush(): Promise<void> {
    for (;;) {
      // Steps that wait already come along.
      await new Promise((resolve) => setImmediate(resolve));
      flight = pending;
      pending = undefined;
      if (flight === undefined) {
        flushing = undefined;
        return;
      }
      const { base, contents, command, lines, waiters } = flight;
      try {
        const done = await commit(base, contents, command, lines);
        last = done;
        failures = 0;
        if (pending !== undefined) (pending as Group).base = done;
        for (const { resolve } of waiters) resolve(done);
      } catch (error) {
        failures += 1;
        if (isChanged(error)) await pause(failures);
        for (const { reject } of waiters) reject(error);
        // What was built on it begins again.
        const next = pending as Group | undefined;
        pending = undefined;
        for (const { reject } of next?.waiters ?? []) reject(changed(url));
      } finally {
        flight = undefined;
      }
    }
  }

  return {
    /** What a step builds on where the steps before it are not committed yet. */
    tip,

    /** One after the other; a step that joins lets the next begin when it has written, the others when they have ended. */
    async inTurn<T>(joins: boolean, work: (release: () => void) => Promise<T>): Promise<T> {
      const before = queue;
      let release = (): void => {};
      queue = new Promise<void>((resolve) => {
        release = resolve;
      });
      try {
        await before;
        while (flushing !== undefined && (!joins || (pending?.waiters.length ?? 0) >= MOST_STEPS)) await flushing;
        return await work(release);
      } finally {
        release();
      }
    },

    /** Commits what a step has made of its base, with what others write meanwhile. Fails as the commit does. */
    join(turn: Turn, base: Opened, contents: Contents, lines: readonly string[]): Promise<Opened> {
      // What this builds on may be committed by now, or have failed.
      const done = last?.contents === base.contents ? last : undefined;
      const now = tip() ?? done ?? (ahead.has(base) ? undefined : base);
      if (now?.contents !== base.contents) return Promise.reject(changed(url));
      pending ??= { base: now, contents, command: turn.command, lines: [], waiters: [] };
      pending.contents = contents;
      pending.lines.push(...lines);
      const { waiters } = pending;
      const committed = new Promise<Opened>((resolve, reject) => waiters.push({ resolve, reject }));
      flushing ??= flush();
      turn.release();
      return committed;
    },
  };
}

const LONGEST_PAUSE_MS = 1500;

/** Before another attempt, and not all at the same moment. */
export function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, 60 * attempt) * Math.random()));
}

export function isChanged(error: unknown): boolean {
  return error instanceof DockerTlsError && error.code === 'E_STORE_CHANGED';
}
