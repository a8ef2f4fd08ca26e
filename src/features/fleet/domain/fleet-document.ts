/**
 * YAML parser that gives a plain value with line numbers for all parts. Strict where YAML is lax (duplicate keys, tags, control
 * characters), and bounded in depth, size and aliases, so that no text can exhaust memory or the stack.
 */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLParseError,
  type YAMLWarning,
} from 'yaml';
import type { Path, Problem } from '../../../core/domain/setting-problems.ts';
import { DockerTlsError, DockerTlsErrors, type Hint } from '../../../errors/errors.ts';

/** Both count from 1. */
type Position = { readonly line: number; readonly column: number };

export type FleetDocument = {
  readonly yaml: Document.Parsed<ParsedNode, true>;
  /** Maps as plain objects, lists as arrays; undefined for an empty file. */
  readonly value: unknown;
  /** Errors of the text itself that did not prevent parsing: duplicate keys and the like. */
  readonly problems: readonly Problem[];
  /** Position of the value at `path` (or of its key), or of the nearest enclosing value. */
  position(path: Path, key?: string): Position;
};

const MAX_TEXT_LENGTH = 4 * 1024 * 1024;
const MAX_INDENT = 200;
const MAX_DEPTH = 32;
/** Maximum number of values repeated by aliases, for the whole file. */
const MAX_REPEATED = 100_000;
const MAX_ERRORS = 50;

/**
 * Parses YAML 1.2. Throws DockerTlsErrors of E_FLEET (exit 2, `where` is `path:line:column`) if the text is not a single valid
 * document. Other problems are in the result, so that they are reported together with those of the schema.
 */
export function parseFleetDocument(text: string, path: string): FleetDocument {
  const tooMuch = excess(text);
  if (tooMuch !== undefined) throw fleetErrors(path, [{ ...tooMuch.at, message: tooMuch.message }]);
  const lines = new LineCounter();
  const yaml = parseDocument(text, {
    // The library's check for duplicate keys is quadratic: 20,000 hosts take 7 seconds. readValue does it in one pass.
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
    version: '1.2',
  });
  const broken = [...yaml.errors, ...yaml.warnings];
  if (broken.length > 0) {
    throw fleetErrors(
      path,
      broken.map((error) => ({
        ...place(lines, quoteAt(yaml.contents, error) ?? error.pos[0]),
        message: syntaxMessage(error.code, error.message),
      })),
    );
  }
  const { value, problems, offsets } = readValue(yaml.contents);
  return {
    yaml: yaml as Document.Parsed<ParsedNode, true>,
    value,
    problems,
    position(at, key) {
      for (let length = at.length; length >= 0; length -= 1) {
        const parent = at.slice(0, length);
        const name = length === at.length ? key : undefined;
        const offset =
          (name === undefined ? undefined : offsets.get(keyId(parent, name))) ?? offsets.get(pathId(parent));
        if (offset !== undefined) return place(lines, offset);
      }
      return { line: 1, column: 1 };
    },
  };
}

/** Combines the problems into one error, in file order, at most 50. */
export function problemErrors(path: string, document: FleetDocument, problems: readonly Problem[]): DockerTlsErrors {
  return fleetErrors(
    path,
    problems.map(({ path: at, key, message, hints }) => ({ ...document.position(at, key), message, hints })),
  );
}

type Placed = Position & { readonly message: string; readonly hints?: readonly Hint[] };

function fleetErrors(path: string, placed: readonly Placed[]): DockerTlsErrors {
  const sorted = [...placed].sort((left, right) => left.line - right.line || left.column - right.column);
  const shown = sorted.slice(0, MAX_ERRORS);
  const rest = sorted.length - shown.length;
  return new DockerTlsErrors(
    shown.map(
      ({ line, column, message, hints = [] }, index) =>
        new DockerTlsError('E_FLEET', message, {
          where: `${path}:${line}:${column}`,
          hints: index === shown.length - 1 && rest > 0 ? [...hints, `${rest} more such errors follow`] : hints,
        }),
    ),
  );
}

