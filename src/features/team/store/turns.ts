/**
 * Queue of a run's steps on a shared store, and their grouping into commits. Commits of a store are sequential, so a run over many hosts
 * would wait for one round trip after the other. Therefore writes of other steps are collected for the next commit while one is pending.
 */

import { DockerTlsError } from '../../../errors/errors.ts';
import { changed } from '../engines/engine-refusals.ts';
import type { Contents } from './contents.ts';
import type { Opened } from './opened.ts';

/** A step of a run: its read, and whether another commit came before its own. */
export type Turn = {
  readonly command: string;
  /** The step writes at most once, at its end: its change may share a commit with other steps. */
  readonly joins: boolean;
  base?: Opened;
  wrote: boolean;
  overtaken: boolean;
  /** Allows the next step to begin. */
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

/** Fits one etcd transaction: a host has two files. */
const MOST_STEPS = 40;

export function openTurns(url: string, commit: CommitChanges) {
  let queue: Promise<unknown> = Promise.resolve();
  let pending: Group | undefined;
  let flight: Group | undefined;
  let last: Opened | undefined;
  /** Uncommitted states given to later steps: each is valid only while its base is. */
  const ahead = new WeakSet<Opened>();
  let failures = 0;
  /** Resolves when no commit is pending. */
  let flushing: Promise<void> | undefined;

  /** Base of the next step: all earlier writes, committed or not. */
  function tip(): Opened | undefined {
    const group = pending ?? flight;
    if (group === undefined) return undefined;
    const opened = { ...group.base, contents: group.contents };
    ahead.add(opened);
    return opened;
  }

  async function flush(): Promise<void> {
    for (;;) {
      // Include steps that are already waiting.
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
        // Steps built on the failed commit start again.
        const next = pending as Group | undefined;
        pending = undefined;
        for (const { reject } of next?.waiters ?? []) reject(changed(url));
      } finally {
        flight = undefined;
      }
    }
  }

  return {
    /** Base of a step after uncommitted ones. */
    tip,

    /** Runs steps in sequence. A joining step releases the next one when it has written, other steps when they end. */
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

    /** Commits the result of a step on its base, together with concurrent writes. Fails like the commit. */
    join(turn: Turn, base: Opened, contents: Contents, lines: readonly string[]): Promise<Opened> {
      // Its base may be committed by now, or have failed.
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

/** Random delay before another attempt. */
export function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, 60 * attempt) * Math.random()));
}

export function isChanged(error: unknown): boolean {
  return error instanceof DockerTlsError && error.code === 'E_STORE_CHANGED';
}
