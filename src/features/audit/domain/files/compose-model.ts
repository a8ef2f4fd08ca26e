/**
 * Parser of Compose files: services with settings and line numbers. Resolves anchors, merges and extends. Merging is implemented here,
 * because the yaml library loses the line numbers that findings need.
 */

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { textAt, textsAt } from '../../../../core/domain/json.ts';
import { shellQuote } from '../../../../core/domain/quote.ts';
import { DockerTlsError, DockerTlsErrors } from '../../../../errors/errors.ts';
import { withDefaults } from './secrets.ts';

/** A setting: plain value, line, and its text if a variable without a known value decides it (for a map: its `source` or `host_ip`). */
export type Field = { readonly value: unknown; readonly line: number; readonly unknown?: string | undefined };

type Item = Field & { readonly text: string };

export type Service = {
  readonly name: string;
  readonly line: number;
  /** Setting at a path of keys, including inherited ones; undefined if missing. */
  readonly get: (...path: readonly string[]) => Field | undefined;
  /** Items of a list, or pairs of a map as `key=value`, each with its line. Merged and inherited items follow if Compose combines them. */
  readonly items: (...path: readonly string[]) => readonly Item[];
};

/** Settings outside the file. */
export type Elsewhere = { readonly place: string; readonly text: string };

/** Context from the directory of a Compose file: names that its .env sets, which override defaults, and other files. */
export type Beside = { readonly given: ReadonlySet<string>; readonly files: readonly Elsewhere[] };

export type Compose = {
  readonly services: readonly Service[];
  readonly networks: readonly Service[];
  readonly volumes: readonly Service[];
  /** Neighbouring files that decide which files Compose reads. */
  readonly beside: readonly Elsewhere[];
  /** Included files. */
  readonly includes: readonly { readonly text: string; readonly line: number }[];
};

const MAX_BYTES = 1_048_576;
const MAX_ITEMS = 2000;
const MAX_MERGED = 200_000;

/** A value of the file with aliases and merges resolved. Aliases share the tree of their anchor. */
type Tree = {
  readonly scalar?: unknown;
  /** Original text with a variable of unknown value. */
  readonly unknown?: string | undefined;
  readonly list?: readonly Place[];
  readonly map?: ReadonlyMap<string, Place>;
};

/** Position of a value: in a list, or in a map by its key. */
type Place = { readonly line: number; readonly tree: Tree };

function failure(message: string, where: string): DockerTlsError {
  const file = where.replace(/:\d+$/, '');
  const hints = [`docker compose -f ${shellQuote(file)} config --quiet`];
  return new DockerTlsError('E_COMPOSE', message, { where, hints });
}

/** Throws DockerTlsErrors for invalid YAML or Compose files. Size, depth and aliases are limited: hostile files end in an error. */
export function parseCompose(text: string, path: string, beside: Beside = { given: new Set(), files: [] }): Compose {
  if (text.length > MAX_BYTES) throw new DockerTlsErrors([failure('this file is too large for a Compose file', path)]);
  // Deep nesting would overflow the parser's stack, an unreadable error for users.
  if (deepest(text) > 100) throw new DockerTlsErrors([failure('this file is nested too deeply', path)]);
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) {
    throw new DockerTlsErrors(
      document.errors
        .slice(0, 5)
        .map((error) => failure(error.message, `${path}:${counter.linePos(error.pos[0]).line}`)),
    );
  }

  const lineOf = (node: unknown): number => counter.linePos((node as Node | null)?.range?.[0] ?? 0).line;
  const anchors = new Map<string, Tree>();
  let merged = 0;

  /** In file order: an alias refers to the last earlier anchor of its name. Inside itself, that anchor does not exist yet. */
  function read(node: unknown): Tree {
    if (isAlias(node)) return anchors.get(node.source) ?? {};
    const tree: Tree = isMap(node)
      ? { map: readMap(node) }
      : isSeq(node)
        ? { list: node.items.slice(0, MAX_ITEMS).map((item) => ({ line: lineOf(item), tree: read(item) })) }
        : // a variable counts by its default in the file
          isScalar(node) && typeof node.value === 'string'
          ? { scalar: withDefaults(node.value), unknown: dependsOn(node.value, beside.given) ? node.value : undefined }
          : { scalar: asScalar(node) };
    const { anchor } = (node ?? {}) as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, tree);
    return tree;
  }

  /** Own keys first, then merged ones; the first occurrence of a key wins. */
  function readMap({ items }: YAMLMap): ReadonlyMap<string, Place> {
    const own = items.slice(0, MAX_ITEMS).map(({ key, value }) => ({
      key: String(read(key).scalar ?? ''),
      place: { line: lineOf(key), tree: read(value) },
    }));
    const found = new Map(own.flatMap(({ key, place }) => (key === '<<' ? [] : [[key, place] as const])));
    for (const { key, place } of own) {
      if (key !== '<<') continue;
      for (const { map } of place.tree.list?.map(({ tree }) => tree) ?? [place.tree])
        for (const [name, inherited] of map ?? []) {
          merged += 1;
          if (merged > MAX_MERGED) throw new DockerTlsErrors([failure('merges make this file too large', path)]);
          if (!found.has(name) && found.size < MAX_ITEMS) found.set(name, inherited);
        }
    }
    return found;
  }

  const root = read(document.contents).map;
  if (root === undefined) throw new DockerTlsErrors([failure('this is not a Compose file: no services', path)]);
  const known = new Map<Tree, readonly Item[]>();
  /** Cache for items that many services share by aliases. */
  function itemsOnce(tree: Tree): readonly Item[] {
    const items = known.get(tree) ?? itemsOf(tree);
    known.set(tree, items);
    return items;
  }

  function entries(section: string): readonly Service[] {
    const { map } = root?.get(section)?.tree ?? {};
    return [...(map ?? [])].slice(0, MAX_ITEMS).map(([name, { line, tree }]): Service => {
      const chain = inherited(tree, map);
      /** All values at the path: the service's own first, then inherited ones. */
      const lookUp = (path: readonly string[]): readonly Place[] =>
        chain.flatMap((start) => {
          let here: Place | undefined = { line, tree: start };
          for (const key of path) here = here?.tree.map?.get(key);
          return here === undefined ? [] : [here];
        });
      return {
        name,
        line,
        get(...keys) {
          const [hit] = lookUp(keys);
          return hit && { value: plain(hit.tree), line: hit.line, unknown: hit.tree.unknown };
        },
        items(...keys) {
          const seen = new Set<string>();
          const trees = [...new Set(lookUp(keys).map((hit) => hit.tree))];
          return trees.slice(0, keys[0] === 'healthcheck' ? 1 : undefined).flatMap((one) => {
            const own = itemsOnce(one).map((item) => ({ item, name: nameOf(keys[0], item) }));
            const left = own.filter((item) => !seen.has(item.name));
            for (const item of own) seen.add(item.name);
            return left.map(({ item }) => item);
          });
        },
      };
    });
  }

  const services = entries('services');
  if (services.length === 0) {
    const message = root.has('include')
      ? 'it only includes other files: audit each of them, or what `docker compose config` makes of it'
      : 'this is not a Compose file: no services';
    throw new DockerTlsErrors([failure(message, path)]);
  }
  const includes = itemsOf(root.get('include')?.tree ?? {}).map(({ text: named, value, line }) => ({
    text: named || textsAt(value, 'path').join(', ') || textAt(value, 'path') || 'another file',
    line,
  }));
  return { services, networks: entries('networks'), volumes: entries('volumes'), includes, beside: beside.files };
}

