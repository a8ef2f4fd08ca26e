/** Owns the reading and editing of daemon.json: other keys, their order and the file's indentation stay as they are. */

import { applyEdits, modify, type ParseError, parse, parseTree, printParseErrorCode } from 'jsonc-parser';
import { type Fields, isObject, parseJson } from '../json.ts';

export type DaemonJson = {
  readonly values: Fields;
  readonly error?: { line: number; reason: string };
};

/** Reads daemon.json; an absent or empty file has no values, nor has one that is `null`. A syntax error is returned with its line, never thrown. */
export function parseDaemonJson(text: string | undefined): DaemonJson {
  if (text === undefined || text.trim() === '') return { values: {} };
  const errors: ParseError[] = [];
  const body = text.replace(/^\ufeff/, '');
  parse(body, errors, { disallowComments: true, allowTrailingComma: false });
  const first = errors[0];
  if (first)
    return { values: {}, error: { line: lineAt(body, first.offset), reason: printParseErrorCode(first.error) } };
  // The other parser is for the place of an error: it takes a key `__proto__` for the object's prototype.
  const values = parseJson(body) ?? {};
  return isObject(values) ? { values } : { values: {}, error: { line: 1, reason: 'NotAnObject' } };
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
