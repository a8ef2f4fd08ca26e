/**
 * Cache of the last accepted snapshot on this machine, sealed as received, for engines without their own cache. Used offline and by
 * `store restore`.
 */

import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { makeDirectories } from '../../../core/adapters/store/store-files.ts';
import { readNamedFileSync } from '../../../core/named-file.ts';
import { errnoOf } from '../../../errors/errors.ts';
import type { Snapshot } from './engine.ts';
import { entrySchema, type HistoryEntry } from './etcd-history.ts';

const schema = z.object({
  revision: z.string(),
  history: z.object({ parent: z.string(), regained: z.optional(z.string()) }),
  /** Name of the content file by path. */
  files: z.record(z.string(), z.string()),
  /** Last entries of the history, newest last. */
  recent: z.array(entrySchema),
});

/** Keep files that another run on this machine has just written. */
const OLD_MS = 3_600_000;

export function snapshotCache(directory: string) {
  const names = new WeakMap<Uint8Array, string>();
  const written = new Set<string>();
  const snapshotFile = join(directory, 'snapshot.json');
  const reachedFile = join(directory, 'reached');

  function nameOf(bytes: Uint8Array): string {
    const known = names.get(bytes) ?? createHash('sha256').update(bytes).digest('hex');
    names.set(bytes, known);
    return known;
  }

  function replace(file: string, bytes: Uint8Array | string): void {
    const draft = `${file}.${randomUUID()}`;
    try {
      writeFileSync(draft, bytes, { mode: 0o600, flag: 'wx' });
      renameSync(draft, file);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  return {
    /** Contents first: a killed run leaves the previous snapshot. */
    keep({ revision, history, files }: Snapshot, recent: readonly HistoryEntry[]): void {
      if (readIndex(snapshotFile)?.revision === revision) return;
      makeDirectories(join(directory, 'files'));
      if (written.size === 0) {
        const needed = new Set(Object.values(readIndex(snapshotFile)?.files ?? {}));
        sweep(join(directory, 'files'), needed, written);
      }
      const entries = [...files].map(([path, bytes]) => [path, nameOf(bytes), bytes] as const);
      for (const [, name, bytes] of entries) {
        if (!written.has(name)) replace(join(directory, 'files', name), bytes);
        written.add(name);
      }
      const listed = Object.fromEntries(entries.map(([path, name]) => [path, name]));
      replace(snapshotFile, JSON.stringify({ revision, history, files: listed, recent }));
    },

    /** Undefined if missing or incomplete. */
    read(): Snapshot | undefined {
      const index = readIndex(snapshotFile);
      if (index === undefined) return undefined;
      const { revision, history, files } = index;
      try {
        const entries = Object.entries(files).map(([path, name]) => {
          if (!/^[0-9a-f]{64}$/.test(name)) throw new Error(`not a name of ours: ${name}`);
          return [path, new Uint8Array(readNamedFileSync(join(directory, 'files', name)))] as const;
        });
        return { revision, history, files: new Map(entries) };
      } catch {
        return undefined;
      }
    },

    recent: () => readIndex(snapshotFile)?.recent ?? [],

    /** Records the time of a contact with the server. */
    reached(): void {
      makeDirectories(directory);
      writeFileSync(reachedFile, '', { mode: 0o600 });
      utimesSync(reachedFile, new Date(), new Date());
    },

    reachedAt(): Date {
      return statSync(reachedFile, { throwIfNoEntry: false })?.mtime ?? new Date(0);
    },
  };
}

function readIndex(file: string): z.output<typeof schema> | undefined {
  try {
    return z.parse(schema, JSON.parse(readNamedFileSync(file).toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Deletes files that no snapshot needs, and adds the remaining names to `there`. */
function sweep(directory: string, needed: ReadonlySet<string>, there: Set<string>): void {
  for (const name of readdirSync(directory)) {
    try {
      const old = Date.now() - statSync(join(directory, name)).mtimeMs > OLD_MS;
      if (old && !needed.has(name)) rmSync(join(directory, name));
      else if (/^[0-9a-f]{64}$/.test(name)) there.add(name);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
