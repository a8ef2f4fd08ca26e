/**
 * Parser of Compose files: values with file and line; anchors, merge keys and variables resolved. The yaml library can do that too, but
 * loses the lines that findings need.
 */

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type YAMLMap } from 'yaml';
import { shellQuote } from '../../../../core/domain/quote.ts';
import { DockerTlsError, DockerTlsErrors } from '../../../../errors/errors.ts';
import { interpolate, type Variables } from './compose-variables.ts';

/** File of a value, and the directory of its relative paths. */
export type Origin = { readonly file: string; readonly directory: string; readonly variables: Variables };

/** A value. Aliases share the tree of their anchor. */
export type Tree = {
  readonly scalar?: unknown;
  /** The scalar with the defaults of this file only, and `$$` kept. */
  readonly written?: string | undefined;
  /** Original text, if a variable without a known value decides a part of it. */
  readonly unknown?: string | undefined;
  readonly list?: readonly Place[];
  readonly map?: ReadonlyMap<string, Place>;
  /** Tag of Compose: the value is taken out of the files before, or replaces theirs. */
  readonly tag?: 'reset' | 'override' | undefined;
};

/** Position of a value: in a list, or in a map by its key. */
export type Place = { readonly origin: Origin; readonly line: number; readonly tree: Tree };

const MAX_BYTES = 1_048_576;
export const MAX_ITEMS = 2000;
const MAX_MERGED = 200_000;

export function composeError(message: string, where: string): DockerTlsErrors {
  return new DockerTlsErrors([oneError(message, where)]);
}

function oneError(message: string, where: string): DockerTlsError {
  const file = where.replace(/:\d+$/, '');
  const hints = [`docker compose -f ${shellQuote(file)} config --quiet`];
  return new DockerTlsError('E_COMPOSE', message, { where, hints });
}

/**
 * The documents of a file; Compose merges them. Throws DockerTlsErrors for invalid YAML. Size, depth and aliases are limited: hostile
 * files end in an error.
 */
export function parseTrees(text: string, origin: Origin): readonly Place[] {
  const { file } = origin;
  if (text.length > MAX_BYTES) throw composeError('this file is too large for a Compose file', file);
  // Deep nesting would overflow the parser's stack, an unreadable error for users.
  if (deepest(text) > 100) throw composeError('this file is nested too deeply', file);
  const counter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: counter, prettyErrors: false, logLevel: 'error' });
  const documents = 'empty' in parsed ? [] : parsed;
  const errors = documents.flatMap((document) => document.errors);
  if (errors.length > 0)
    throw new DockerTlsErrors(
      errors.slice(0, 5).map((error) => oneError(error.message, `${file}:${counter.linePos(error.pos[0]).line}`)),
    );

  const lineOf = (node: unknown): number => counter.linePos((node as Node | null)?.range?.[0] ?? 0).line;
  const anchors = new Map<string, Tree>();
  let merged = 0;

  /** In file order: an alias refers to the last earlier anchor of its name. Inside itself, that anchor does not exist yet. */
  function read(node: unknown): Tree {
    if (isAlias(node)) return anchors.get(node.source) ?? {};
    const { anchor, tag } = (node ?? {}) as { anchor?: string; tag?: string };
    const tree: Tree = {
      ...(isMap(node)
        ? { map: readMap(node) }
        : isSeq(node)
          ? { list: limited(node.items).map((item) => ({ origin, line: lineOf(item), tree: read(item) })) }
          : readScalar(node)),
      tag: tag === '!reset' ? 'reset' : tag === '!override' ? 'override' : undefined,
    };
    if (anchor !== undefined) anchors.set(anchor, tree);
    return tree;
  }

  function readScalar(node: unknown): Tree {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value !== 'string') return { scalar: value };
    const { text: scalar, unknown } = interpolate(value, origin.variables);
    return { scalar, written: interpolate(value, NONE, '$$').text, unknown: unknown ? value : undefined };
  }

  /** Own keys first, then merged ones; the first occurrence of a key wins. */
  function readMap({ items }: YAMLMap): ReadonlyMap<string, Place> {
    const own = limited(items).map(({ key, value }) => ({
      key: String((isScalar(key) ? key.value : read(key).scalar) ?? ''),
      place: { origin, line: lineOf(key), tree: read(value) },
    }));
    const found = new Map(own.flatMap(({ key, place }) => (key === '<<' ? [] : [[key, place] as const])));
    for (const { key, place } of own) {
      if (key !== '<<') continue;
      for (const { map } of place.tree.list?.map(({ tree }) => tree) ?? [place.tree])
        for (const [name, inherited] of map ?? []) {
          merged += 1;
          if (merged > MAX_MERGED) throw composeError('merges make this file too large', file);
          if (!found.has(name)) found.set(name, inherited);
        }
    }
    return found;
  }

  /** A part that is not read must not pass. */
  function limited<T>(items: readonly T[]): readonly T[] {
    if (items.length > MAX_ITEMS) throw composeError(`a list or map has more than ${MAX_ITEMS} entries`, file);
    return items;
  }

  return documents.map(({ contents }) => ({ origin, line: lineOf(contents), tree: read(contents) }));
}

const NONE: Variables = new Map();

/** Plain data, at most a few thousand values: aliases can make a small file endless. */
export function plain(whole: Tree, scalarOf: (tree: Tree) => unknown = ({ scalar }) => scalar): unknown {
  let left = MAX_ITEMS;
  function read(tree: Tree, depth: number): unknown {
    left -= 1;
    if (depth > 6 || left < 0) return undefined;
    if (tree.list !== undefined) return tree.list.map((item) => read(item.tree, depth + 1));
    if (tree.map === undefined) return scalarOf(tree);
    return Object.fromEntries([...tree.map].map(([key, item]) => [key, read(item.tree, depth + 1)]));
  }
  return read(whole, 0);
}

/** Upper bound of the nesting depth: flow brackets and increasing indentation. */
function deepest(text: string): number {
  let flow = 0;
  let most = 0;
  const indents: number[] = [];
  for (const line of text.split('\n')) {
    const indent = line.search(/[^ ]/);
    if (indent < 0) continue;
    while (indents.length > 0 && (indents.at(-1) as number) >= indent) indents.pop();
    indents.push(indent);
    const dashes = /^ *((?:[-?] +)+)/.exec(line)?.[1]?.match(/[-?]/g)?.length ?? 0;
    for (const character of line) {
      if (character === '[' || character === '{') flow++;
      else if (character === ']' || character === '}') flow = Math.max(0, flow - 1);
    }
    most = Math.max(most, flow + indents.length + dashes);
  }
  return most;
}