/** True if the text has `$NAME` or `${NAME…}` with an unknown value: no default, or overridden in `given`. `$$` is a dollar sign. */
function dependsOn(text: string, given: ReadonlySet<string>): boolean {
  return [...text.matchAll(/\$\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(:?[-?+])?)/g)].some(
    ([, bare, braced, form = '']) => {
      const name = bare ?? braced;
      if (name === undefined || /^(?:PWD|HOME)$/.test(name)) return false;
      return given.has(name) || !form.endsWith('-');
    },
  );
}

function asScalar(node: unknown): unknown {
  return isScalar(node) ? node.value : undefined;
}

/** Plain data, at most a few thousand values: aliases can make a small file endless. */
function plain({ scalar, list, map }: Tree, budget = { left: MAX_ITEMS }, depth = 0): unknown {
  budget.left -= 1;
  if (depth > 6 || budget.left < 0) return undefined;
  if (list !== undefined) return list.map(({ tree }) => plain(tree, budget, depth + 1));
  if (map === undefined) return scalar;
  return Object.fromEntries([...map].map(([key, { tree }]) => [key, plain(tree, budget, depth + 1)]));
}

function itemsOf({ list, map }: Tree): readonly Item[] {
  const inList = (list ?? []).map(({ line, tree }) => {
    const value = plain(tree);
    const unknown = tree.unknown ?? (tree.map?.get('source') ?? tree.map?.get('host_ip'))?.tree.unknown;
    return { text: typeof value === 'object' ? '' : String(value ?? ''), value, line, unknown };
  });
  const inMap = [...(map ?? [])].map(([key, { line, tree }]) => {
    const value = plain(tree);
    return { text: `${key}=${typeof value === 'object' ? '' : String(value)}`, value, line, unknown: tree.unknown };
  });
  return [...inList, ...inMap];
}

/** A service and the services that it extends in the same file. */
function inherited(own: Tree, services: Tree['map'], depth = 0): readonly Tree[] {
  const extended = own.map?.get('extends')?.tree;
  const named = extended?.map?.has('file') === false ? extended.map.get('service')?.tree : extended;
  const base = named?.scalar !== undefined && depth < 10 ? services?.get(String(named.scalar))?.tree : undefined;
  return base?.map !== undefined && base !== own ? [own, ...inherited(base, services, depth + 1)] : [own];
}

/**
 * Key by which an item replaces one of the extended service (compose-spec, "Extends"): variables by name, mounts and devices by their path
 * in the container.
 */
function nameOf(setting: string | undefined, { text, value }: Item): string {
  if (setting === 'environment' || setting === 'build') return text.replace(/=.*$/s, '');
  if (setting !== 'volumes' && setting !== 'devices') return text === '' ? JSON.stringify(value) : text;
  if (typeof value !== 'object' || value === null) return text.split(':')[1] ?? text;
  return String((value as Record<string, unknown>).target ?? JSON.stringify(value));
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
