/** Services of a Compose project, with all settings that its files and extended services give them, and where each of them is. */

import { pairsOf } from './compose-merge.ts';
import { ALONE, loadProject, type Neighbours, type Unread } from './compose-project.ts';
import { composeError, MAX_ITEMS, type Place, plain, type Tree } from './compose-tree.ts';

export type Spot = { readonly file: string; readonly line: number };

/** A setting: plain value, place, and its text if a variable without a known value decides it (for a map: its `source` or `host_ip`). */
export type Field = {
  readonly value: unknown;
  /** The value as the file has it, for findings: values of env files are not shown. */
  readonly shown: unknown;
  readonly at: Spot;
  readonly unknown?: string | undefined;
  /** The text with no more than the defaults in the file. */
  readonly written?: string | undefined;
  /** That relative paths begin at. */
  readonly directory: string;
};

/** `words`: the text to show. */
export type Item = Field & { readonly text: string; readonly words: string };

export type Pair = { readonly name: string; readonly value: string; readonly written: string; readonly at: Spot };

export type Service = {
  readonly name: string;
  readonly at: Spot;
  /** Setting at a path of keys; undefined if missing. */
  readonly get: (...path: readonly string[]) => Field | undefined;
  /** Items of a list, or pairs of a map as `key=value`. */
  readonly items: (...path: readonly string[]) => readonly Item[];
  /** Names and values of a map, or of a list of `NAME=VALUE`. */
  readonly pairs: (...path: readonly string[]) => readonly Pair[];
};

export type Compose = {
  readonly services: readonly Service[];
  readonly networks: readonly Service[];
  readonly volumes: readonly Service[];
  readonly configs: readonly Service[];
  readonly secrets: readonly Service[];
  /** Absolute directory of the project. */
  readonly directory: string;
  readonly unread: readonly Unread[];
  readonly neighbours: Neighbours;
};

/** Throws DockerTlsErrors for invalid YAML or Compose files. */
export function parseCompose(
  texts: readonly { readonly path: string; readonly text: string }[],
  neighbours: Neighbours = ALONE,
): Compose {
  const { root, directory, unread } = loadProject(texts, neighbours);
  const known = new Map<Tree, readonly Item[]>();

  function entries(section: string): readonly Service[] {
    return [...(root.map?.get(section)?.tree.map ?? [])].map(([name, place]) => service(name, place, known));
  }

  const services = entries('services');
  if (services.length === 0)
    throw composeError(unread[0]?.text ?? 'this is not a Compose file: no services', texts[0]?.path ?? '-');
  const [networks, volumes] = [entries('networks'), entries('volumes')];
  const [configs, secrets] = [entries('configs'), entries('secrets')];
  return { services, networks, volumes, configs, secrets, directory, unread, neighbours };
}

/** `known`: items that many services share by aliases. */
function service(name: string, place: Place, known: Map<Tree, readonly Item[]>): Service {
  const lookUp = (path: readonly string[]): Place | undefined => {
    let here: Place | undefined = place;
    for (const key of path) here = here?.tree.map?.get(key);
    return here?.tree.tag === 'reset' ? undefined : here;
  };
  return {
    name,
    at: spot(place),
    get(...path) {
      const found = lookUp(path);
      return found && fieldOf(found);
    },
    items(...path) {
      const tree = lookUp(path)?.tree ?? {};
      const items = known.get(tree) ?? itemsOf(tree);
      known.set(tree, items);
      return items;
    },
    pairs(...path) {
      return [...pairsOf(lookUp(path)?.tree ?? {})].slice(0, MAX_ITEMS).flatMap(([key, one]) => {
        const { scalar, written } = one.tree;
        if (scalar === undefined || scalar === null) return [];
        return [{ name: key, value: String(scalar), written: written ?? String(scalar), at: spot(one) }];
      });
    },
  };
}

function spot({ origin, line }: Place): Spot {
  return { file: origin.file, line };
}

function fieldOf(place: Place): Field {
  const { tree, origin } = place;
  const { unknown, written } = tree;
  const shown = plain(tree, (one) => one.written ?? one.scalar);
  return { value: plain(tree), shown, at: spot(place), unknown, written, directory: origin.directory };
}

function itemsOf({ list, map }: Tree): readonly Item[] {
  const inList = (list ?? []).map((place) => {
    const { tree } = place;
    const field = fieldOf(place);
    const unknown = tree.unknown ?? (tree.map?.get('source') ?? tree.map?.get('host_ip'))?.tree.unknown;
    return { ...field, unknown, text: textOf(field.value), words: textOf(field.shown) };
  });
  const inMap = [...(map ?? [])].map(([key, place]) => {
    const field = fieldOf(place);
    const pair = (value: unknown): string => `${key}=${typeof value === 'object' ? '' : String(value)}`;
    return { ...field, text: pair(field.value), words: pair(field.shown) };
  });
  return [...inList, ...inMap];
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? '' : String(value ?? '');
}
