/** Parser and editor of daemon.json; preserves other keys, their order and the indentation. */

import { applyEdits, modify, type ParseError, parse, parseTree, printParseErrorCode } from 'jsonc-parser';
import { type Fields, fieldsOf, isObject, isTooDeep, type Json, parseJson } from '../json.ts';

export type DaemonJson = {
  readonly path: string;
  /** Undefined if the file does not exist. */
  readonly text: string | undefined;
  /** In a file with errors, the readable values. */
  readonly values: Fields;
  /** Reasons for dockerd to reject the file; empty if it accepts it. */
  readonly errors: readonly { readonly line: number; readonly reason: string }[];
};

/**
 * Parses daemon.json as strictly as dockerd: no comments, no trailing commas, one object. An absent or empty file and `null`
 * have no values. Of duplicate keys the last one counts (seen with `dockerd --validate` on 26.1 and 28.5).
 */
export function parseDaemonJson(text: string | undefined, path = ''): DaemonJson {
  if (text === undefined || text.trim() === '') return { path, text, values: {}, errors: [] };
  const problems: ParseError[] = [];
  // dockerd ignores a byte order mark since 23.0 (check config.1 considers the dockerd version).
  const body = text.replace(/^\ufeff/, '');
  if (isTooDeep(body)) return { path, text, values: {}, errors: [{ line: 1, reason: 'nested too deeply' }] };
  const lenient: Json = parse(body, problems, { disallowComments: true, allowTrailingComma: false });
  // That parser only locates errors: it sets the object's prototype for a key `__proto__`.
  const value = problems.length > 0 ? lenient : (parseJson(body) ?? {});
  const errors = problems.map(({ offset, error }) => ({
    line: lineAt(body, offset),
    reason: String(printParseErrorCode(error)),
  }));
  if (problems.length === 0 && !isObject(value)) errors.push({ line: 1, reason: 'not an object' });
  return { path, text, values: fieldsOf(value), errors };
}

/** Empty for dockerd: no text, or `null`. */
function isEmpty(text: string | undefined): boolean {
  return text === undefined || /^\s*(null\s*)?$/.test(text);
}

/**
 * Sets keys (undefined: removes them). The rest stays byte for byte; a new file gets four spaces and a final newline. An object without
 * keys stays an object, since an empty file would look damaged.
 */
export function editDaemonJson(text: string | undefined, changes: Readonly<Record<string, unknown>>): string {
  let result = text === undefined || isEmpty(text) ? '{}\n' : text;
  // A single line stays a single line: without options, jsonc-parser only inserts.
  const options =
    text !== undefined && !isEmpty(text) && !text.trim().includes('\n')
      ? {}
      : { formattingOptions: indentation(result) };
  for (const [key, value] of Object.entries(changes)) {
    // dockerd uses the last of duplicate keys, but an edit would change the first.
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

/** Line (from 1) of a key, for messages. */
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
