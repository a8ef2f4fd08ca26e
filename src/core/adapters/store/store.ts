/** The store's interface for the rest of the program: one directory, read whole and changed atomically under a lock. */

import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { HostState, StoreMark } from '../../domain/plan/host-state.ts';
import type { StoreOperators } from '../../seams/store-operators.ts';
import { type Change, finishJournal, makeChange, sweepJournal, undoChange } from './journal.ts';
import { type Lock, takeLock } from './lock.ts';
import { checkStore, type ReadScope, readState, requireWritable, revisionOf, storeExists } from './read.ts';
import type { StoreChange, StoreState } from './records.ts';
import { type Before, changeEntries, newRevision } from './store-change.ts';
import { inside, writeFailure } from './store-files.ts';
import { treeSignature } from './tree.ts';

/** Reverts one write. */
export type UndoToken = {
  /**
   * Restores the previous contents byte for byte and mode for mode. Call it under the same lock as the write, at most once, the last write
   * first if writes touched the same names (else it throws a plain Error). Needs disk space only if other writes came since, for a new
   * revision. Fails as write does.
   */
  undo(): Promise<void>;
};

export type Store = {
  /** Absolute path of the directory. */
  readonly home: string;
  /** Other users and runners share it. No run locks it then: `withLock` retries if another run was faster. */
  readonly shared: boolean;
  /** The keys of a shared store's operators; undefined for a directory, which has none. */
  operators(): Promise<StoreOperators | undefined>;
  /** The store's revision, for hosts to keep. Undefined for a directory, and for an empty store. */
  mark(): Promise<StoreMark | undefined>;
  /**
   * Fails with E_HOST_NEWER, E_HOST_FORKED (exit 4) unless the store continues what the host has seen of it. A directory accepts every host:
   * its owner may have taken it out of a shared store.
   */
  requireSeen(host: string, state: HostState | undefined): Promise<void>;
  exists(): Promise<boolean>;
  /** True if settings that run a program on this machine (domain/store-settings.ts) come from this machine or were accepted on it. */
  accepts(id: string): Promise<boolean>;
  /**
   * Starts watching; call it before reading the displayed data. The returned function resolves when the state changes; undefined if the
   * store cannot detect changes and must be polled.
   */
  watch(): Promise<((signal: AbortSignal) => Promise<void>) | undefined>;
  /** Accepts these settings on this machine from now on. */
  accept(id: string): Promise<void>;
  /** Remembers on this machine where it logged in for a host. */
  loggedIn(host: string, place: string): Promise<void>;
  /** Changes nothing. Fails with E_STORE_WRITE (exit 4) if a change could not be written, so that the error comes before a host changes. */
  requireWritable(): Promise<void>;
  /**
   * Everything, parsed; an empty state if nothing is stored yet. Changes nothing, and sees all or nothing of a write, whether that is in
   * progress or died half way. With `hosts`, only those hosts: the cost of a look does not grow with the fleet. Fails (exit 2) with
   * E_STORE_MODES, E_STORE_DAMAGED or E_STORE_SCHEMA.
   */
  read(scope?: ReadScope): Promise<StoreState>;
  /** Whether the store is as it was when `state` was read from it. False if that is unknown. Edits by hand do not count. */
  isCurrent(state: StoreState): Promise<boolean>;
  /**
   * Runs `fn` while no other run changes the store, and always releases the lock. Nested calls within the same Store join the lock. `who`
   * names this run in other users' error messages, for instance `docker-tls apply`. First finishes the incomplete change of a run that
   * died. Fails with E_STORE_LOCKED (exit 4). `joins`: `fn` writes at most once, as its last action, so a shared store may commit several
   * such changes together.
   */
  withLock<T>(who: string, fn: () => Promise<T>, how?: { readonly joins?: boolean }): Promise<T>;
  /**
   * Makes one change, all or nothing. Parallel calls queue. Throws a plain Error outside withLock, and a TypeError for contents that a read
   * would reject. Fails with E_NAME, E_STORE_FULL, E_STORE_WRITE, and as read does if the store's own directories are wrong; the store is
   * then unchanged. Only E_STORE_HALF (exit 6) leaves a change for the next run to finish.
   */
  write(change: StoreChange): Promise<UndoToken>;
};

type StoreOptions = {
  readonly now?: () => Date;
  /** Time limit for withLock while another run holds the store; default 0. */
  readonly retryMs?: number;
};

/** Retries of a reader while another run changes the store. */
const READ_ATTEMPTS = 40;
const READ_PAUSE_MS = 25;
/** Polling interval of a watched directory. */
const WATCH_MS = 1000;

