/** Verified snapshots of a shared store, and the next commit on top of one. */

import type { Snapshot } from '../engines/engine.ts';
import type { ClassKeys, Contents } from './contents.ts';
import type { Dated } from './freshness.ts';
import type { Operator } from './operators.ts';
import type { Signers } from './signers.ts';
import type { CommitWords } from './store-refusals.ts';

/** A verified snapshot. `fresh`: without any commit. */
export type Opened = {
  readonly snapshot: Snapshot;
  readonly fresh: boolean;
  readonly sequence: number;
  /** The newest commit; undefined without any. */
  readonly last?: CommitWords & Dated;
  readonly signers: Signers;
  readonly keys: ClassKeys | undefined;
  readonly operators: readonly Operator[];
  readonly contents: Contents;
};

/** New contents, or new keys and operators; new keys reseal everything. */
export type NextCommit = {
  readonly contents: Contents;
  readonly operators?: readonly Operator[];
  readonly keys?: Required<ClassKeys>;
  /** Lower bound of the new manifest's number. */
  readonly above?: number;
  readonly regained?: string;
  /** Default: as before; of a new store, DEFAULT_DAYS. */
  readonly current?: Pick<Dated, 'validDays'>;
};
