/**
 * etcd engine. A commit is one transaction on condition of an unchanged head, so it is atomic and loses nothing; a snapshot is read at one
 * etcd revision. Keys: PREFIX/head, PREFIX/log/NUMBER, PREFIX/g/GENERATION/PATH.
 */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { EtcdAddress } from '../store/etcd-address.ts';
import type { Ancestor, Commit, Listing, Snapshot, StoreEngine } from './engine.ts';
import { changed, tooLong } from './engine-refusals.ts';
import { etcdClient } from './etcd-client.ts';
import { readEtcdCredentials } from './etcd-credentials.ts';
import { EtcdFailure, etcdRefusal, tooLarge, unknownFate, withoutHistory } from './etcd-failure.ts';
import {
  fits,
  generationKeys,
  makeGeneration,
  putOperation,
  removeOperation,
  sweepGenerations,
  there,
  unchanged,
} from './etcd-generation.ts';
import {
  entryName,
  type Head,
  type HistoryEntry,
  holds,
  logEntryOf,
  newEntry,
  numberOf,
  readHead,
} from './etcd-history.ts';
import { etcdReader, newGeneration, type Place, recentOf } from './etcd-reader.ts';
import { snapshotCache } from './snapshot-cache.ts';

export type EtcdOptions = {
  readonly address: EtcdAddress;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Cache directory. */
  readonly cache: string;
  readonly listing: Listing;
  readonly signal?: AbortSignal | undefined;
  /** Longest history that is read; default: 500,000 commits. */
  readonly mostCommits?: number;
  now(): Date;
};

const LARGEST_VALUE = 1_500_000;
const ATTEMPTS = 4;
/** Kept at once: whoever can write makes entries as large as values can be. */
const ENTRIES_AT_ONCE = 32;
const MOST_COMMITS = 500_000;

