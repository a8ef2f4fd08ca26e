/** History of a branch by the first files of its commits (Listing): commits with equal ones, such as empty commits, are grouped. */

import type { Alike, Listing, Past } from './engine.ts';
import { batchOf, type Git } from './git-command.ts';

/** Maximum bytes of a revision list: some 12,000 revisions. */
const LONGEST_RANGE = 1024 * 1024;
/** Larger files cannot be from docker-tls, and count as missing. */
const LARGEST_FILE = 16 * 1024 * 1024;
const MOST_AT_ONCE = 32 * 1024 * 1024;
/** All distinct files of a range together. */
const MOST_IN_ALL = 1024 * 1024 * 1024;

type Named = Alike & { readonly size: number };

export function gitPast(git: Git, listing: Listing): Past {
  async function commitsOf(range: readonly string[]): Promise<Alike['commits'] | undefined> {
    const { stdout } = await git(['rev-list', '--parents', ...range], { answers: [128], most: LONGEST_RANGE });
    if (stdout.length >= LONGEST_RANGE) return undefined;
    const lines = stdout.toString('latin1').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [revision = '', ...parents] = line.split(' ');
      return { revision, history: historyOf(parents) };
    });
  }

  return {
    async since(newer, older) {
      let commits = await commitsOf([newer, ...(older === '' ? [] : [`^${older}`])]);
      if (commits?.length === 0) commits = await commitsOf(['--max-count=1', newer]);
      if (commits === undefined) return undefined;
      const input = commits.flatMap(({ revision }) => listing.first.map((path) => `${revision}:${path}\n`)).join('');
      const { stdout } = await git(['cat-file', '--batch-check=%(objectsize) %(objectname)'], { input });
      const files = stdout.toString('latin1').split('\n');
      const alike = new Map<string, { names: string[]; size: number; commits: Alike['commits'][number][] }>();
      for (const [at, commit] of commits.entries()) {
        const first = files.slice(at * listing.first.length, (at + 1) * listing.first.length);
        const found = first.flatMap((line) => [/^(\d+) ([0-9a-f]+)$/.exec(line) ?? []]);
        const names = found.map(([, , name = '']) => name);
        if (names.includes('') || found.some(([, size]) => Number(size) > LARGEST_FILE)) continue;
        const known = alike.get(names.join());
        const size = found.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
        if (known === undefined) alike.set(names.join(), { names, size, commits: [commit] });
        else known.commits.push(commit);
      }
      const all: Named[] = [...alike.values()];
      return all.reduce((sum, { size }) => sum + size, 0) > MOST_IN_ALL ? undefined : all;
    },

    async *first(all) {
      const left = [...(all as readonly Named[])].reverse();
      while (left.length > 0) {
        const some: Named[] = [];
        for (let size = 0; left.length > 0 && size < MOST_AT_ONCE; size += some.at(-1)?.size ?? 0)
          some.push(left.pop() as Named);
        const { stdout } = await git(['cat-file', '--batch'], {
          input: some.flatMap(({ names }) => names.map((name) => `${name}\n`)).join(''),
        });
        const found = batchOf(stdout);
        for (const alike of some) {
          const files = listing.first.map((path) => [path, found.shift() as Uint8Array] as const);
          yield [alike, new Map(files)];
        }
      }
    },
  };
}

/** If a commit restores a lost revision, that revision is its first parent (git.ts). */
export function historyOf(parents: readonly string[]): Alike['commits'][number]['history'] {
  const [first = '', second, ...others] = parents;
  if (second === undefined) return { parent: first };
  return { parent: second, regained: [first, ...others].join(' ') };
}
