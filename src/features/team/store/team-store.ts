/**
 * Interface of a shared store to the rest of the program. There are no locks: a change is committed on top of the run's last read, and
 * after another commit the run's step starts again on top of that.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { readTree } from '../../../core/adapters/store/read.ts';
import type { StoreChange, StoreState } from '../../../core/adapters/store/records.ts';
import type { Store, UndoToken } from '../../../core/adapters/store/store.ts';
import { changeEntries } from '../../../core/adapters/store/store-change.ts';
import { destinationWords } from '../../../core/domain/destination.ts';
import { type Contents, changedContents } from './contents.ts';
import { describeChange } from './describe.ts';
import { requireSeen } from './host-witness.ts';
import { type Collection, splitCa, splitRecord } from './local-copy.ts';
import { mapTree, namesIn } from './map-tree.ts';
import type { NextCommit, Opened } from './opened.ts';
import { storeOperators } from './operator-keys.ts';
import type { Session } from './session.ts';
import * as refusals from './store-refusals.ts';
import { isChanged, newTurn, openTurns, pause, type Turn } from './turns.ts';
import { jumpSettings } from './ways.ts';
import { markOf } from './witnesses.ts';

/** Limits of retries of a step after other commits: attempts and time. */
const ATTEMPTS = 60;
const MOST_MS = 120_000;

/** `begins`: operators and keys of a new store, written by its first commit. */
export function teamStore(session: Session, begins?: Required<Pick<NextCommit, 'operators' | 'keys'>>): Store {
  const { local, url } = session;
  const turns = new AsyncLocalStorage<Turn>();
  /** Contents of read states, until a field of this computer alone is written. */
  let sources = new WeakMap<StoreState, Contents>();
  const order = openTurns(url, async (base, contents, command, lines) => {
    const done = await session.commit(base, { contents }, { subject: subjectOf(command, lines), lines });
    place(done);
    return done;
  });

  async function current(): Promise<Opened> {
    const turn = turns.getStore();
    if (turn === undefined) return session.read();
    turn.base ??= (turn.joins ? order.tip() : undefined) ?? (await session.read());
    return turn.base;
  }

  function stateOf(opened: Opened, scope?: Parameters<Store['read']>[0]): StoreState {
    return local.merged(readTree(local.home, mapTree(opened.contents, url), scope));
  }

  function place(opened: Opened): void {
    if (opened.fresh) return;
    const own = new Set([...(opened.keys?.files.keys() ?? [])].map((path) => path.split('/')[1] ?? ''));
    session.here('the files of the clients that are used here', () =>
      local.placeClients(stateOf(opened, { hosts: [] }), own),
    );
  }

  function keepOwn(own: readonly (readonly [Collection, string, Readonly<Record<string, unknown>>])[]): void {
    sources = new WeakMap();
    session.here('what records say of this computer alone', () => {
      for (const [collection, name, fields] of own) local.keep(collection, name, fields);
    });
  }

  function loggedIn(host: string, place: string): void {
    session.here('where this computer logged in', () => local.loggedIn(host, place));
  }

  async function step<T>(command: string, joins: boolean, fn: () => Promise<T>): Promise<T> {
    const until = performance.now() + MOST_MS;
    for (let attempt = 1; ; attempt++) {
      let turn: Turn | undefined;
      try {
        return await order.inTurn(joins, (release) => {
          turn = newTurn(command, joins, release);
          return turns.run(turn, fn);
        });
      } catch (error) {
        if (!turn?.overtaken || turn.wrote || attempt >= ATTEMPTS || performance.now() > until) throw error;
        if (turn.base !== undefined) session.forget(turn.base);
        // Steps of one commit retry together.
        if (!joins) await pause(attempt);
      }
    }
  }

  async function commit(turn: Turn, base: Opened, contents: Contents, lines: readonly string[]): Promise<void> {
    if (base.fresh && begins === undefined) throw refusals.fresh(url);
    if (turn.joins && turn.wrote) throw new Error('a step that joins others writes once');
    // Checked separately: a change that is too large would fail the whole shared commit.
    session.requireFits(base.contents, contents);
    try {
      turn.base = turn.joins
        ? await order.join(turn, base, contents, lines)
        : await session.commit(base, { contents, ...begins }, { subject: subjectOf(turn.command, lines), lines });
      turn.wrote = true;
    } catch (error) {
      if (isChanged(error)) turn.overtaken = true;
      throw error;
    }
  }

  async function write(turn: Turn, change: StoreChange): Promise<UndoToken> {
    const base = await current();
    // The cost of a change does not depend on the size of the fleet: reads only the hosts that it names.
    const scope = { hosts: [...Object.keys(change.hosts ?? {}), ...(change.removeHosts ?? [])] };
    const state = () => stateOf(base, scope);
    const entries = changeEntries(
      { fresh: base.fresh, ca: () => state().ca, names: (collection) => namesIn(base.contents, collection) },
      change,
    );
    const { contents, own } = withoutOwn(base.contents, changedContents(base.contents, entries), change);
    const before = state();
    const changes = begins !== undefined || !sameContents(base.contents, contents);
    const operators = (begins?.operators ?? []).map(({ name }) => `operator ${name}: added`);
    if (changes) await commit(turn, base, contents, [...operators, ...describeChange(before, change)]);
    const ownBefore = own.map(([collection, name]) => [collection, name, local.fieldsOf(collection, name)] as const);
    keepOwn(own);
    // Jump hosts and places that this user names need no consent here.
    for (const [name, { record }] of Object.entries(change.hosts ?? {})) {
      const way = jumpSettings(record.ssh);
      const from = record.ssh.placeFromStore;
      if (from === undefined || (local.lastLogin(name) ?? from.last) === from.place)
        loggedIn(name, destinationWords(record.ssh));
      if (way !== undefined && record.ssh.jumpFromStore !== true)
        session.here('what was accepted of the store', () => local.accept(way.id));
    }
    if (!turn.joins) place(turn.base ?? base);
    return {
      undo: () =>
        turns.run(newTurn(`${turn.command}: undo`, false, turn.release), async () => {
          const here = turns.getStore() as Turn;
          const now = await current();
          const back = restored(now.contents, base.contents, contents);
          if (changes) await commit(here, now, back, ['undo of the previous change']);
          keepOwn(ownBefore);
          turn.base = here.base ?? now;
        }),
    };
  }

  return {
    home: local.home,
    shared: true,
    operators: async () => storeOperators(session),

    mark: async () => markOf(await current()),
    requireSeen: (host, state) => requireSeen(session, current, host, state),

    accepts: async (id) => local.accepts(id),
    async watch() {
      const { engine } = session;
      if (engine.changed === undefined) return undefined;
      const before = await session.snapshot();
      return async (signal) => engine.changed?.(before, signal);
    },
    loggedIn: async (host, place) => loggedIn(host, place),
    accept: async (id) => session.here('what was accepted of the store', () => local.accept(id)),

    async exists() {
      return !(await current()).fresh;
    },

    async requireWritable() {
      const opened = await session.read(0);
      if (opened.fresh) throw refusals.fresh(url);
      if (opened.snapshot.offline !== undefined) throw opened.snapshot.offline.cause;
      await session.requireSigner(opened);
      await session.engine.requireWritable();
    },

    async read(scope) {
      const opened = scope?.fresh ? await session.readNow() : await current();
      if (turns.getStore() === undefined) place(opened);
      const state = stateOf(opened, scope);
      sources.set(state, opened.contents);
      return state;
    },

    async isCurrent(state) {
      const contents = sources.get(state);
      return contents !== undefined && contents === (await current()).contents;
    },

    async withLock(command, fn, { joins = false } = {}) {
      return turns.getStore() === undefined ? step(command, joins, fn) : fn();
    },

    async write(change) {
      const turn = turns.getStore();
      if (turn === undefined) throw new Error("write needs the store's lock: call it inside withLock");
      return write(turn, change);
    },
  };
}

