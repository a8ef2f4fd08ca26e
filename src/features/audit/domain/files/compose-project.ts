/** Loader of a Compose project: all of its files as one model, as `docker compose config --profile '*'` merges them. */

import { posix } from 'node:path';
import { canonical, type Merges, mergePlaces, newMerges, pairsOf, UNIQUE, withoutDoubles } from './compose-merge.ts';
import { textParser } from './compose-texts.ts';
import { composeError, type Origin, type Place, type Tree } from './compose-tree.ts';
import type { EnvEntry, Variables } from './compose-variables.ts';

/** Files around a Compose file. */
export type Neighbours = {
  /** Absolute directory that relative names begin at. */
  readonly root: string;
  readonly read: (path: string) => { readonly text: string } | { readonly reason: string };
};

/** A part of the project that was not read. */
export type Unread = { readonly place: string; readonly text: string; readonly file: string; readonly line: number };

export type Project = { readonly root: Tree; readonly directory: string; readonly unread: readonly Unread[] };

export type ComposeText = { readonly path: string; readonly text: string };

/** Reason of a file that does not exist. */
export const MISSING = 'it does not exist';

export const MAX_FILES = 200;
/** Loads of included files: each file may include others more than once. */
const MAX_LOADS = 1000;
const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|oci:|github\.com\/)/i;

export function isRemote(path: string): boolean {
  return REMOTE.test(path);
}

const NOT_READ = 'it was not read';

/** Without neighbours, nothing but the text itself is read. */
export const ALONE: Neighbours = { root: '/', read: () => ({ reason: NOT_READ }) };

