/** Errors for output: for users (`error[E_…] where: …`, details, hints) and as JSON. */

import pico from 'picocolors';
import { wrapLines } from '../core/domain/words.ts';
import type { ExitStatus } from '../errors/catalogue.ts';
import { type DockerTlsError, gravestExit, printable } from '../errors/errors.ts';

/** `error` of the JSON document. */
export type ErrorDocument = {
  readonly code: string;
  readonly message: string;
  readonly where: string | null;
  readonly hints: readonly string[];
  readonly details: readonly string[];
  /** All failures, if there are several. */
  readonly errors?: readonly ErrorDocument[];
};

export function exitOf(errors: readonly DockerTlsError[]): ExitStatus {
  return gravestExit(errors.map((error) => error.exit));
}

/** For stderr. The stack of a bug is shown only if `verbose`. Lines wrap at `columns`, except hints, because users paste them. */
export function renderErrors(
  errors: readonly DockerTlsError[],
  style: { colour: boolean; verbose: boolean; columns?: number | undefined },
): string {
  const { red, bold, dim, cyan } = pico.createColors(style.colour);
  const { columns = Number.POSITIVE_INFINITY } = style;
  return errors
    .flatMap((error) => [
      wrapLines(
        `${red(bold(`error[${error.code}]`))}${error.where === undefined ? '' : ` ${bold(error.where)}`}: ${error.short ?? error.message}`,
        columns,
      ),
      ...(error.short === undefined ? error.details : []).map((line) => dim(wrapLines(`  ${line}`, columns))),
      ...(style.verbose ? stackOf(error).map((line) => dim(`  ${line}`)) : []),
      ...error.hints.map((hint) => `  ${cyan('hint:')} ${hint}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

export function jsonError(errors: readonly DockerTlsError[]): ErrorDocument | undefined {
  const all = errors.map((error) => ({
    code: error.code,
    message: error.message,
    where: error.where ?? null,
    hints: error.hints.map(String),
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

/** Stacks of the cause chain, except those of DockerTlsErrors: their code already says it. */
function stackOf(error: DockerTlsError): string[] {
  const lines: string[] = [];
  let cause: unknown = error.cause;
  for (let depth = 0; cause instanceof Error && depth < 5; depth += 1) {
    lines.push(...(cause.stack ?? cause.message).split('\n').map((line) => printable(line)));
    cause = cause.cause;
  }
  return lines;
}
