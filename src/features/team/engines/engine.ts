/**
 * The contract of an engine: where a store that several users and runners share keeps its files. An engine knows bytes and
 * revisions; what the files mean, who can open them and whether they are genuine is decided above it (team/session.ts).
 * An engine is one file in engines/, and a line in test/features/team/support/store-engines.ts, over which test/features/team/integration/store-engines.test.ts runs.
 */

import type { DockerTlsError } from '../../../errors/errors.ts';

/** The most that a store has. */
export const MOST: Most = { files: 100_000, bytes: 256 * 1024 * 1024 };
export type Most = { readonly files: number; readonly bytes: number };

/**
 * Which files of a snapshot are read. Anybody who can write to the server can put files there, so the first ones say which others count:
 * an engine reads those alone, and stops at the first that is not genuine.
 */
export type Listing = {
  readonly first: readonly string[];
  readonly most: Most;
  of(first: ReadonlyMap<string, Uint8Array>): Listed;
};

export type Listed = { readonly paths: ReadonlySet<string>; genuine(path: string, bytes: Uint8Array): boolean };

/** What a revision was made on top of. */
export type History = { readonly parent: string; readonly regained?: string | undefined };

/** The listed files at one revision, and the name of one that is not listed. Paths are relative with `/`; contents are sealed. */
export type Snapshot = {
  /** Names this state of the whole store; '' where nothing was ever committed. */
  readonly revision: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** As the engine has it: the manifest has to say the same. */
  readonly history: History;
  /** The engine could not be reached: this is what was fetched last, when, and what prevents more. */
  readonly offline?: { readonly fetchedAt: Date; readonly cause: DockerTlsError };
};

export type Commit = {
  readonly put: ReadonlyMap<string, Uint8Array>;
  readonly remove: readonly string[];
  readonly message: Message;
  /** A revision that was lost, and that the history holds again from here on: `put` is then all that there is. */
  readonly regained?: string | undefined;
};

/** Readable by the administrators of the engine. */
export type Message = {
  /** `user@computer`. */
  readonly who: string;
  /** One line: the command, and what it was about. */
  readonly subject: string;
  /** What changed, a line each. */
  readonly lines: readonly string[];
};

export type LogEntry = Message & { readonly revision: string; readonly at: Date; readonly signature?: string };

/** Commits with the same first files (Listing); `names`: the engine's names of the contents of those. */
export type Alike = {
  readonly names: readonly string[];
  readonly commits: readonly Pick<Snapshot, 'revision' | 'history'>[];
};

export type Past = {
  /** `newer`, and what leads to it and not to `older`, the newest first. Undefined where that is more than is looked through. */
  since(newer: string, older: string): Promise<readonly Alike[] | undefined>;
  /** With their first files, in the same order. */
  first(all: readonly Alike[]): AsyncIterable<readonly [Alike, ReadonlyMap<string, Uint8Array>]>;
};

export type Engine = {
  /** The URL as given, for messages; it never holds a password. */
  readonly url: string;
  /** The newest snapshot. Fails with E_STORE_UNREACHABLE (exit 4) where there is none from before either. */
  read(): Promise<Snapshot>;
  /** A snapshot from before, if it is still there. */
  at(revision: string): Promise<Snapshot | undefined>;
  /**
   * All or nothing, and only on top of `expected`, which read or commit gave: E_STORE_CHANGED where another commit came first.
   * E_STORE_UNREACHABLE: not committed, or not known to be. Resolves to the snapshot that it made.
   */
  commit(expected: Snapshot, commit: Commit): Promise<Snapshot>;
  /** Fails where a file of this size cannot be stored, whatever else is in its commit. */
  requireFits?(path: string, bytes: number): void;
  /** Fails where a commit would be refused: to be found before a host changes, not after. */
  requireWritable(): Promise<void>;
  /** The newest first. */
  log(limit: number): Promise<readonly LogEntry[]>;
  /**
   * Whether `newer`, which was found genuine, continues `older`; undefined where the engine cannot say. A commit that brought a lost
   * revision back continues that one, and what it replaced only by itself: the history below that may be anybody's.
   */
  contains(newer: string, older: string): Promise<boolean | undefined>;
  /** An engine without it has nothing but the newest state. */
  readonly past?: Past;
  /** A command that shows how two revisions differ. */
  comparison?(one: string, other: string): string;
  /** The snapshot was found genuine: from now on it is what is read offline, and what `at` gives. An engine that keeps all of them needs none. */
  keep?(snapshot: Snapshot): void;
  /** Resolves when another commit came after a snapshot that read gave. Fails as read does, and as the signal says. */
  changed?(snapshot: Snapshot, signal: AbortSignal): Promise<void>;
};
