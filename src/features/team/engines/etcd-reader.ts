/** Reader of a store in etcd: the newest snapshot at one revision, of which only changed files are fetched, and its history entries. */

import { randomBytes } from 'node:crypto';
import type { EtcdAddress } from '../store/etcd-address.ts';
import type { Listing, Snapshot } from './engine.ts';
import { tooMuch } from './engine-refusals.ts';
import { type EtcdClient, endOf, type KeyValue, rangeRequest } from './etcd-client.ts';
import { AnswerTooLarge, EtcdFailure, etcdRefusal } from './etcd-failure.ts';
import type { GenerationKeys } from './etcd-generation.ts';
import { entryName, type Head, type HistoryEntry, numberOf, readEntry, readHead } from './etcd-history.ts';

/** A snapshot in etcd: `at` is the etcd revision of the read, `modRevision` that of the head ('0': none). */
export type Place = {
  readonly at: string;
  readonly modRevision: string;
  readonly generation: string;
  readonly snapshot: Snapshot;
  /** Last entries of its history, newest last. */
  readonly recent: readonly HistoryEntry[];
};

/** One answer can contain a page of the largest values. */
const PAGE = 64;
const KEYS_PAGE = 1000;
/** History entries kept for offline use. */
const MOST_RECENT = 50;
/** Up to this number, changed files are read one by one; otherwise all. */
const MOST_CHANGED = 90;
const ATTEMPTS = 4;
const EMPTY: Snapshot = { revision: '', files: new Map(), history: { parent: '' } };

export type ReaderOptions = {
  readonly address: EtcdAddress;
  readonly listing: Listing;
  /** Called after each answer of the server. */
  reached(): void;
};

