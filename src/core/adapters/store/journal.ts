/**
 * The journal that makes a change atomic on disk. New files are staged in `.staged-ID` together with a list of their targets; renaming that
 * directory to `.change` commits the change. Then each entry is renamed into place, the replaced entry is kept, and the directory becomes
 * `.done-ID`. Renaming it to `.undo` commits the reversal, by the same renames in reverse; they need no disk space. A run that dies leaves
 * `.change` or `.undo`: readers look through it, and the next run that takes the lock finishes it.
 */

import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { basename, dirname } from 'node:path/posix';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { nameProblem } from '../../domain/names.ts';
import { shellQuote } from '../../domain/quote.ts';
import { parseObject } from './parse-records.ts';
import {
  createFile,
  type FileContent,
  flush,
  inside,
  makeDirectory,
  present,
  removeIfEmpty,
  textIfThere,
} from './store-files.ts';

/** A file, or a directory with its files by name, under its path in the store (`hosts/build-1`). */
export type Incoming = {
  readonly path: string;
  readonly content: FileContent | { readonly files: Readonly<Record<string, FileContent>> };
};

/** `put`: the new entry is in `new/PATH`; otherwise a removal. `had`: an entry existed, and moves to `old/PATH`. */
type JournalEntry = { readonly path: string; readonly put: boolean; readonly had: boolean };

/** `directories`: parents that the change creates, outermost first. */
type Plan = { readonly entries: readonly JournalEntry[]; readonly directories: readonly string[] };

export type Change = { readonly id: string; readonly plan: Plan };

/** An unfinished change (or reversal), as readers see it. */
export type OpenJournal = {
  readonly directory: string;
  readonly direction: 'change' | 'undo';
  readonly entries: ReadonlyMap<string, JournalEntry>;
};

/** Makes a change. After a failure the store is unchanged, or at worst contains a journal that the next run finishes. */
export async function makeChange(home: string, incoming: readonly Incoming[], removals: readonly string[]) {
  const id = randomUUID();
  const staged = join(home, `.staged-${id}`);
  let plan: Plan;
  try {
    plan = await stage(home, staged, incoming, removals);
    renameSync(staged, join(home, '.change'));
  } catch (error) {
    await remove(staged);
    throw error;
  }
  try {
    await rollForward(home, plan, id);
  } catch (error) {
    try {
      renameSync(join(home, '.change'), join(home, '.undo'));
      await rollBack(home, plan, id);
    } catch {
      throw halfMade(home, error);
    }
    throw error;
  }
  return { id, plan } satisfies Change;
}

/** Reverts a change made under the same lock. */
export async function undoChange(home: string, { id, plan }: Change): Promise<void> {
  renameSync(join(home, `.done-${id}`), join(home, '.undo'));
  await rollBack(home, plan, id);
}

/** Finishes the incomplete change of a run that died, and sweeps its remains. Only under the lock. */
export async function finishJournal(home: string): Promise<void> {
  const journal = openJournal(home);
  if (journal !== undefined) {
    const plan = readPlan(journal.directory);
    await (journal.direction === 'change' ? rollForward : rollBack)(home, plan, randomUUID());
  }
  await sweepJournal(home);
}

/** Deletes finished changes, including the old keys in them, and leftovers. Only under the lock. */
export async function sweepJournal(home: string): Promise<void> {
  for (const name of readdirSync(home)) {
    if (/^\.(?:staged|done|lock|lock-of)-[0-9a-f-]{36}$/.test(name)) await remove(join(home, name));
  }
}

/** The journal that a reader has to look through, if any. Fails with E_STORE_DAMAGED. */
export function openJournal(home: string): OpenJournal | undefined {
  const names = readdirSync(home);
  const direction = names.includes('.undo') ? 'undo' : names.includes('.change') ? 'change' : undefined;
  if (direction === undefined) return undefined;
  const directory = join(home, `.${direction}`);
  return { directory, direction, entries: new Map(readPlan(directory).entries.map((entry) => [entry.path, entry])) };
}

async function stage(home: string, staged: string, incoming: readonly Incoming[], removals: readonly string[]) {
  const puts = new Set(incoming.map((each) => each.path));
  const entries: JournalEntry[] = [];
  for (const path of new Set([...puts, ...removals])) {
    const had = present(inside(home, path));
    if (had || puts.has(path)) entries.push({ path, put: puts.has(path), had });
  }
  const parents = parentsOf(entries);
  const plan: Plan = { entries, directories: parents.filter((parent) => !present(inside(home, parent))) };

  const made = ['', 'new', 'old'].map((side) => join(staged, side));
  for (const side of ['new', 'old']) made.push(...parents.map((path) => inside(join(staged, side), path)));
  for (const directory of made) makeDirectory(directory);
  for (const each of incoming) made.push(...stageOne(join(staged, 'new'), each));
  const list = join(staged, 'plan.json');
  createFile(list, { kind: 'record', bytes: `${JSON.stringify(plan)}\n` });
  await flush([...made, list]);
  return plan;
}