/** The store at `home`, which may not exist yet: the first write creates it. */
export function openStore(home: string, { now = () => new Date(), retryMs = 0 }: StoreOptions = {}): Store {
  const directory = resolve(home);
  let users = 0;
  let lock: Promise<Lock> | undefined;
  let made: Change[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let left: Promise<unknown> = Promise.resolve();
  const revisions = new WeakMap<StoreState, string>();

  /** Runs one task after another; a failure reaches only its caller. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  }

  /** During a write of this run, after it. */
  function look<T>(read: () => T): Promise<T> {
    const looking = () => settled(directory, read);
    return users > 0 ? inTurn(looking) : looking();
  }

  async function enter(who: string): Promise<Lock> {
    await left;
    const taken = await translated(directory, () => takeLock(directory, who, now(), retryMs));
    try {
      checkStore(directory);
      await translated(directory, () => finishJournal(directory));
    } catch (error) {
      await taken.release();
      throw error;
    }
    return taken;
  }

  async function leave(taken: Lock): Promise<void> {
    made = [];
    try {
      await inTurn(() => sweepJournal(directory));
    } finally {
      await taken.release();
    }
  }

  /** The last user releases the lock; the next one to enter waits for that. */
  async function leaveIfLast(entered: Promise<Lock>): Promise<void> {
    users -= 1;
    if (users > 0) return;
    lock = undefined;
    const gone = entered.then(leave, () => undefined);
    left = gone.catch(() => undefined);
    await translated(directory, () => gone);
  }

  function requireLock(what: string): void {
    if (users === 0) throw new Error(`${what} needs the store's lock: call it inside withLock`);
  }

  async function undo(change: Change): Promise<void> {
    requireLock('undo');
    const at = made.indexOf(change);
    if (at === -1) throw new Error('this write was undone before, or lost its lock');
    const paths = new Set(change.plan.entries.map(({ path }) => path));
    paths.delete('store.json');
    const later = made.slice(at + 1);
    if (later.some(({ plan }) => plan.entries.some(({ path }) => paths.has(path)))) {
      throw new Error('a later write touched the same names: undo that one first');
    }
    await translated(directory, () => undoChange(directory, change));
    made = made.filter((each) => each !== change);
    // With later writes, the contents are not those of the revision that is back.
    if (later.length > 0 && existsSync(inside(directory, 'store.json')))
      made.push(await translated(directory, () => makeChange(directory, [newRevision()], [])));
  }

  return {
    home: directory,
    shared: false,
    operators: async () => undefined,

    // The contents of a directory were set on this machine.
    accepts: async () => true,
    accept: async () => {},
    loggedIn: async () => {},
    mark: async () => undefined,
    requireSeen: async () => undefined,

    async watch() {
      const before = treeSignature(directory);
      return async (signal) => {
        while (treeSignature(directory) === before) await sleep(WATCH_MS, undefined, { signal });
      };
    },

    async exists() {
      return settled(directory, () => storeExists(directory));
    },

    async requireWritable() {
      await translated(directory, async () => requireWritable(directory));
    },

    async read(scope) {
      const { state, revision } = await look(() => ({
        state: readState(directory, scope),
        revision: revisionOf(directory),
      }));
      if (revision !== undefined) revisions.set(state, revision);
      return state;
    },

    async isCurrent(state) {
      const revision = revisions.get(state);
      return revision !== undefined && revision === (await look(() => revisionOf(directory)));
    },

    async withLock(who, fn) {
      users += 1;
      lock ??= enter(who);
      const entered = lock;
      let result: Awaited<ReturnType<typeof fn>>;
      try {
        await entered;
        result = await fn();
      } catch (error) {
        await leaveIfLast(entered).catch(() => undefined);
        throw error;
      }
      await leaveIfLast(entered);
      return result;
    },

    async write(change) {
      requireLock('write');
      return inTurn(async () => {
        requireLock('write');
        checkStore(directory);
        const { incoming, removals } = changeEntries(foundIn(directory), change);
        const done = await translated(directory, () => makeChange(directory, incoming, removals));
        made.push(done);
        return { undo: () => inTurn(() => undo(done)) };
      });
    },
  };
}

function foundIn(home: string): Before {
  return {
    fresh: !existsSync(inside(home, 'store.json')),
    ca: () => readState(home).ca,
    names: (collection) => (existsSync(inside(home, collection)) ? readdirSync(inside(home, collection)) : []),
  };
}

async function translated<T>(home: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw writeFailure(home, error);
  }
}

/**
 * Rereads while another run's change moves files during the read. Remains of a dead run do not move, and are read in their present state.
 */
async function settled<T>(home: string, read: () => T): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const before = treeSignature(home);
    let outcome: { readonly value: T } | { readonly error: unknown };
    try {
      outcome = { value: read() };
    } catch (error) {
      outcome = { error };
    }
    const still = treeSignature(home) === before;
    const trusted = still && ('value' in outcome || !/ \.(?:change|undo)\b/.test(before));
    if (trusted || (still && attempt >= READ_ATTEMPTS)) {
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    }
    if (attempt >= READ_ATTEMPTS) break;
    await new Promise((resolve) => setTimeout(resolve, READ_PAUSE_MS));
  }
  throw new DockerTlsError('E_STORE_LOCKED', 'another run keeps changing the store while it is read', {
    where: home,
    hints: ['wait until that run has ended and try again'],
  });
}
