/** Owns the reading of a Compose file: services with their settings and the lines they stand on. Anchors, merges and extends are followed. */

import {
  type Alias,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { DockerTlsError, DockerTlsErrors } from '../../../errors/errors.ts';
import { shellQuote } from '../../quote.ts';
import { withDefaults } from './secrets.ts';

/** A setting: its value as plain data, and its line. */
export type Field = { readonly value: unknown; readonly line: number };

type Item = { readonly text: string; readonly value: unknown; readonly line: number };

export type Service = {
  readonly name: string;
  readonly line: number;
  /** The setting at a path of keys; inherited ones too. Undefined when it is not there. */
  readonly get: (...path: readonly string[]) => Field | undefined;
  /** A list's items, or a map's pairs as `key=value`, each with its line; merged and inherited ones follow its own, where Compose adds them up. */
  readonly items: (...path: readonly string[]) => readonly Item[];
};

export type Compose = {
  readonly services: readonly Service[];
  readonly networks: readonly Service[];
  readonly volumes: readonly Service[];
};

const MAX_BYTES = 1_048_576;
const MAX_ITEMS = 2000;

function failure(message: string, where: string): DockerTlsError {
  const file = where.replace(/:\d+$/, '');
  const hints = [`docker compose -f ${shellQuote(file)} config --quiet`];
  return new DockerTlsError({ code: 'E_COMPOSE', message, where, hints });
}

/** Throws DockerTlsErrors when it is no YAML, or no Compose file. Size, depth and aliases are bounded: hostile files end in an error. */
export function parseCompose(text: string, path: string): Compose {
  if (text.length > MAX_BYTES) throw new DockerTlsErrors([failure('this file is too large for a Compose file', path)]);
  // Deep nesting would end in a stack overflow of the parser, which is no error that a user can read.
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

  // Alias.resolve walks the whole document each time; here it is walked once.
  const anchors = new Map<string, Node[]>();
  visit(document, {
    Node(_key, node) {
      const name = isAlias(node) ? undefined : (node as { anchor?: string }).anchor;
      if (name !== undefined) anchors.set(name, [...(anchors.get(name) ?? []), node as Node]);
    },
  });
  /** The node that an alias means: the last of that name that stands before it. */
  function resolve(node: unknown): Node | undefined {
    let here = node;
    for (let turn = 0; isAlias(here) && turn < 10; turn++) {
      const start = (here as Alias).range?.[0] ?? 0;
      here = anchors.get((here as Alias).source)?.findLast((candidate) => (candidate.range?.[0] ?? 0) < start);
    }
    return isAlias(here) ? undefined : (here as Node | undefined);
  }
  function lineOf(node: unknown, otherwise: number): number {
    const start = (node as Node | undefined)?.range?.[0];
    return start === undefined ? otherwise : counter.linePos(start).line;
  }
  function keyText(key: unknown): string {
    const node = resolve(key);
    return isScalar(node) ? String(node.value) : '';
  }
  /** Own keys first, then merged ones, the first of those that have it. A map is looked through once, however often it is merged. */
  function find(
    map: YAMLMap,
    key: string,
    seen = new Set<YAMLMap>(),
  ): { key: unknown; node: Node | undefined } | undefined {
    if (seen.has(map) || seen.size > MAX_ITEMS) return undefined;
    seen.add(map);
    for (const pair of map.items) if (keyText(pair.key) === key) return { key: pair.key, node: resolve(pair.value) };
    for (const pair of map.items) {
      if (keyText(pair.key) !== '<<') continue;
      const merged = resolve(pair.value);
      const sources = isSeq(merged) ? merged.items.map(resolve) : [merged];
      for (const source of sources) {
        const found = isMap(source) ? find(source, key, seen) : undefined;
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
  /** The pairs of a map, merged ones included, the first of each key. */
  function pairsOf(map: YAMLMap, known = new Map<string, Pair>(), seen = new Set<YAMLMap>()): readonly Pair[] {
    if (seen.has(map) || seen.size > MAX_ITEMS) return [...known.values()];
    seen.add(map);
    const own = map.items.slice(0, MAX_ITEMS);
    for (const pair of own) {
      const key = keyText(pair.key);
      if (key !== '<<' && !known.has(key) && known.size < MAX_ITEMS) known.set(key, pair);
    }
    for (const pair of own) {
      if (keyText(pair.key) !== '<<') continue;
      const merged = resolve(pair.value);
      for (const source of isSeq(merged) ? merged.items.map(resolve) : [merged])
        if (isMap(source)) pairsOf(source, known, seen);
    }
    return [...known.values()];
  }
  /** Plain data, at most some thousand values of it: aliases can make a small file endless. */
  function plain(node: unknown, budget = { left: MAX_ITEMS }, depth = 0): unknown {
    const here = resolve(node);
    budget.left -= 1;
    if (depth > 6 || budget.left < 0) return undefined;
    // A variable counts by the default that stands with it.
    if (isScalar(here)) return typeof here.value === 'string' ? withDefaults(here.value) : here.value;
    if (isSeq(here)) return here.items.slice(0, MAX_ITEMS).map((item) => plain(item, budget, depth + 1));
    if (!isMap(here)) return undefined;
    return Object.fromEntries(pairsOf(here).map((pair) => [keyText(pair.key), plain(pair.value, budget, depth + 1)]));
  }

  const root = resolve(document.contents);
  if (!isMap(root)) throw new DockerTlsErrors([failure('this is not a Compose file: no services', path)]);

  const read = new Map<Node | undefined, readonly Item[]>();
  function entries(section: string): readonly Service[] {
    const found = find(root as YAMLMap, section)?.node;
    if (!isMap(found)) return [];
    return found.items.slice(0, MAX_ITEMS).flatMap((pair): readonly Service[] => {
      if (!isPair(pair) || keyText(pair.key) === '<<') return [];
      const line = lineOf(pair.key, 1);
      const own = resolve(pair.value);
      const chain = isMap(own) ? inherited(own, found, 0) : [];
      /** Everything that stands at the path: the service's own first, then what it extends. */
      function lookUp(path: readonly string[]): readonly { key: unknown; node: Node | undefined }[] {
        return chain.flatMap((start) => {
          let here: Node | undefined = start;
          let hit: { key: unknown; node: Node | undefined } | undefined;
          for (const key of path) {
            hit = isMap(here) ? find(here, key) : undefined;
            here = hit?.node;
            if (hit === undefined) break;
          }
          return hit === undefined ? [] : [hit];
        });
      }
      function itemsOf(node: Node | undefined): readonly Item[] {
        if (isSeq(node)) {
          return node.items.slice(0, MAX_ITEMS).map((item) => {
            const value = plain(item);
            return { text: typeof value === 'object' ? '' : String(value ?? ''), value, line: lineOf(item, line) };
          });
        }
        if (!isMap(node)) return [];
        return pairsOf(node).map((item) => {
          const value = plain(item.value);
          return {
            text: `${keyText(item.key)}=${typeof value === 'object' ? '' : String(value)}`,
            value,
            line: lineOf(item.key, line),
          };
        });
      }
      /** As itemsOf. What many services share by aliases is read once. */
      function itemsOnce(node: Node | undefined): readonly Item[] {
        const items = read.get(node) ?? itemsOf(node);
        read.set(node, items);
        return items;
      }
      return [
        {
          name: keyText(pair.key),
          line,
          get(...keys) {
            const [hit] = lookUp(keys);
            return hit === undefined ? undefined : { value: plain(hit.node), line: lineOf(hit.key, line) };
          },
          items(...keys) {
            const known = new Set<string>();
            const nodes = lookUp(keys).map(({ node }) => node);
            return [...new Set(nodes)].slice(0, keys[0] === 'healthcheck' ? 1 : undefined).flatMap((node) => {
              const own = itemsOnce(node).map((item) => ({ item, name: nameOf(keys[0], item) }));
              const left = own.filter(({ name }) => !known.has(name));
              for (const { name } of own) known.add(name);
              return left.map(({ item }) => item);
            });
          },
        },
      ];
    });
  }
  /** The service itself and what it extends in the same file. */
  function inherited(own: YAMLMap, services: YAMLMap, depth: number): readonly YAMLMap[] {
    const extended = find(own, 'extends')?.node;
    const named = isMap(extended) && find(extended, 'file') === undefined ? find(extended, 'service')?.node : extended;
    const base = isScalar(named) && depth < 10 ? find(services, String(named.value))?.node : undefined;
    return isMap(base) && base !== own ? [own, ...inherited(base, services, depth + 1)] : [own];
  }
  const services = entries('services');
  if (services.length === 0) {
    const included = find(root, 'include') !== undefined;
    const message = included
      ? 'it only includes other files: audit each of them, or what `docker compose config` makes of it'
      : 'this is not a Compose file: no services';
    throw new DockerTlsErrors([failure(message, path)]);
  }
  return { services, networks: entries('networks'), volumes: entries('volumes') };
}

/** What an item replaces of the service that is extended (compose-spec, "Extends"): variables by name, mounts and devices by where they are in the container. */
function nameOf(setting: string | undefined, { text, value }: Item): string {
  if (setting === 'environment' || setting === 'build') return text.replace(/=.*$/s, '');
  if (setting !== 'volumes' && setting !== 'devices') return text === '' ? JSON.stringify(value) : text;
  if (typeof value !== 'object' || value === null) return text.split(':')[1] ?? text;
  return String((value as Record<string, unknown>).target ?? JSON.stringify(value));
}

/** An upper bound of the nesting: flow brackets, and indentation that grows. */
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
