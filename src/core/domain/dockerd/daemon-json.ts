/** The reading and editing of daemon.json: other keys, their order and the file's indentation stay as they are. */

import { applyEdits, modify, type ParseError, parse, parseTree, printParseErrorCode } from 'jsonc-parser';
import { type Fields, fieldsOf, isObject, isTooDeep, type Json, parseJson } from '../json.ts';

export type DaemonJson = {
  readonly path: string;
  /** Undefined when there is no such file. */
  readonly text: string | undefined;
  /** Of a file with errors, what could be read. */
  readonly values: Fields;
  /** Why dockerd will not take the file; empty when it will. */
  readonly errors: readonly { readonly line: number; readonly reason: string }[];
};

/**
 * Reads daemon.json as strictly as dockerd does: no comments, no trailing commas, one object. An absent or empty file has no values, nor has
 * one that is `null`. Of a key that is there twice the last one counts (seen with `dockerd --validate` on 26.1 and 28.5).
 */
export function parseDaemonJson(text: string | undefined, path = ''): DaemonJson {
  if (text === undefined || text.trim() === '') return { path, text, values: {}, errors: [] };
  const problems: ParseError[] = [];
  // dockerd reads over a byte order mark since 23.0 (config.1 knows which dockerd it is).
  const body = text.replace(/^\ufeff/, '');
  if (isTooDeep(body)) return { path, text, values: {}, errors: [{ line: 1, reason: 'nested too deeply' }] };
  const lenient: Json = parse(body, problems, { disallowComments: true, allowTrailingComma: false });
  // That parser is for what is wrong, and where: it takes a key `__proto__` for the object's prototype.
  const value = problems.length > 0 ? lenient : (parseJson(body) ?? {});
  const errors = problems.map(({ offset, error }) => ({
    line: lineAt(body, offset),
    reason: String(printParseErrorCode(error)),
  }));
  if (problems.length === 0 && !isObject(value)) errors.push({ line: 1, reason: 'not an object' });
  return { path, text, values: fieldsOf(value), errors };
}

/** No settings at all, for dockerd: nothing, or `null`. */
function isEmpty(text: string | undefined): boolean {
  return text === undefined || /^\s*(null\s*)?$/.test(text);
}

/**
 * The text with some keys set (undefined: taken out). Everything else stays byte for byte; a new file gets four spaces
 * and a final newline. An object without keys stays an object, since an emptied file would look damaged.
 */
export function editDaemonJson(text: string | undefined, changes: Readonly<Record<string, unknown>>): string {
  let result = text === undefined || isEmpty(text) ? '{}\n' : text;
  // What is on one line stays on one line: without options jsonc-parser only puts in what is new.
  const options =
    text !== undefined && !isEmpty(text) && !text.trim().includes('\n')
      ? {}
      : { formattingOptions: indentation(result) };
  for (const [key, value] of Object.entries(changes)) {
    // Of a key that is there twice dockerd takes the last one, and an edit would be made to the first.
    for (let twice = timesOfKey(result, key); twice > 1; twice--) {
      result = applyEdits(result, modify(result, [key], undefined, options));
    }
    result = applyEdits(result, modify(result, [key], value, options));
  }
  return result;
}

function timesOfKey(text: string, key: string): number {
  return (parseTree(text.replace(/^\ufeff/, ''))?.children ?? []).filter((one) => one.children?.[0]?.value === key)
    .length;
}

/** The line (from 1) on which a key is, for messages. */
export function lineOfKey(text: string, key: string): number {
  const offset = text.search(new RegExp(`"${key.replace(/[^a-z0-9-]/g, '')}"\\s*:`));
  return offset < 0 ? 1 : lineAt(text, offset);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function indentation(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const first = /\n([ \t]+)"/.exec(text)?.[1] ?? '    ';
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  return first.includes('\t')
    ? { insertSpaces: false, tabSize: 4, eol }
    : { insertSpaces: true, tabSize: first.length, eol };
}
