/** The store's face to the rest of the program: one directory that is read whole and changed all at once, under a lock. */

import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoreMark } from '../../domain/plan/host-state.ts';
import { type Before, changeEntries } from './change.ts';
import { inside, writeFailure } from './files.ts';
import { type Change, finishJournal, makeChange, sweepJournal, undoChange } from './journal.ts';
import { type Lock, takeLock } from './lock.ts';
import { checkStore, type ReadScope, readState, requireWritable, storeExists } from './read.ts';
import type { StoreChange, StoreState } from './records.ts';
import { treeSignature } from './tree.ts';

/** Puts back what was before one write. */
export type UndoToken = {
  /**
   * Byte for byte and mode for mode what was there before. Call it under the same lock as the write, at most once, the last write
   * first where writes touched the same names (else it throws a plain Error). Needs no space on the disk. Fails as write does.
   */
  undo(): Promise<void>;
};

export type Store = {
  /** Absolute path of the directory. */
  readonly home: string;
  /** Other users and runners use it as well. No run holds it then: `withLock` begins again where another one was faster. */
  readonly shared: boolean;
  /** The number that the store is at, for hosts to keep; with `fresh` as it is now. Undefined for a directory, and for an empty store. */
  mark(fresh?: boolean): Promise<StoreMark | undefined>;
  exists(): Promise<boolean>;
  /** Settings that run something here (domain/store-settings.ts): whether they come from this computer, or were accepted on it. */
  accepts(id: string): Promise<boolean>;
  /**
   * Notes the state of now, to be called before what is shown is read. What it gives resolves when another state came after it; undefined where the
   * store cannot tell, and has to be asked again.
   */
  watch(): Promise<((signal: AbortSignal) => Promise<void>) | undefined>;
  /** From now on these settings are accepted on this computer. */
  accept(id: string): Promise<void>;
  /** Changes nothing. Fails with E_STORE_WRITE (exit 4) where a change could not be written: to be found before a host changes, not after. */
  requireWritable(): Promise<void>;
  /**
   * Everything, parsed; an empty state where nothing is stored yet. Changes nothing, and sees either all or nothing of a write,
   * whether one is running now or died half way. With `hosts` of the hosts only those: what a look costs does not grow with a fleet.
   * Fails (exit 2) with E_STORE_MODES, E_STORE_DAMAGED or E_STORE_SCHEMA.
   */
  read(scope?: ReadScope): Promise<StoreState>;
  /**
   * Runs `fn` while no other run changes the store, and gives the lock back however it ends. Calls within the same Store
   * join the lock that is held. `who` is for other users' error message, for instance `docker-tls apply`.
   * First finishes what a run that died left half done. Fails with E_STORE_LOCKED (exit 4). `joins`: `fn` writes once at most, as the last
   * that it does, so a shared store may commit the changes of several such calls together.
   */
  withLock<T>(who: string, fn: () => Promise<T>, how?: { readonly joins?: boolean }): Promise<T>;
  /**
   * Makes one change, all or nothing. Parallel calls queue. Throws a plain Error outside withLock and a TypeError for contents that
   * could not be read again. Fails with E_NAME, E_STORE_FULL, E_STORE_WRITE, and as read does where the store's own directories
   * are wrong; the store is then as it was. Only E_STORE_HALF (exit 6) leaves a change for the next run to finish.
   */
  write(change: StoreChange): Promise<UndoToken>;
};

export type StoreOptions = {
  readonly now?: () => Date;
  /** How long withLock waits for another run that holds the store; default 0. */
  readonly retryMs?: number;
};

/** How often and how patiently a reader tries again while another run is just changing the store. */
const READ_ATTEMPTS = 40;
const READ_PAUSE_MS = 25;
/** How often a watched directory is looked at. */
const WATCH_MS = 1000;

/** The store at `home`, which need not be there yet: the first write makes it. */
export function openStore(home: string, { now = () => new Date(), retryMs = 0 }: StoreOptions = {}): Store {
  const directory = resolve(home);
  let users = 0;
  let lock: Promise<Lock> | undefined;
  let made: Change[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let left: Promise<unknown> = Promise.resolve();

  /** One thing after another; a failure is the caller's alone. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
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

  /** The last user gives the lock back; the next one to enter waits for that. */
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
    if (at === -1) throw new Error('this write was undone before, or its lock is gone');
    const paths = new Set(change.plan.entries.map(({ path }) => path));
    if (made.slice(at + 1).some((later) => later.plan.entries.some(({ path }) => paths.has(path)))) {
      throw new Error('a later write touched the same names: undo that one first');
    }
    await translated(directory, () => undoChange(directory, change));
    made = made.filter((each) => each !== change);
  }

  return {
    home: directory,
    shared: false,

    // What it holds was set on this computer.
    accepts: async () => true,
    accept: async () => {},
    mark: async () => undefined,

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
      const look = () => settled(directory, () => readState(directory, scope));
      return users > 0 ? inTurn(look) : look();
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

/** Reads again while another run's change moves things under our eyes. What a dead run left is still, and is read as it is. */
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
