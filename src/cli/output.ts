/** Output at the end of a run: text and errors for users, or exactly one JSON document. */

import { renderDocument } from '../core/domain/document.ts';
import { wrapLines } from '../core/domain/words.ts';
import { coloursOf } from '../core/render/colours.ts';
import type { Io } from '../core/runtime.ts';
import type { ExitStatus } from '../errors/catalogue.ts';
import { type DockerTlsError, gravestExit, type Hint } from '../errors/errors.ts';
import type { CommandResult } from './command.ts';
import { exitOf, jsonError, renderErrors } from './error-text.ts';
import type { HintPrefix } from './hint-prefix.ts';

export type OutputForm = {
  readonly command: string;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly words: HintPrefix;
};

/** Prints a result. Returns the most severe exit status among its own and those of its errors. */
export function printResult(io: Io, form: OutputForm, result: CommandResult): ExitStatus {
  const errors = (result.errors ?? []).map((error) => inWords(error, form));
  const exit = errors.length === 0 ? result.exit : gravestExit([result.exit, ...errors.map((error) => error.exit)]);
  if (form.json) {
    printDocument(io, form, { ok: exit === 0, result: result.result, error: jsonError(errors) });
    return exit;
  }
  const brief = form.quiet && exit === 0 && result.attention !== undefined;
  const text = brief ? (result.attention ?? '') : result.text;
  if (text !== '') {
    const lines = io.outIsTerminal && result.verbatim !== true ? wrapLines(text, io.columns) : text;
    io.out(lines.endsWith('\n') ? lines : `${lines}\n`);
  }
  if (!form.quiet && result.next !== undefined && result.next.length > 0) io.out(renderNext(result.next, form, io));
  if (errors.length > 0) io.err(renderErrors(errors, errorStyle(io, form)));
  return exit;
}

function errorStyle(io: Io, { verbose }: OutputForm) {
  const columns = io.errIsTerminal ? io.columns : undefined;
  return { colour: io.colour && io.errIsTerminal, verbose, columns };
}

function renderNext(next: readonly Hint[], { words }: OutputForm, io: Io): string {
  const { cyan } = coloursOf(io);
  return `\n${next.map((line) => `  ${cyan(words(line))}\n`).join('')}`;
}

export function printErrors(io: Io, form: OutputForm, found: readonly DockerTlsError[]): ExitStatus {
  const errors = found.map((error) => inWords(error, form));
  if (form.json) printDocument(io, form, { ok: false, error: jsonError(errors) });
  else io.err(renderErrors(errors, errorStyle(io, form)));
  return exitOf(errors);
}

function inWords(error: DockerTlsError, { words }: OutputForm): DockerTlsError {
  return error.hinting(error.hints.map(words));
}

function printDocument(io: Io, { command }: OutputForm, rest: object): void {
  io.out(renderDocument({ schema: 1, command, ...rest }));
}