export function etcdReader(client: EtcdClient, keys: GenerationKeys, { address, listing, reached }: ReaderOptions) {
  const places = new Map<string, Place>();
  let latest: Place | undefined;

  function remember(place: Place): Place {
    latest = place;
    places.delete(place.snapshot.revision);
    places.set(place.snapshot.revision, place);
    // A run commits on top of its last read, or of a slightly earlier one.
    if (places.size > 8) places.delete(places.keys().next().value as string);
    return place;
  }

  /** The head, and the entries after `number` (default: the last entries), at one revision. */
  async function readHeadAnd(number?: number) {
    try {
      return await headAnd(number, number === undefined ? MOST_RECENT : MOST_CHANGED);
    } catch (error) {
      if (!(error instanceof AnswerTooLarge)) throw error;
      // Entries of docker-tls are small; the first one after the number, or the last one, shows whether a commit is stored.
      return headAnd(number, 1);
    }
  }

  async function headAnd(number: number | undefined, limit: number) {
    const log = rangeRequest(keys.log + entryName((number ?? 0) + 1), endOf(keys.log));
    const some = number === undefined ? { limit, sort_order: 'DESCEND', sort_target: 'KEY' } : { limit };
    const requests = [{ request_range: rangeRequest(keys.head) }, { request_range: { ...log, ...some } }];
    const { ranges, revision } = await client.txn([], requests);
    const [head] = ranges[0]?.kvs ?? [];
    const entries = (ranges[1]?.kvs ?? []).map(({ value }) => readEntry(value));
    return { head, at: revision, entries: number === undefined ? entries.reverse() : entries };
  }

  async function newest(): Promise<Place> {
    const before = latest;
    const revisionBefore = before?.snapshot.revision;
    const { head, at, entries } = await readHeadAnd(
      revisionBefore === undefined ? undefined : numberOf(revisionBefore),
    );
    reached();
    const nothing = { at, generation: newGeneration(), recent: [] };
    if (head === undefined) return remember({ ...nothing, modRevision: '0', snapshot: EMPTY });
    if (before !== undefined && before.modRevision === head.modRevision) return remember({ ...before, at });
    const found = readHead(head.value);
    // Foreign content: the missing manifest reports it.
    if (found === undefined) return remember({ ...nothing, modRevision: head.modRevision, snapshot: bogus() });
    const paths =
      before?.generation === found.generation ? pathsSince(before.snapshot.revision, found, entries) : undefined;
    const files =
      before === undefined || paths === undefined
        ? await readAll(found.generation, at)
        : await readSome(before, paths, at);
    const { revision, parent, regained, generation } = found;
    const history = { parent, regained };
    const recent = recentOf(before?.recent ?? [], entries);
    return remember({ at, modRevision: head.modRevision, generation, snapshot: { revision, files, history }, recent });
  }

  async function readAll(generation: string, at: string): Promise<Map<string, Uint8Array>> {
    const prefix = `${keys.generations}${generation}/`;
    const files = await readEach(prefix, listing.first, at);
    const { paths, genuine } = listing.of(files);
    const { most } = listing;
    if (paths.size > most.files) throw tooMuch(address.url, most);
    const all = new Set([...listing.first, ...paths]);
    const extra = await unlisted(prefix, all, at);
    if (extra !== undefined) return files.set(extra, new Uint8Array());
    let size = 0;
    for await (const { key, value } of pages(prefix, { revision: at, limit: PAGE })) {
      const path = key.slice(prefix.length);
      if (!paths.has(path)) continue;
      size += value.length;
      if (size > most.bytes) throw tooMuch(address.url, most);
      files.set(path, value);
      if (!genuine(path, value)) break;
    }
    return files;
  }

  /** The first existing path that is not listed. */
  async function unlisted(prefix: string, listed: ReadonlySet<string>, at: string): Promise<string | undefined> {
    for await (const { key } of pages(prefix, { revision: at, limit: KEYS_PAGE, keys_only: true }))
      if (!listed.has(key.slice(prefix.length))) return key.slice(prefix.length);
    return undefined;
  }

  async function* pages(prefix: string, options: Readonly<Record<string, unknown>>): AsyncGenerator<KeyValue> {
    for (let from = prefix; ; ) {
      const { kvs, more } = await rangeWithin(from, endOf(prefix), options);
      yield* kvs;
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      from = `${last.key}\0`;
    }
  }

  /** Fewer keys than the limit of the options if their values are large. */
  async function rangeWithin(from: string, to: string, options: Readonly<Record<string, unknown>>) {
    for (let limit = Number(options.limit); ; limit = Math.ceil(limit / 8)) {
      try {
        return await client.range(from, to, { ...options, limit });
      } catch (error) {
        if (!(error instanceof AnswerTooLarge) || limit === 1) throw error;
      }
    }
  }

  async function readSome(before: Place, paths: readonly string[], at: string): Promise<Map<string, Uint8Array>> {
    const files = new Map(before.snapshot.files);
    for (const path of paths) files.delete(path);
    const found = await readEach(`${keys.generations}${before.generation}/`, paths, at);
    for (const [path, value] of found) files.set(path, value);
    return files;
  }

  async function readEach(prefix: string, paths: readonly string[], at: string): Promise<Map<string, Uint8Array>> {
    const requests = paths.map((path) => ({ request_range: { ...rangeRequest(prefix + path), revision: at } }));
    const { ranges } = await client.txn([], requests).catch((error: unknown) => {
      if (!(error instanceof AnswerTooLarge) || paths.length === 1) throw error;
      return { ranges: undefined };
    });
    if (ranges === undefined) {
      const half = Math.ceil(paths.length / 2);
      const some = await readEach(prefix, paths.slice(0, half), at);
      return new Map([...some, ...(await readEach(prefix, paths.slice(half), at))]);
    }
    return new Map(
      ranges.flatMap(({ kvs }) => kvs.map(({ key, value }) => [key.slice(prefix.length), value] as const)),
    );
  }

  /** The newest place. Rereads content that was deleted during the read. */
  async function current(): Promise<Place> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await newest();
      } catch (error) {
        if (error instanceof EtcdFailure && error.problem === 'compacted' && attempt < ATTEMPTS) continue;
        throw etcdRefusal(address, error);
      }
    }
  }

  async function entriesFrom(first: number, last: number): Promise<Map<number, HistoryEntry>> {
    const entries = new Map<number, HistoryEntry>();
    for (let from = first; from <= last; ) {
      const { kvs, more } = await rangeWithin(keys.log + entryName(from), keys.log + entryName(last + 1), {
        limit: PAGE,
      });
      for (const { value } of kvs) {
        const entry = readEntry(value);
        if (entry !== undefined) entries.set(numberOf(entry.revision), entry);
      }
      if (!more) break;
      from = Number(kvs.at(-1)?.key.slice(keys.log.length)) + 1;
    }
    return entries;
  }

  return { current, readHeadAnd, entriesFrom, remember, placeOf: (revision: string) => places.get(revision) };
}

export function recentOf(
  before: readonly HistoryEntry[],
  entries: readonly (HistoryEntry | undefined)[],
): readonly HistoryEntry[] {
  return [...before, ...entries.filter((one) => one !== undefined)].slice(-MOST_RECENT);
}

export function newGeneration(): string {
  return randomBytes(8).toString('hex');
}

/** A snapshot with a foreign head. */
function bogus(): Snapshot {
  return { revision: '0-', files: new Map([['head', new Uint8Array()]]), history: { parent: '' } };
}

/** Files changed since a revision; undefined if the entries do not show them, or for too many. */
function pathsSince(
  revision: string,
  head: Head,
  entries: readonly (HistoryEntry | undefined)[],
): string[] | undefined {
  const paths = new Set<string>();
  let at = revision;
  for (const entry of entries) {
    if (entry?.paths === undefined || entry.parent !== at) return undefined;
    for (const path of entry.paths) paths.add(path);
    at = entry.revision;
  }
  return at === head.revision && paths.size <= MOST_CHANGED ? [...paths] : undefined;
}
