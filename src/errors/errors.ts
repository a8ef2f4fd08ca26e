/**
 * Failures: the one error class that users meet, exit statuses, conversion of other exceptions, and cleaning of host text before display.
 */

import { type ErrorCode, type ExitStatus, exitOfCode } from './catalogue.ts';

/** A hint shown verbatim: its commands run on another machine, or name their own store. */
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

/**
 * A command to paste, or one short sentence. Commands start with `docker-tls …`; the output shows the name that this program was called by.
 */
export type Hint = string | AsWritten;

/** The typed command as a hint, with another client or host: it replaces the word `instead`, or is added if the command named none. */
export type Again = (change: {
  readonly host?: string;
  readonly instead?: string | undefined;
  readonly client?: string;
  /** An option, with its value, in place of the typed one. */
  readonly option?: string;
}) => string;

export function asWritten(line: string): Hint {
  return new AsWritten(line);
}

export type ErrorOptions = {
  /** Host, file or line of the failure. */
  readonly where?: string | undefined;
  readonly hints?: readonly Hint[];
  /** Further lines, for instance the last lines of the daemon's journal. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
};

/** A failure that a user can meet and fix. Any other exception is an internal bug (exit status 1). */
export class DockerTlsError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hints: readonly Hint[];
  readonly details: readonly string[];
  #afterRollback = false;
  #short: string | undefined;

  /**
   * `code` determines the exit status (catalogue.ts). `message`: what happened and why, one sentence without a full stop. Text from a host
   * is cleaned here.
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

  /** Copy with a place, for callers that know the host's name. */
  at(where: string): DockerTlsError {
    return this.#with({ where });
  }

  /** Copy with this place unless it already has one. */
  orAt(where: string): DockerTlsError {
    return this.where === undefined ? this.at(where) : this;
  }

  /** Copy with other hints: the commands that this user has to type. */
  hinting(hints: readonly Hint[]): DockerTlsError {
    return this.#with({ hints });
  }

  /**
   * Copy for a failure that ended a change in progress. The exit status becomes 5 (failed and rolled back), whatever the code's own status
   * is; only a failed verification (7) and a failed rollback (6) keep theirs.
   */
  afterRollback(): DockerTlsError {
    const error = this.#with({});
    error.#afterRollback = true;
    return error;
  }

  /** Copy with more details. */
  adding(details: readonly string[]): DockerTlsError {
    return this.#with({ details: [...this.details, ...details] });
  }

  /** Copy for a command whose text has said message and details already. JSON and the log have them all the same. */
  inShort(words: string): DockerTlsError {
    const error = this.#with({});
    error.#short = words;
    return error;
  }

  /** What follows such a text, in place of message and details. */
  get short(): string | undefined {
    return this.#short;
  }

  #with(change: Pick<ErrorOptions, 'where' | 'hints' | 'details'>): DockerTlsError {
    const { code, message, where, hints, details, cause } = this;
    const error = new DockerTlsError(code, message, { where, hints, details, cause, ...change });
    error.#short = this.#short;
    error.#afterRollback = this.#afterRollback;
    return error;
  }
}

/** Several failures reported together (configuration, preflight). */
export class DockerTlsErrors extends Error {
  readonly errors: readonly DockerTlsError[];

  constructor(errors: readonly DockerTlsError[]) {
    super(errors.map((error) => error.message).join('; '));
    this.name = 'DockerTlsErrors';
    this.errors = errors;
  }
}

const REPORT = 'please report it, with the command and this message, to the maintainers of docker-tls';

/** Converts a thrown value to printable failures; never empty. A foreign error is an internal bug, E_BUG. */
export function asErrors(thrown: unknown, signal?: AbortSignal): readonly DockerTlsError[] {
  if (thrown instanceof DockerTlsErrors && thrown.errors.length > 0) return thrown.errors;
  if (thrown instanceof DockerTlsError) return [thrown];
  if (signal?.aborted && isAbort(thrown)) {
    return [interruption(signal)];
  }
  return [bug(thrown)];
}

/** A failure that users can meet, to report together with others; rethrows everything else. */
export function failureOf(thrown: unknown): DockerTlsError {
  if (thrown instanceof DockerTlsError) return thrown;
  throw thrown;
}

/** A user or the system stopped the run: E_INTERRUPTED, exit status 130. */
export function interrupted(message: string, more?: ErrorOptions): DockerTlsError {
  return new DockerTlsError('E_INTERRUPTED', message, more);
}

/** The reason for an interruption, from its signal. */
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

/** The operating system's code of an error (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const GRAVEST_FIRST: readonly ExitStatus[] = [130, 6, 1, 5, 7, 4, 2, 3, 0];

/** Exit status of a run over several hosts: the gravest, in the order 130, 6, 1, 5, 7, 4, 2, 3, 0. */
export function gravestExit(statuses: readonly ExitStatus[]): ExitStatus {
  return GRAVEST_FIRST.find((status) => statuses.includes(status)) ?? 0;
}

/**
 * Text safe for display: escape sequences, control characters, bidirectional overrides and zero-width characters are removed, a tab becomes
 * a space, a newline a visible `⏎`. Cut at `limit` characters.
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

/** Text from a host as clean lines: control characters are removed, one entry per line, without empty ones. */
export function printableLines(text: string, limit = 40): string[] {
  return text
    .split('\n')
    .map((line) => printable(line).trimEnd())
    .filter((line) => line !== '')
    .slice(-limit);
}

/** An invalid command line: E_USAGE, exit status 2. */
export function usage(message: string, hints: readonly Hint[]): DockerTlsError {
  return new DockerTlsError('E_USAGE', message, { hints });
}
