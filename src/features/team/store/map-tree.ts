/** In-memory contents as the directory tree of a store: the same checks of file contents, without owners and modes. */

import { storeProblems } from '../../../core/adapters/store/problems.ts';
import { type DirectoryFiles, filesBy, type Tree } from '../../../core/adapters/store/tree.ts';
import { nameProblem } from '../../../core/domain/names.ts';
import type { Contents } from './contents.ts';

/** A tree of contents; `where` is the store's name in errors. */
export function mapTree(contents: Contents, where: string): Tree {
  const directories = new Set<string>();
  for (const path of contents.keys()) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) directories.add(path.slice(0, end));
  }
  const damages: string[] = [];
  const damage = (path: string, what: string) => damages.push(`${path} ${what}`);

  function files(directory: string): DirectoryFiles {
    return filesBy((name, _, need, parse) => {
      const path = name === '' ? directory : `${directory}/${name}`;
      const bytes = path === 'store.json' ? '{"schema":1}' : contents.get(path)?.bytes;
      if (bytes === undefined) {
        if (need) damage(path, 'is missing');
        return undefined;
      }
      const parsed = parse(typeof bytes === 'string' ? bytes : bytes.revealText());
      if (parsed.ok) return parsed.value;
      damage(path, parsed.problem);
      return undefined;
    });
  }

  return {
    problems: {
      check() {},
      unreachable() {},
      damage,
      refuse() {
        if (damages.length === 0) return;
        throw storeProblems('E_STORE_DAMAGED', where, damages, 'damaged', ['docker-tls store check']);
      },
    },
    locate(path) {
      return path === 'store.json' || contents.has(path) || directories.has(path) ? path : undefined;
    },
    checkDirectory() {},
    checkDirectoryAt() {},
    list: (collection) => namesIn(contents, collection),
    files,
    aside: () => [],
  };
}

/** Names in a collection (`hosts`), in order. */
export function namesIn(contents: Contents, collection: string): string[] {
  const names = new Set<string>();
  for (const path of contents.keys()) {
    const name = path.startsWith(`${collection}/`) ? (path.slice(collection.length + 1).split('/')[0] ?? '') : '';
    if (nameProblem(name) === undefined) names.add(name);
  }
  return [...names].sort();
}
