/** Owns the store's face to the rest of the program: one folder that is read whole and changed all at once, under a lock. */

import type { StoreChange, StoreState } from './records.ts';

/** Puts back what was before one write. */
export type UndoToken = {
  /**
   * Byte for byte and mode for mode what was there before. Call it under the same lock as the write, at most once, the last write
   * first where writes touched the same names (else it throws a plain Error). Fails as write does.
   */
  undo(): Promise<void>;
};

export type Store = {
  /** Absolute path of the folder. */
  readonly home: string;
  /** Whether there is a store here. */
  exists(): Promise<boolean>;
  /**
   * Everything, parsed; an empty state where nothing is stored yet. Changes nothing, and sees either all or nothing of a write,
   * whether one is running now or died half way. Fails (exit 2) with E_STORE_MODES, E_STORE_DAMAGED or E_STORE_SCHEMA.
   */
  read(): Promise<StoreState>;
  /**
   * Runs `fn` while no other run changes the store, and gives the lock back however it ends. Calls within the same Store
   * join the lock that is held. `who` is for other people's error message, for instance `docker-tls apply`.
   * Fails with E_STORE_LOCKED (exit 4).
   */
  withLock<T>(who: string, fn: () => Promise<T>): Promise<T>;
  /**
   * Makes one change, all or nothing. Parallel calls queue. Throws a plain Error outside withLock. Fails with E_NAME,
   * E_STORE_FULL, E_STORE_WRITE and all that read fails with, and leaves the store as it was.
   */
  write(change: StoreChange): Promise<UndoToken>;
};

export type StoreOptions = { readonly now?: () => Date };

export declare function openStore(home: string, options?: StoreOptions): Store;