export function etcdEngine({
  address,
  env,
  cache: directory,
  listing,
  signal,
  mostCommits = MOST_COMMITS,
  now,
}: EtcdOptions): StoreEngine {
  /** A run that has begun to store completes: it determines the result, reverts if necessary, and reports. */
  let begun = false;
  const stopReading = () => (begun ? undefined : signal);
  const client = etcdClient(address, () => readEtcdCredentials(address, env), stopReading);
  const cache = snapshotCache(directory);
  const keys = generationKeys(address.prefix);
  const { current, readHeadAnd, entriesFrom, remember, placeOf } = etcdReader(client, keys, {
    address,
    listing,
    reached: () => cache.reached(),
  });

  async function read(): Promise<Snapshot> {
    try {
      return (await current()).snapshot;
    } catch (cause) {
      stopReading()?.throwIfAborted();
      if (!(cause instanceof DockerTlsError) || cause.code !== 'E_STORE_UNREACHABLE') throw cause;
      const last = cache.read();
      if (last === undefined) throw cause;
      return { ...last, offline: { fetchedAt: cache.reachedAt(), cause } };
    }
  }

  /** State of a commit: in etcd's present history, still possible on an unchanged head, or overtaken. */
  async function fateOf(entry: HistoryEntry, expected: Place): Promise<'stored' | 'open' | 'overtaken'> {
    const { head, entries } = await readHeadAnd(numberOf(entry.parent));
    if (entries[0]?.revision === entry.revision) return 'stored';
    return (head?.modRevision ?? '0') === expected.modRevision ? 'open' : 'overtaken';
  }

  /**
   * The log decides, whatever the transaction reported: it contains our commit, another one, or neither. In the last case the commit is
   * sent again; that is safe, because the head decides between two pending ones. Even a refusal is inconclusive after a lost answer.
   */
  async function settle(
    expected: Place,
    entry: HistoryEntry,
    compare: readonly object[],
    success: Parameters<typeof client.txn>[1],
  ) {
    let unsure = false;
    for (let attempt = 1; ; attempt++) {
      let failure: EtcdFailure | undefined;
      try {
        const { succeeded, revision } = await client.txn(compare, success);
        if (succeeded) return revision;
      } catch (error) {
        if (!(error instanceof EtcdFailure)) throw error;
        unsure ||= error.unsure;
        if (!unsure) throw etcdRefusal(address, error);
        failure = error;
      }
      const fate = await fateOf(entry, expected).catch((error: unknown) => {
        if (failure !== undefined) throw unknownFate(address, failure);
        throw etcdRefusal(address, error);
      });
      if (fate === 'stored') return undefined;
      // Refused with the same head: its generation's marker expired. Start again as after another commit.
      if (fate === 'overtaken' || failure === undefined) throw changed(address.url);
      if (attempt >= ATTEMPTS || !failure.othersMayAnswer) throw unknownFate(address, failure);
    }
  }

  function requireFits(path: string, bytes: number): void {
    if (bytes > LARGEST_VALUE) throw tooLarge(address, path, bytes);
  }

  async function commit(expected: Place, given: Commit): Promise<Place> {
    const { put, remove, regained: lost } = given;
    const { snapshot, modRevision } = expected;
    const files = new Map(lost === undefined ? snapshot.files : []);
    for (const path of remove) files.delete(path);
    for (const [path, bytes] of put) files.set(path, bytes);
    for (const [path, { length }] of put) requireFits(path, length);
    const paths = [...put.keys(), ...remove];
    const signed = put.get(listing.first[0] ?? '') ?? new Uint8Array();
    const entryOf = (some?: readonly string[]) =>
      newEntry(snapshot.revision, given, { at: now(), signed, paths: some });
    const bytes = [...put.values()].reduce(
      (sum, { length }) => sum + length,
      2 * JSON.stringify(entryOf(paths)).length,
    );
    // A restored revision shares no directory with the replaced ones.
    const small = lost === undefined && fits(bytes, paths.length + 3);
    const generation = small ? expected.generation : newGeneration();
    const entry = entryOf(small ? paths : undefined);
    const { revision, parent, regained } = entry;
    const history = { parent, regained };
    const head: Head = { schema: 1, revision, ...history, generation };
    const about = [
      putOperation(keys.log + entryName(numberOf(revision)), JSON.stringify(entry)),
      putOperation(keys.head, JSON.stringify(head)),
    ];
    const guard = [unchanged(keys.head, modRevision)];
    const prefix = `${keys.generations}${generation}/`;
    let at: string | undefined;
    if (small) {
      const changes = [
        ...[...put].map(([path, value]) => putOperation(prefix + path, value)),
        ...remove.map((path) => removeOperation(prefix + path)),
      ];
      at = await settle(expected, entry, guard, [...changes, ...about]);
    } else {
      if (!(await makeGeneration(client, keys, generation, files))) throw changed(address.url);
      const marker = keys.making + generation;
      at = await settle(expected, entry, [...guard, there(marker)], [...about, removeOperation(marker)]);
    }
    const recent = recentOf(expected.recent, [entry]);
    const place = await placeMade(at, { generation, snapshot: { revision, files, history }, recent });
    // The next large commit retries the deletion.
    if (!small) await sweepGenerations(client, keys, place).catch(() => undefined);
    return place;
  }

  /** After a lost answer, reads the head's etcd revision; if other commits followed, the next commit starts again. */
  async function placeMade(at: string | undefined, made: Omit<Place, 'at' | 'modRevision'>): Promise<Place> {
    if (at !== undefined) return remember({ ...made, at, modRevision: at });
    const { head, at: asked } = await readHeadAnd(numberOf(made.snapshot.revision));
    const ours = head !== undefined && readHead(head.value)?.revision === made.snapshot.revision;
    return remember({ ...made, at: asked, modRevision: ours ? head.modRevision : '-1' });
  }

  /** The numbers of a line have no gap, so a restored revision is on the line of its replaced ones, or is lost. */
  async function ancestry(newest: string, seen: string): Promise<Ancestor[]> {
    // Without the server, only this cache has entries.
    const offline = placeOf(newest) === undefined && cache.read()?.revision === newest;
    const entries = new Map(offline ? cache.recent().map((one) => [numberOf(one.revision), one]) : []);
    let fetched = offline ? 0 : numberOf(newest) + 1;
    const found: Ancestor[] = [];
    for (let next = newest; next !== seen && numberOf(next) > 0; ) {
      const number = numberOf(next);
      if (number < fetched) {
        // What was seen is mostly near, and is rarely on another line.
        const near = numberOf(seen) + 1;
        const from = number >= near ? Math.max(near, number - ENTRIES_AT_ONCE) : Math.max(1, number - ENTRIES_AT_ONCE);
        for (const [at, entry] of await entriesFrom(from, number)) entries.set(at, entry);
        fetched = from;
      }
      const entry = entries.get(number);
      entries.delete(number);
      if (entry?.revision !== next) break;
      const { revision, parent, regained, signed } = entry;
      if (found.push({ revision, history: { parent, regained }, signed: Buffer.from(signed) }) > mostCommits)
        throw tooLong(address.url);
      next = parent;
    }
    return found.reverse();
  }

  async function translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw etcdRefusal(address, error);
    }
  }

  return {
    url: address.url,
    read,
    requireFits,
    keep: (snapshot) => cache.keep(snapshot, placeOf(snapshot.revision)?.recent ?? []),

    async at(revision) {
      const known = placeOf(revision)?.snapshot ?? cache.read();
      return known?.revision === revision ? known : undefined;
    },

    commit: (expected, change) =>
      translated(async () => {
        const place = placeOf(expected.revision);
        // The read is too old to commit on.
        if (place === undefined) throw changed(address.url);
        begun = true;
        return (await commit(place, change)).snapshot;
      }),

    /** A transaction whose condition never holds: etcd checks permissions and free space. */
    requireWritable: () =>
      translated(async () => {
        const never = [there(keys.head), unchanged(keys.head, '0')];
        await client.txn(never, [putOperation(keys.head, ''), putOperation(`${keys.generations}x/x`, '')]);
      }),

    log: (revision, limit, alone = false) =>
      translated(async () => {
        // Without the server, only this cache has entries.
        const ours = placeOf(revision) !== undefined;
        const offline = !ours && cache.read()?.revision === revision;
        const entries = new Map(offline ? cache.recent().map((one) => [numberOf(one.revision), one]) : []);
        let fetched = offline ? 0 : numberOf(revision) + 1;
        const found: HistoryEntry[] = [];
        let next = revision;
        for (let number = numberOf(revision); number > 0 && found.length < limit; ) {
          if (number < fetched) {
            const from = Math.max(1, number - limit + found.length + 1);
            for (const [at, entry] of await entriesFrom(from, number)) entries.set(at, entry);
            fetched = from;
          }
          const entry = entries.get(number);
          // A deleted history would look like a store without changes.
          if (ours && found.length === 0 && entry?.revision !== revision) throw withoutHistory(address);
          if (alone && entry?.revision !== next) break;
          if (entry !== undefined) found.push(entry);
          next = entry?.regained ?? entry?.parent ?? '';
          number = alone ? numberOf(next) : number - 1;
        }
        return found.map(logEntryOf);
      }),

    async *ancestry(newest, seen) {
      yield* await translated(() => ancestry(newest, seen));
    },

    contains: (newer, older) =>
      translated(async () => {
        if (newer === older) return true;
        const place = placeOf(newer)?.snapshot;
        const known = place ?? cache.read();
        if (known?.revision !== newer) return undefined;
        const there = await entriesFrom(Math.max(1, numberOf(older)), numberOf(newer));
        // If the server has an older state, only this cache has the later entries.
        const kept = place === undefined ? cache.recent().map((one) => [numberOf(one.revision), one] as const) : [];
        return holds(known.history, older, new Map([...there, ...kept]));
      }),

    changed: (snapshot, until) =>
      translated(() => client.watch(keys.head, placeOf(snapshot.revision)?.at ?? '0', until)),
  };
}