/** Keeps machine-specific fields out of the store. If a record has no other change, its time stays the same too. */
function withoutOwn(before: Contents, contents: Contents, { hosts = {}, clients = {} }: StoreChange) {
  const next = new Map(contents);
  const own: [Collection, string, Readonly<Record<string, unknown>>][] = [];
  for (const [path, file] of contents) {
    if (!/^ca\/(?:.*\/)?ca\.json$/.test(path) || typeof file.bytes !== 'string' || before.get(path) === file) continue;
    const split = splitCa(file.bytes);
    next.set(path, { ...file, bytes: split.common });
    own.push(...split.own.map(([id, files]) => ['signers', id, files] as (typeof own)[number]));
  }
  for (const [collection, names] of [
    ['hosts', Object.keys(hosts)],
    ['clients', Object.keys(clients)],
  ] as const) {
    for (const name of names) {
      const path = `${collection}/${name}/${collection.slice(0, -1)}.json`;
      const file = next.get(path);
      if (file === undefined || typeof file.bytes !== 'string') continue;
      const split = splitRecord(collection, file.bytes);
      const known = textOf(before, path);
      const same = known !== undefined && timeless(known) === timeless(split.common);
      next.set(path, { ...file, bytes: same ? known : split.common });
      own.push([collection, name, split.own]);
    }
  }
  return { contents: next, own };
}

function timeless(record: string): string {
  return JSON.stringify({ ...JSON.parse(record), updatedAt: undefined });
}

function textOf(contents: Contents, path: string): string | undefined {
  const bytes = contents.get(path)?.bytes;
  return bytes === undefined || typeof bytes === 'string' ? bytes : bytes.revealText();
}

function sameContents(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a.keys()].every((path) => sameFile(a, b, path));
}

function sameFile(a: Contents, b: Contents, path: string): boolean {
  return a.get(path) === b.get(path) || textOf(a, path) === textOf(b, path);
}

/** The present contents with the change from `before` to `after` undone. */
function restored(now: Contents, before: Contents, after: Contents): Contents {
  const next = new Map(now);
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    if (sameFile(before, after, path)) continue;
    const file = before.get(path);
    if (file === undefined) next.delete(path);
    else next.set(path, file);
  }
  return next;
}

const LONGEST_SUBJECT = 100;

function subjectOf(command: string, lines: readonly string[]): string {
  const what = lines.length === 1 ? `${command}: ${lines[0]}` : `${command}: ${lines.length} changes`;
  return what.length <= LONGEST_SUBJECT ? what : command;
}