/** `texts`: the files that a user names, the first one decides the project's directory. */
export function loadProject(texts: readonly ComposeText[], neighbours: Neighbours): Project {
  const unread: Unread[] = [];
  const merges: Merges = newMerges();
  const files = new Set<string>();
  let loads = 0;
  const servicesOf = new Map<readonly Place[], ExtendedFile>();
  const [first] = texts;
  if (first === undefined) throw composeError('there is no Compose file', '-');
  const directory = posix.dirname(first.path);
  const { parsed, entriesOf, variablesIn } = textParser(first.path, merges);
  const variables = variablesIn(given(posix.join(directory, '.env'), directory), new Map());
  const root = loadTexts(texts, directory, variables, []);
  const services = root.tree.map?.get('services');
  const finished = [...(services?.tree.map ?? [])].map(([name, place]) => [name, completed(name, place)] as const);
  const map = new Map(root.tree.map);
  if (services !== undefined) map.set('services', { ...services, tree: { map: new Map(finished) } });
  return { root: { map }, directory: posix.resolve(neighbours.root, directory), unread };

  function loadTexts(named: readonly ComposeText[], base: string, known: Variables, chain: readonly string[]): Place {
    let whole: Place | undefined;
    for (const { path, text } of named) {
      const origin: Origin = { file: path, directory: base, variables: known };
      for (const document of parsed(text, origin)) {
        if (document.tree.map === undefined) continue;
        const own = withIncludes(withExtends(document, [path]), [...chain, absolute(path)]);
        whole = mergePlaces(whole, own, '', merges);
      }
    }
    return whole ?? { origin: { file: first?.path ?? '', directory: base, variables: known }, line: 1, tree: {} };
  }

  function absolute(path: string): string {
    return posix.resolve(neighbours.root, path);
  }

  function note(place: string, text: string, { origin, line }: Pick<Place, 'origin' | 'line'>): void {
    unread.push({ place, text: `cannot tell: ${text}`, file: origin.file, line });
  }

  /** The text of a file that `by` names; undefined, with a note, if it cannot be read. */
  function readNamed(path: Place, place: string, what: string, optional = false): ComposeText | undefined {
    const named = String(path.tree.scalar ?? '');
    const whole = joined(path.origin.directory, named);
    files.add(absolute(whole));
    if (files.size > MAX_FILES) throw composeError(`it is made of more than ${MAX_FILES} files`, path.origin.file);
    const found =
      path.tree.unknown !== undefined
        ? { reason: 'a variable decides its name' }
        : isRemote(named)
          ? { reason: 'it is on another machine' }
          : neighbours.read(whole);
    if ('text' in found) return { path: whole, text: found.text };
    if (!optional || found.reason !== MISSING) note(place, `${what} ${asWritten(path)}: ${found.reason}`, path);
    return undefined;
  }

  /** The .env file of a directory, if there is one. */
  function given(path: string, place: string): readonly ComposeText[] {
    const file = neighbours.read(path);
    if ('text' in file) return [{ path, text: file.text }];
    if (![MISSING, 'it is a directory', NOT_READ].includes(file.reason))
      unread.push({ place, text: `cannot tell: variables in ${path}: ${file.reason}`, file: path, line: 1 });
    return [];
  }

  function withIncludes(file: Place, chain: readonly string[]): Place {
    const include = file.tree.map?.get('include');
    if (include === undefined) return file;
    const map = new Map(file.tree.map);
    map.delete('include');
    let whole: Place = { ...file, tree: { map } };
    for (const entry of include.tree.list ?? []) {
      const included = includedBy(entry, chain);
      if (included?.tree.map !== undefined) whole = mergePlaces(included, whole, '', merges);
    }
    return whole;
  }

  function includedBy(entry: Place, chain: readonly string[]): Place | undefined {
    const paths = strings(entry.tree.map?.get('path') ?? entry);
    const texts = paths.flatMap((path) => readNamed(path, 'include', 'it includes') ?? []);
    const [main] = texts;
    if (main === undefined) return undefined;
    if (texts.some(({ path }) => chain.includes(absolute(path)))) {
      note('include', `${paths.map(asWritten).join(', ')} includes itself`, entry);
      return undefined;
    }
    loads += 1;
    if (loads > MAX_LOADS) throw composeError(`it includes files more than ${MAX_LOADS} times`, entry.origin.file);
    const within = entry.tree.map?.get('project_directory');
    if (within?.tree.unknown !== undefined)
      note('include', `project_directory is ${within.tree.unknown}: a variable decides its name`, within);
    const base =
      within === undefined ? posix.dirname(main.path) : joined(entry.origin.directory, String(within.tree.scalar));
    const envFile = entry.tree.map?.get('env_file');
    const envTexts =
      envFile === undefined
        ? given(joined(base, '.env'), 'include')
        : strings(envFile).flatMap((path) => readNamed(path, 'include', 'variables of') ?? []);
    return loadTexts(texts, base, variablesIn(envTexts, entry.origin.variables), chain);
  }

  function withExtends(file: Place, chain: readonly string[]): Place {
    const services = file.tree.map?.get('services');
    if (services?.tree.map === undefined) return file;
    const known = new Map<string, Place>();
    const all = services.tree.map;
    const resolved = [...all.keys()].map((name) => [name, extended(name, all, known, chain)] as const);
    const map = new Map(file.tree.map);
    map.set('services', { ...services, tree: { ...services.tree, map: new Map(resolved) } });
    return { ...file, tree: { ...file.tree, map } };
  }

  /** A service on top of the one that it extends. `known`: resolved services of this file; `chain`: of files and names, against circles. */
  function extended(
    name: string,
    services: ReadonlyMap<string, Place>,
    known: Map<string, Place>,
    chain: readonly string[],
  ): Place {
    const done = known.get(name);
    const own = services.get(name);
    if (done !== undefined) return done;
    if (own === undefined) throw new Error(`no service ${name}`);
    const by = own.tree.map?.get('extends');
    if (by === undefined) return own;
    const map = new Map(own.tree.map);
    map.delete('extends');
    const bare: Place = { ...own, tree: { ...own.tree, map } };
    const base = baseOf(name, by, services, known, chain);
    const whole = base === undefined ? bare : mergePlaces(base, bare, 'services.*', merges);
    known.set(name, whole);
    return whole;
  }

  function baseOf(
    name: string,
    by: Place,
    services: ReadonlyMap<string, Place>,
    known: Map<string, Place>,
    chain: readonly string[],
  ): Place | undefined {
    const place = `service ${name}`;
    const wanted = by.tree.map?.get('service') ?? by;
    const service = String(wanted.tree.scalar ?? '');
    const file = by.tree.map?.get('file');
    const here = JSON.stringify([file?.tree.scalar ?? by.origin.file, service]);
    merges.left -= 1 + chain.length;
    if (chain.includes(here) || chain.length > 100) {
      note(place, `it extends itself, by ${asWritten(wanted)}`, by);
      return undefined;
    }
    const next = [...chain, here];
    const from = file === undefined ? { services, known } : servicesIn(file, place);
    if (from === undefined) return undefined;
    if (from.services.has(service)) return extended(service, from.services, from.known, next);
    const where = file === undefined ? 'this file' : asWritten(file);
    note(place, `it extends ${asWritten(wanted)}, which is not in ${where}`, by);
    return undefined;
  }

  function servicesIn(file: Place, place: string): ExtendedFile | undefined {
    const found = readNamed(file, place, 'it extends a service of');
    if (found === undefined) return undefined;
    const { variables: outer } = file.origin;
    const trees = parsed(found.text, { file: found.path, directory: posix.dirname(found.path), variables: outer });
    const all = servicesOf.get(trees) ?? {
      services: new Map(trees.flatMap(({ tree }) => [...(tree.map?.get('services')?.tree.map ?? [])])),
      known: new Map(),
    };
    servicesOf.set(trees, all);
    return all;
  }

  /** A merged service with the variables of its env_file, and without doubles. */
  function completed(name: string, service: Place): Place {
    if (service.tree.map === undefined) return service;
    const map = new Map([...service.tree.map].filter(([, { tree }]) => tree.tag !== 'reset'));
    for (const key of UNIQUE) {
      const place = map.get(key);
      if (place?.tree.list === undefined) continue;
      map.set(key, { ...place, tree: { ...place.tree, list: withoutDoubles(place.tree.list, `services.*.${key}`) } });
    }
    const build = map.get('build');
    if (build !== undefined) map.set('build', { ...build, tree: canonical(build, 'services.*.build') });
    const environment = map.get('environment');
    if (!map.has('env_file') && !hasUnset(environment)) return { ...service, tree: { map } };
    const all = new Map<string, Place>();
    for (const entry of list(map.get('env_file'))) for (const one of envFileOf(name, entry)) all.set(...one);
    for (const [key, place] of environment === undefined ? [] : pairsOf(environment.tree)) {
      const value = place.tree.scalar === null ? place.origin.variables.get(key) : undefined;
      all.set(key, value === undefined ? place : { ...place, tree: { scalar: value, written: `\${${key}}` } });
    }
    if (all.size > 0) map.set('environment', { ...(environment ?? service), tree: { map: all } });
    return { ...service, tree: { map } };
  }

  function envFileOf(name: string, entry: Place): readonly (readonly [string, Place])[] {
    const path = entry.tree.map?.get('path') ?? entry;
    const optional = entry.tree.map?.get('required')?.tree.scalar === false;
    const file = readNamed(path, `service ${name}`, 'variables of', optional);
    if (file === undefined) return [];
    const origin = { ...entry.origin, file: file.path };
    return entriesOf(file, entry.origin.variables).map(({ name: key, value, line }: EnvEntry) => [
      key,
      // The value stands in another file, perhaps one that is not committed.
      { origin, line, tree: { scalar: value, written: `\${${key}}` } },
    ]);
  }
}

/** Services of a file that others extend. `known`: those that are resolved. */
type ExtendedFile = { readonly services: ReadonlyMap<string, Place>; readonly known: Map<string, Place> };

/** The text in the file: values of env files are not shown. */
function asWritten({ tree }: Place): string {
  return tree.unknown ?? tree.written ?? String(tree.scalar ?? '');
}

/** True for variables without a value: the .env file or the shell gives it. */
function hasUnset(environment: Place | undefined): boolean {
  return [...pairsOf(environment?.tree ?? {}).values()].some(({ tree }) => tree.scalar === null);
}

export function joined(directory: string, path: string): string {
  return posix.isAbsolute(path) ? path : posix.join(directory, path);
}

/** One value, or a list of them. */
function list(place: Place | undefined): readonly Place[] {
  return place === undefined ? [] : (place.tree.list ?? [place]);
}

function strings(place: Place): readonly Place[] {
  return list(place).filter(({ tree }) => typeof tree.scalar === 'string');
}