function place(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Text that no fleet file needs and that would exhaust the parser's memory or stack. */
function excess(text: string): { at: Position; message: string } | undefined {
  const start = { line: 1, column: 1 };
  if (text.length > MAX_TEXT_LENGTH) {
    return { at: start, message: `the file is larger than ${MAX_TEXT_LENGTH / 1024 / 1024} MiB` };
  }
  const lines = text.split('\n');
  const wide = lines.findIndex((line) => line.search(/[^ ]/) > MAX_INDENT || /^ *(?:[-?:][ \t]+){16}/.test(line));
  if (wide >= 0) return { at: { line: wide + 1, column: 1 }, message: 'this line is nested too deeply' };
  if ((text.match(/[[{]/g) ?? []).length <= MAX_DEPTH) return undefined;
  let depth = 0;
  let line = 1;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    if (!scalar && (token === '[' || token === '{')) depth += 1;
    if (!scalar && (token === ']' || token === '}')) depth -= 1;
    if (depth > MAX_DEPTH) return { at: { line, column: 1 }, message: 'lists and maps are nested too deeply here' };
    // The lexer emits U+001F before a scalar; the next token is its text, including brackets.
    scalar = token === '\u001f';
    line += token.split('\n').length - 1;
  }
  return undefined;
}

/** Message for an error code of the yaml library. Some of the library's messages quote the text, and it may be a secret. */
function syntaxMessage(code: string, message: string): string {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'there is a second document in the file: a fleet is one, without ---';
    case 'TAB_AS_INDENT':
      return 'a tab cannot indent YAML: use spaces';
    case 'TAG_RESOLVE_FAILED':
      return 'tags (!…) are not used in a fleet file';
    case 'NON_STRING_KEY':
      return 'a key has to be plain text';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BAD_INDENT':
      return 'the indentation is wrong here, or on the line before';
    case 'MISSING_CHAR':
      return /quote/.test(message)
        ? 'a closing quotation mark is missing'
        : 'a character is missing here: a colon, comma, bracket or the space after one';
    default:
      return `this is not YAML: ${code.toLowerCase().replaceAll('_', ' ')}`;
  }
}

/** The library reports an unclosed quotation mark at the end of the file; this finds where it opens. */
function quoteAt(root: Node | null, error: YAMLParseError | YAMLWarning): number | undefined {
  if (error.code !== 'MISSING_CHAR') return undefined;
  let found: number | undefined;
  visit(root, {
    Scalar(_, { type, range }) {
      if (type?.startsWith('QUOTE') && range && error.pos[0] >= range[0] && error.pos[0] <= range[2]) found = range[0];
    },
  });
  return found;
}

function readValue(root: Node | null): {
  value: unknown;
  problems: Problem[];
  offsets: Map<string, number>;
} {
  const problems: Problem[] = [];
  const offsets = new Map<string, number>();
  const anchors = new Map<string, Node>();
  const open = new Set<Node>();
  let repeated = 0;
  let stopped = false;

  function problem(path: Path, message: string, key?: string): undefined {
    problems.push({ path, message, key });
    return undefined;
  }

  /** `from`: position of the alias that repeats this node; repeated values get that position. */
  function read(node: Node | null | undefined, path: Path, from?: number): unknown {
    if (from !== undefined) repeated += 1;
    if (stopped) return undefined;
    if (repeated > MAX_REPEATED || path.length > MAX_DEPTH) {
      stopped = true;
      return problem(path, repeated > MAX_REPEATED ? 'aliases make the file too large' : 'this is nested too deeply');
    }
    const offset = from ?? node?.range?.[0];
    if (offset !== undefined) offsets.set(pathId(path), offset);
    if (node === null || node === undefined) return null;
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) return problem(path, 'an alias (*) without its anchor (&) before it');
      if (open.has(target)) return problem(path, 'an alias (*) inside its own anchor');
      return read(target, path, offset);
    }
    if (from === undefined && 'anchor' in node && typeof node.anchor === 'string') anchors.set(node.anchor, node);
    if (isScalar(node)) return scalar(node.value, path);
    open.add(node);
    const result = isMap(node) ? map(node.items, path, from) : isSeq(node) ? list(node.items, path, from) : undefined;
    open.delete(node);
    return result;
  }

  function scalar(value: unknown, path: Path): unknown {
    if (typeof value === 'string' && hasControlCharacters(value))
      return problem(path, 'a control character or invisible character');
    return value;
  }

  function list(items: readonly unknown[], path: Path, from?: number): unknown[] {
    return items.map((item, index) => read(item as Node, [...path, index], from));
  }

  function map(items: readonly { key: unknown; value: unknown }[], path: Path, from?: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value ?? '') : undefined;
      const offset = from ?? (key as Node | null)?.range?.[0];
      if (name === undefined) {
        problem(path, 'a key has to be plain text');
        continue;
      }
      if (offset !== undefined && !offsets.has(keyId(path, name))) offsets.set(keyId(path, name), offset);
      if (name === '__proto__' || hasControlCharacters(name)) problem(path, 'this cannot be a key', name);
      else if (Object.hasOwn(result, name)) {
        // Reports the second key's position: the first is correct.
        if (offset !== undefined) offsets.set(keyId(path, name), offset);
        problem(path, `${name} is given twice`, name);
      } else if (name === '<<')
        problem(
          path,
          'merge keys (<<) are not part of YAML 1.2: use defaults, or repeat a whole value with an alias',
          name,
        );
      else result[name] = read(value as Node | null, [...path, name], from);
    }
    return result;
  }

  const value = root === null ? undefined : read(root, []);
  return { value: isScalar(root) && value === null ? undefined : value, problems, offsets };
}

/** Control characters, and invisible characters that change the display of a line. */
export function hasControlCharacters(text: string): boolean {
  return /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udfff]/u.test(
    text,
  );
}

function pathId(path: Path): string {
  return path.join('\u0000');
}

function keyId(path: Path, key: string): string {
  return `${path.join('\u0000')}\u0000\u0001${key}`;
}
