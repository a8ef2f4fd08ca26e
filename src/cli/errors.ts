/**
 * Owns how a failure is said: for people (`error[E_…] where: …`, details, hints) and as JSON. Whatever was thrown comes out
 * as a DockerTlsError here; what is not one is a bug of ours, E_BUG.
 */

import pico from 'picocolors';
import { DockerTlsError, DockerTlsErrors, type ExitStatus, gravestExit, printable } from '../errors.ts';

const REPORT = 'please report it, with the command and this message, to whoever gave you docker-tls';

/** `error` of the JSON document. */
export type JsonError = {
  readonly code: string;
  readonly message: string;
  readonly where: string | null;
  readonly hints: readonly string[];
  readonly details: readonly string[];
  /** Every failure, where there is more than one. */
  readonly errors?: readonly JsonError[];
};

/** What was thrown, as failures that can be said; never empty. */
export function asErrors(thrown: unknown, signal?: AbortSignal): readonly DockerTlsError[] {
  if (thrown instanceof DockerTlsErrors && thrown.errors.length > 0) return thrown.errors;
  if (thrown instanceof DockerTlsError) return [thrown];
  if (signal?.aborted && isAbort(thrown)) {
    return [signal.reason instanceof DockerTlsError ? signal.reason : interrupted('interrupted')];
  }
  return [bug(thrown)];
}

/** The run was stopped by a person or by the system: E_INTERRUPTED, exit status 130. */
export function interrupted(message: string, more: { details?: string[]; hints?: string[] } = {}): DockerTlsError {
  return new DockerTlsError({ code: 'E_INTERRUPTED', exit: 130, message, ...more });
}

export function exitOf(errors: readonly DockerTlsError[]): ExitStatus {
  return gravestExit(errors.map((error) => error.exit));
}

/** For stderr. The stack of a bug is shown only if `verbose`. */
export function renderErrors(errors: readonly DockerTlsError[], style: { colour: boolean; verbose: boolean }): string {
  const { red, bold, dim, cyan } = pico.createColors(style.colour);
  return errors
    .flatMap((error) => [
      `${red(bold(`error[${error.code}]`))}${error.where === undefined ? '' : ` ${bold(error.where)}`}: ${error.message}`,
      ...error.details.map((line) => dim(`  ${line}`)),
      ...(style.verbose ? stackOf(error).map((line) => dim(`  ${line}`)) : []),
      ...error.hints.map((hint) => `  ${cyan('hint:')} ${hint}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

export function jsonError(errors: readonly DockerTlsError[]): JsonError | undefined {
  const all = errors.map((error) => ({
    code: error.code,
    message: error.message,
    where: error.where ?? null,
    hints: error.hints,
    details: error.details,
  }));
  if (all.length <= 1) return all[0];
  return {
    code: 'E_SEVERAL',
    message: `${all.length} failures`,
    where: null,
    hints: [],
    details: [],
    errors: all,
  };
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && ['AbortError', 'AbortPromptError', 'ExitPromptError'].includes(thrown.name);
}

function bug(thrown: unknown): DockerTlsError {
  const said = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `something that is no error was thrown`;
  return new DockerTlsError({
    code: 'E_BUG',
    exit: 1,
    message: `a bug in docker-tls: ${printable(said, 300)}`,
    hints: ['run it again with -v to see where it happened', REPORT],
    cause: thrown,
  });
}

/** Stacks of the chain of causes; our own errors' stacks say nothing that their code does not. */
function stackOf(error: DockerTlsError): string[] {
  const lines: string[] = [];
  let cause: unknown = error.cause;
  for (let depth = 0; cause instanceof Error && depth < 5; depth += 1) {
    lines.push(...(cause.stack ?? cause.message).split('\n').map((line) => printable(line)));
    cause = cause.cause;
  }
  return lines;
}
