/** Parser of the texts of a Compose project: each once for the variables that it sees, and all of limited size. */

import type { Merges } from './compose-merge.ts';
import { composeError, MAX_ITEMS, type Origin, type Place, parseTrees } from './compose-tree.ts';
import { type EnvEntry, parseEnvFile, type Variables } from './compose-variables.ts';

/** All texts that are parsed: the same file is parsed again for other variables. */
const MAX_PARSED = 4_194_304;
type EnvText = { readonly path: string; readonly text: string };

/** `main`: the file that errors name. */
export function textParser(main: string, merges: Merges) {
  let parsedChars = 0;
  const documents = new WeakMap<Variables, Map<string, readonly Place[]>>();
  const envFiles = new WeakMap<Variables, Map<string, readonly EnvEntry[]>>();
  const inner = new WeakMap<Variables, Map<string, Variables>>();
  return { parsed, entriesOf, variablesIn };

  function parsed(text: string, origin: Origin): readonly Place[] {
    const [mine, key] = [cacheIn(documents, origin.variables), JSON.stringify([origin.file, origin.directory])];
    const known = mine.get(key);
    if (known !== undefined) return known;
    parsedChars += text.length;
    if (parsedChars > MAX_PARSED) throw composeError('with its includes it is too large', main);
    const trees = parseTrees(text, origin);
    mine.set(key, trees);
    return trees;
  }

  /** Each is parsed once. `outer`: variables that win over it. */
  function entriesOf({ path, text }: EnvText, outer: Variables): readonly EnvEntry[] {
    const mine = cacheIn(envFiles, outer);
    const entries = mine.get(path) ?? parseEnvFile(text, outer, MAX_ITEMS + 1);
    mine.set(path, entries);
    if (entries.length > MAX_ITEMS) throw composeError(`it has more than ${MAX_ITEMS} variables`, path);
    merges.left -= entries.length;
    if (merges.left < 0) throw composeError('variables of env files make this project too large', path);
    return entries;
  }

  function variablesIn(envTexts: readonly EnvText[], outer: Variables): Variables {
    if (envTexts.length === 0) return outer;
    const [mine, key] = [cacheIn(inner, outer), JSON.stringify(envTexts.map(({ path }) => path))];
    const known = mine.get(key);
    if (known !== undefined) return known;
    const found = new Map<string, string>();
    for (const file of envTexts) for (const { name, value } of entriesOf(file, outer)) found.set(name, value);
    const all = new Map([...found, ...outer]);
    mine.set(key, all);
    return all;
  }
}

function cacheIn<T>(caches: WeakMap<Variables, Map<string, T>>, variables: Variables): Map<string, T> {
  const cache = caches.get(variables) ?? new Map<string, T>();
  caches.set(variables, cache);
  return cache;
}
