/**
 * Failures: the one error class that users meet, the exit statuses of the contract, what becomes of
 * anything else that is thrown, and the cleaning of text that came from a host before it is shown.
 */

import { type ErrorCode, type ExitStatus, exitOfCode } from './catalogue.ts';

/** A line that is shown as it is written: its commands are typed on another computer, or name a store of their own. */
export class AsWritten {
  readonly line: string;

  constructor(line: string) {
    this.line = printable(line);
  }

  toString(): string {
    return this.line;
  }

  toJSON(): string {
    return this.line;
  }
}

/** A command to paste, or one short sentence. A command of ours is written `docker-tls …`, and shown as this program was called. */
export type Hint = string | AsWritten;

/**
 * The command that was typed, as a hint, with a client or a host: one that takes the place of the word `instead`, or that nothing named yet.
 */
export type Again = (change: {
  readonly host?: string;
  readonly instead?: string | undefined;
  readonly client?: string;
}) => string;

export function asWritten(line: string): Hint {
  return new AsWritten(line);
}

export type ErrorOptions = {
  /** The host, file or line it is about. */
  readonly where?: string | undefined;
  readonly hints?: readonly Hint[];
  /** Further lines worth reading, for instance the daemon's own last journal lines. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
};

/** A failure that a user can meet and fix. Anything else that is thrown is a bug of ours (exit status 1). */
export class DockerTlsError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hints: readonly Hint[];
  readonly details: readonly string[];
  #afterRollback = false;

  /**
   * `code`: what the exit status follows from (catalogue.ts); `message`: what happened and why, one sentence without a full stop. It may
   * hold text from a host: it is cleaned here.
   */
  constructor(code: ErrorCode, message: string, { where, hints = [], details = [], cause }: ErrorOptions = {}) {
    super(printable(message), { cause });
    this.name = 'DockerTlsError';
    this.code = code;
    this.where = where === undefined ? undefined : printable(where);
    this.hints = hints.map((hint) => (hint instanceof AsWritten ? hint : printable(hint)));
    this.details = details.map((line) => printable(line));
  }

  get exit(): ExitStatus {
    const own = exitOfCode(this.code);
    return this.#afterRollback && own !== 6 && own !== 7 ? 5 : own;
  }

  /** The same failure with its place: used where a host's name becomes known only further out. */
  at(where: string): DockerTlsError {
    return this.#with({ where });
  }

  /** The same failure, with this place where it names none. */
  orAt(where: string): DockerTlsError {
    return this.where === undefined ? this.at(where) : this;
  }

  /** The same failure with other hints: the commands as this person has to type them. */
  hinting(hints: readonly Hint[]): DockerTlsError {
    return this.#with({ hints });
  }

  /**
   * The same failure, which ended a change that had begun. Whatever the code's own status is, the run then ends with 5 (failed and
   * rolled back); only a failed verification (7) and a failed rollback (6) keep theirs.
   */
  afterRollback(): DockerTlsError {
    const error = this.#with({});
    error.#afterRollback = true;
    return error;
  }

  #with(change: Pick<ErrorOptions, 'where' | 'hints'>): DockerTlsError {
    const { code, message, where, hints, details, cause } = this;
    const error = new DockerTlsError(code, message, { where, hints, details, cause, ...change });
    error.#afterRollback = this.#afterRollback;
    return error;
  }
}

/** Several failures found at once (configuration, preflight): everything is reported together. */
export class DockerTlsErrors extends Error {
  readonly errors: readonly DockerTlsError[];

  constructor(errors: readonly DockerTlsError[]) {
    super(errors.map((error) => error.message).join('; '));
    this.name = 'DockerTlsErrors';
    this.errors = errors;
  }
}

const REPORT = 'please report it, with the command and this message, to the maintainers of docker-tls';

/** What was thrown, as failures that can be printed; never empty. What is not one of ours is a bug, E_BUG. */
export function asErrors(thrown: unknown, signal?: AbortSignal): readonly DockerTlsError[] {
  if (thrown instanceof DockerTlsErrors && thrown.errors.length > 0) return thrown.errors;
  if (thrown instanceof DockerTlsError) return [thrown];
  if (signal?.aborted && isAbort(thrown)) {
    return [interruption(signal)];
  }
  return [bug(thrown)];
}

/** A failure that users can meet, to be told beside others; anything else is thrown on. */
export function failureOf(thrown: unknown): DockerTlsError {
  if (thrown instanceof DockerTlsError) return thrown;
  throw thrown;
}

/** The run was stopped by a person or by the system: E_INTERRUPTED, exit status 130. */
export function interrupted(message: string, more?: ErrorOptions): DockerTlsError {
  return new DockerTlsError('E_INTERRUPTED', message, more);
}

/** Why a run was stopped, as its signal says it. */
export function interruption({ reason }: AbortSignal): DockerTlsError {
  return reason instanceof DockerTlsError ? reason : interrupted('interrupted');
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && ['AbortError', 'AbortPromptError', 'ExitPromptError'].includes(thrown.name);
}

function bug(thrown: unknown): DockerTlsError {
  const what =
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `something that is not an error was thrown`;
  return new DockerTlsError('E_BUG', `a bug in docker-tls: ${printable(what, 300)}`, {
    hints: ['run it again with -v to see where it happened', REPORT],
    cause: thrown,
  });
}

/** The operating system's word for an error (`ENOENT`), if it is one of its. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const GRAVEST_FIRST: readonly ExitStatus[] = [130, 6, 1, 5, 7, 4, 2, 3, 0];

/** The one status of a run over several hosts: the gravest, in the order 130, 6, 1, 5, 7, 4, 2, 3, 0. */
export function gravestExit(statuses: readonly ExitStatus[]): ExitStatus {
  return GRAVEST_FIRST.find((status) => statuses.includes(status)) ?? 0;
}

/**
 * Text that is safe to show: escape sequences, control characters, bidirectional overrides and zero-width
 * characters are gone, a tab is a space, a newline becomes a visible `⏎`. Length is cut at `limit` characters.
 */
export function printable(text: string, limit = 4000): string {
  const clean = text
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '')
    .replace(/[\t\u00a0]/g, ' ')
    .replace(/\r?\n/g, ' ⏎ ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g, '');
  return clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
}

/** Several lines from a host as clean lines: control characters gone, line ends kept as separate entries, empty ones dropped. */
export function printableLines(text: string, limit = 40): string[] {
  return text
    .split('\n')
    .map((line) => printable(line).trimEnd())
    .filter((line) => line !== '')
    .slice(-limit);
}

/** A call that cannot be understood: E_USAGE, exit status 2. */
export function usage(message: string, hints: readonly Hint[]): DockerTlsError {
  return new DockerTlsError('E_USAGE', message, { hints });
}
