/**
 * Interface of storage engines for shared stores. An engine handles bytes and revisions; team/session.ts decides the meaning of files,
 * access and authenticity. A new engine is one file in engines/, and a line in test/features/team/support/store-engines.ts, over which
 * test/features/team/integration/store-engines.test.ts runs.
 */

import type { DockerTlsError } from '../../../errors/errors.ts';

/** Size limits of a store. */
export const MOST: Most = { files: 100_000, bytes: 256 * 1024 * 1024 };
export type Most = { readonly files: number; readonly bytes: number };

/**
 * Selection of files to read. Everyone with write access to the server can add files, so the first files list the others. An engine reads
 * only those, and stops at the first one that is not genuine.
 */
export type Listing = {
  readonly first: readonly string[];
  readonly most: Most;
  of(first: ReadonlyMap<string, Uint8Array>): Listed;
};

export type Listed = { readonly paths: ReadonlySet<string>; genuine(path: string, bytes: Uint8Array): boolean };

/** Predecessors of a revision. */
export type History = { readonly parent: string; readonly regained?: string | undefined };

/** The listed files at one revision, and the name of one unlisted file. Paths are relative with `/`; contents are sealed. */
export type Snapshot = {
  /** ID of this state of the whole store; '' before the first commit. */
  readonly revision: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** As reported by the engine; the manifest must agree. */
  readonly history: History;
  /** Set if the engine was unreachable: this is the last fetched snapshot, with its time and the cause. */
  readonly offline?: { readonly fetchedAt: Date; readonly cause: DockerTlsError };
};

export type Commit = {
  readonly put: ReadonlyMap<string, Uint8Array>;
  readonly remove: readonly string[];
  readonly message: Message;
  /** A lost revision that this commit restores in the history: `put` is then the complete content. */
  readonly regained?: string | undefined;
};

/** A commit message. The administrators of the engine can read it. */
export type Message = {
  /** `operator (user@computer)`. */
  readonly who: string;
  /** One line: the command and its subject. */
  readonly subject: string;
  /** Changes, one per line. */
  readonly lines: readonly string[];
};

/** A commit of the history. Its message is unverified; `signed`: the first of its first files (Listing), which has it signed. */
export type LogEntry = Message & {
  readonly revision: string;
  readonly at: Date;
  readonly history: History;
  readonly signed: Uint8Array | undefined;
};

/** Commits with the same first files (Listing); `names`: the engine's names for the contents of those. */
export type Alike = {
  readonly names: readonly string[];
  readonly commits: readonly Pick<Snapshot, 'revision' | 'history'>[];
};

export type Past = {
  /** `newer` and its ancestors that are not ancestors of `older`, newest first. Undefined beyond the search limit. */
  since(newer: string, older: string): Promise<readonly Alike[] | undefined>;
  /** With their first files, in the same order. */
  first(all: readonly Alike[]): AsyncIterable<readonly [Alike, ReadonlyMap<string, Uint8Array>]>;
};

/** A commit in the history, unverified; `signed`: the first of its first files (Listing). */
export type Ancestor = {
  readonly revision: string;
  readonly history: History;
  readonly signed: Uint8Array | undefined;
};

export type StoreEngine = {
  /** The URL as given, for messages; never contains a password. */
  readonly url: string;
  /** The newest snapshot. Fails with E_STORE_UNREACHABLE (exit 4) if no cached one exists either. */
  read(): Promise<Snapshot>;
  /** An earlier snapshot, if it still exists. */
  at(revision: string): Promise<Snapshot | undefined>;
  /**
   * Atomic, and only on top of `expected`, a result of read or commit: E_STORE_CHANGED if another commit came first. E_STORE_UNREACHABLE:
   * not committed, or unknown. Resolves to the new snapshot.
   */
  commit(expected: Snapshot, commit: Commit): Promise<Snapshot>;
  /** Fails if the engine cannot store a file of this size, whatever else is in the commit. */
  requireFits?(path: string, bytes: number): void;
  /** Fails if a commit would be refused: detects this before a host changes. */
  requireWritable(): Promise<void>;
  /** A revision and those before it, newest first. `alone`: without revisions that a restored one replaced. */
  log(revision: string, limit: number, alone?: boolean): Promise<readonly LogEntry[]>;
  /**
   * A revision and all before it, also those that a restored one replaced; without `seen` and what is before that. Each comes after those
   * that it names, as far as these exist. Fails beyond the limit of the engine.
   */
  ancestry(revision: string, seen: string): AsyncIterable<Ancestor>;
  /**
   * True if the verified `newer` descends from `older`; undefined: the engine cannot tell. A commit that restored a lost revision descends
   * from that one. The commits that it replaced have unverified histories, so of these it contains only its direct parent.
   */
  contains(newer: string, older: string): Promise<boolean | undefined>;
  /** Absent for an engine that keeps only the newest state. */
  readonly past?: Past;
  /** A command that shows the difference of two revisions. */
  comparison?(one: string, other: string): string;
  /** Marks a snapshot as verified, for offline reads and for `at`. Absent in engines that keep all snapshots. */
  keep?(snapshot: Snapshot): void;
  /** Resolves when another commit follows a snapshot of read. Fails like read, and with the signal's reason. */
  changed?(snapshot: Snapshot, signal: AbortSignal): Promise<void>;
};