/** Returns the paths that it created. */
function stageOne(directory: string, { path, content }: Incoming): string[] {
  const at = inside(directory, path);
  if (!('files' in content)) {
    createFile(at, content);
    return [at];
  }
  makeDirectory(at);
  const files = Object.entries(content.files).map(([name, file]) => [join(at, name), file] as const);
  for (const [name, file] of files) createFile(name, file);
  return [at, ...files.map(([name]) => name)];
}

/** Can resume from any point at which it stopped. */
async function rollForward(home: string, plan: Plan, id: string): Promise<void> {
  const journal = join(home, '.change');
  await flush([home]);
  for (const directory of plan.directories) makeDirectory(inside(home, directory));
  for (const { path, put } of plan.entries) {
    const at = inside(home, path);
    const incoming = inside(join(journal, 'new'), path);
    if (put && !present(incoming)) continue;
    moveIfPresent(at, inside(join(journal, 'old'), path));
    if (put) renameSync(incoming, at);
  }
  const left = parentsOf(plan.entries.filter(({ put }) => !put));
  for (const directory of left.toReversed()) removeIfEmpty(inside(home, directory));
  await close(home, plan, journal, `.done-${id}`);
}

/** Can resume from any point at which it or rollForward stopped. */
async function rollBack(home: string, plan: Plan, id: string): Promise<void> {
  const journal = join(home, '.undo');
  await flush([home]);
  for (const directory of parentsOf(plan.entries.filter(({ had }) => had))) makeDirectory(inside(home, directory));
  for (const { path, put, had } of plan.entries.toReversed()) {
    const at = inside(home, path);
    const kept = inside(join(journal, 'old'), path);
    if (had && !present(kept)) continue;
    if (put) moveIfPresent(at, inside(join(journal, 'new'), path));
    if (had) renameSync(kept, at);
  }
  for (const directory of plan.directories.toReversed()) removeIfEmpty(inside(home, directory));
  const done = `.staged-${id}`;
  await close(home, plan, journal, done);
  await remove(join(home, done));
}

async function close(home: string, plan: Plan, journal: string, name: string): Promise<void> {
  const parents = parentsOf(plan.entries).map((parent) => inside(home, parent));
  await flush(parents.filter(present));
  renameSync(journal, join(home, name));
  await flush([home]);
}

function halfMade(home: string, cause: unknown): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_HALF',
    `the store could neither be changed nor put back (${errnoOf(cause) ?? cause}); the next run that changes it will finish`,
    { where: home, hints: [`ls -la ${shellQuote(home)}`, `df -h ${shellQuote(home)}`], cause },
  );
}

function moveIfPresent(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** The directories that contain the entries, outermost first, without the store's own. */
function parentsOf(entries: readonly JournalEntry[]): string[] {
  const parents = new Set<string>();
  for (const { path } of entries) {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) parents.add(at);
  }
  return [...parents].sort();
}

function readPlan(journal: string): Plan {
  const file = join(journal, 'plan.json');
  const parsed = parseObject(textIfThere(file) ?? '');
  if (parsed.ok) {
    const { entries, directories } = parsed.value;
    if (
      Array.isArray(entries) &&
      entries.every(isEntry) &&
      Array.isArray(directories) &&
      directories.every(isDirectory)
    ) {
      return { entries, directories };
    }
  }
  throw new DockerTlsError(
    'E_STORE_DAMAGED',
    `${file}, the list of a half-made change, ${parsed.ok ? 'is not ours' : parsed.problem}`,
    {
      where: join(journal, '..'),
      hints: [`mv ${shellQuote(journal)} ${shellQuote(join(journal, '..', 'change.damaged'))}`, 'docker-tls status'],
    },
  );
}

/** The directories with one subdirectory per name. */
export const COLLECTIONS: readonly string[] = ['ca/old', 'ca/issuers', 'hosts', 'clients'];

function isDirectory(value: unknown): value is string {
  return typeof value === 'string' && (value === 'ca' || COLLECTIONS.includes(value));
}

/** A journal can name only entries of the store, so it cannot be abused to move anything else. */
function isEntry(value: unknown): value is JournalEntry {
  const { path, put, had } = (value ?? {}) as Partial<JournalEntry>;
  if (typeof path !== 'string' || typeof put !== 'boolean' || typeof had !== 'boolean') return false;
  if (['store.json', 'ca/ca.pem', 'ca/ca-key.pem', 'ca/ca.json'].includes(path)) return true;
  return COLLECTIONS.includes(dirname(path)) && nameProblem(basename(path)) === undefined;
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}
