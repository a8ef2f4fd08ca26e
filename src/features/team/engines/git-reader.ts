/** Reader of a branch's snapshots and history in a local repository. Objects are untrusted, so every kind has a read limit. */

import type { Ancestor, Listing, Snapshot } from './engine.ts';
import { tooLong, tooMuch } from './engine-refusals.ts';
import { batchOf, type Git } from './git-command.ts';
import { historyOf } from './git-past.ts';

const LARGEST_FILE = 16 * 1024 * 1024;
/** Files of a log together. */
const MOST_FIRST = 64 * 1024 * 1024;
/** Bytes requested from git at once. */
const MOST_AT_ONCE = 32 * 1024 * 1024;
const PATH = /^[\w.@+-]+(?:\/[\w.@+-]+)*$/;
/** Maximum length of an `ls-tree` line without its path, and of revision lists. */
const LONGEST_LINE = 120;
const LONGEST_HISTORY = 64 * 1024 * 1024;

type Entry = { readonly path: string; readonly hash: string | undefined; readonly size: number };

export function gitReader(git: Git, url: string, listing: Listing) {
  const blobs = new Map<string, Uint8Array>();

  async function has(revision: string): Promise<boolean> {
    return (await git(['cat-file', '-e', `${revision}^{commit}`], { answers: [1, 128] })).status === 0;
  }

  /** The commit, and the files that list the others. Larger files cannot be from docker-tls, and count as missing. */
  async function beginning(revision: string) {
    const names = [revision, ...listing.first.map((path) => `${revision}:${path}`)];
    const [commit, ...files] = await objects(names, 2 * LARGEST_FILE);
    const found = listing.first.flatMap((path, at) => (files[at] === undefined ? [] : [[path, files[at]] as const]));
    return { history: historyOf(parentsOf(commit)), first: new Map(found) };
  }

  /** Their contents, without those that are missing or too large: git is not asked for these. Together at most `most` bytes, or E_STORE_TAMPERED. */
  async function objects(names: readonly string[], most: number): Promise<(Uint8Array | undefined)[]> {
    const input = names.map((name) => `${name}\n`).join('');
    const sizes = await git(['cat-file', '--batch-check=%(objectsize) %(objectname)'], { input });
    let left = most;
    const wanted = sizes.stdout
      .toString('latin1')
      .split('\n')
      .slice(0, names.length)
      .map((line) => {
        const [, size = '', hash] = /^(\d+) ([0-9a-f]+)$/.exec(line) ?? [];
        if (hash === undefined || Number(size) > LARGEST_FILE) return undefined;
        left -= Number(size);
        return hash;
      });
    if (left < 0) throw tooLong(url);
    const distinct = [...new Set(wanted.flatMap((hash) => hash ?? []))];
    if (distinct.length === 0) return wanted.map(() => undefined);
    const { stdout } = await git(['cat-file', '--batch'], { input: distinct.map((hash) => `${hash}\n`).join('') });
    const found = new Map(batchOf(stdout).map((bytes, at) => [distinct[at], bytes]));
    return wanted.map((hash) => found.get(hash));
  }

  /** Entries at a revision; reads no more output than a listing of `paths` needs. */
  async function entriesOf(revision: string, paths: ReadonlySet<string>): Promise<Entry[]> {
    const most = [...paths].reduce((sum, path) => sum + Buffer.byteLength(path) + LONGEST_LINE, 64 * LONGEST_LINE);
    const { stdout } = await git(['ls-tree', '-r', '-z', '-l', '--full-tree', revision], { most });
    const lines = stdout.toString('utf8').split('\0').slice(0, -1);
    return lines.map((line) => {
      const [about = '', path = ''] = line.split('\t');
      const [mode, type, hash = '', size] = about.split(/ +/);
      // A link, a submodule, or a huge file is not content of docker-tls: it must not count as an empty file.
      const ours = mode === '100644' && type === 'blob' && PATH.test(path) && Number(size) <= LARGEST_FILE;
      return { path, hash: ours ? hash : undefined, size: ours ? Number(size) : 0 };
    });
  }

  /** Contents up to the first that is not genuine. Keeps only genuine ones: the number of others is unlimited. */
  async function load(entries: readonly Entry[], genuine: (path: string, bytes: Uint8Array) => boolean) {
    const files = new Map<string, Uint8Array>();
    for (let at = 0; at < entries.length; ) {
      const some: Entry[] = [];
      for (let size = 0; at < entries.length && size < MOST_AT_ONCE; at++) {
        const entry = entries[at] as Entry;
        if (!blobs.has(entry.hash ?? '')) size += entry.size;
        some.push(entry);
      }
      const wanted = [...new Set(some.flatMap(({ hash }) => hash ?? []))].filter((hash) => !blobs.has(hash));
      const found = new Map<string, Uint8Array>();
      if (wanted.length > 0) {
        const { stdout } = await git(['cat-file', '--batch'], { input: `${wanted.join('\n')}\n` });
        for (const [index, bytes] of batchOf(stdout).entries())
          if (bytes !== undefined) found.set(wanted[index] as string, bytes);
      }
      for (const { path, hash = '' } of some) files.set(path, blobs.get(hash) ?? found.get(hash) ?? new Uint8Array());
      if (some.some(({ path }) => !genuine(path, files.get(path) as Uint8Array))) break;
      for (const [hash, bytes] of found) blobs.set(hash, bytes);
    }
    return files;
  }

  return {
    has,

    async snapshot(revision: string): Promise<Snapshot> {
      if (revision === '') return { revision, files: new Map(), history: { parent: '' } };
      const { history, first } = await beginning(revision);
      const { paths, genuine } = listing.of(first);
      if (paths.size > listing.most.files) throw tooMuch(url, listing.most);
      const all = new Set([...listing.first, ...paths]);
      const entries = await entriesOf(revision, all);
      const listed = entries.filter(({ path }) => all.has(path));
      if (listed.reduce((sum, { size }) => sum + size, 0) > listing.most.bytes) throw tooMuch(url, listing.most);
      const extra = entries.find(({ path }) => !all.has(path));
      if (extra !== undefined) return { revision, history, files: new Map([...first, [extra.path, new Uint8Array()]]) };
      const ours = listed.filter(({ path }) => paths.has(path));
      return { revision, history, files: new Map([...first, ...(await load(ours, genuine))]) };
    },

    /** The first of the first files at each of the revisions. Fails beyond the limit: a commit must not pass for an unsigned one. */
    firstFiles: (revisions: readonly string[]) =>
      objects(
        revisions.map((revision) => `${revision}:${listing.first[0]}`),
        MOST_FIRST,
      ),

    async *ancestry(newest: string, seen: string): AsyncGenerator<Ancestor> {
      const since = seen !== '' && (await has(seen)) ? [`^${seen}`] : [];
      const range = ['rev-list', '--topo-order', '--reverse', '--parents', newest, ...since];
      const listed = await git(range, { most: LONGEST_HISTORY });
      if (listed.stdout.length >= LONGEST_HISTORY) throw tooLong(url);
      const commits = listed.stdout
        .toString('latin1')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' '));
      const input = commits.map(([revision]) => `${revision}:${listing.first[0]}\n`).join('');
      const sizes = await git(['cat-file', '--batch-check=%(objectsize) %(objectname)'], { input });
      const found = sizes.stdout
        .toString('latin1')
        .split('\n')
        .map((line) => /^(\d+) ([0-9a-f]+)$/.exec(line))
        .map((match) =>
          Number(match?.[1]) <= LARGEST_FILE ? { name: match?.[2], size: Number(match?.[1]) } : undefined,
        );
      for (let at = 0; at < commits.length; ) {
        const from = at;
        for (let size = 0; at < commits.length && size < MOST_AT_ONCE; at++) size += found[at]?.size ?? 0;
        const names = [...new Set(found.slice(from, at).flatMap((one) => one?.name ?? []))];
        const { stdout } = await git(['cat-file', '--batch'], { input: names.map((name) => `${name}\n`).join('') });
        const contents = new Map(batchOf(stdout).map((bytes, index) => [names[index], bytes]));
        for (const [index, [revision = '', ...parents]] of commits.slice(from, at).entries())
          yield { revision, history: historyOf(parents), signed: contents.get(found[from + index]?.name) };
      }
    },

    async contains(newer: string, older: string): Promise<boolean> {
      if (newer === older) return true;
      if (!(await has(older))) return false;
      const chain = ['rev-list', '--first-parent', '--parents', newer, `^${older}`];
      const { stdout } = await git(chain, { answers: [128], most: LONGEST_HISTORY });
      return stdout
        .toString('latin1')
        .split('\n')
        .some((line) => line.split(' ').includes(older));
    },
  };
}

function parentsOf(commit: Uint8Array | undefined): string[] {
  const [head = ''] = Buffer.from(commit ?? [])
    .toString('latin1')
    .split('\n\n');
  return [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].map((match) => match[1] as string);
}
