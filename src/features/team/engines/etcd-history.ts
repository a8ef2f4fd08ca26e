/**
 * History of a store in etcd: its head, and one entry per commit. A revision is a number and a hash over the previous revision, so the
 * entries between two revisions show that one builds on the other. The manifest of each commit signs the previous revision.
 */

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { parseAs } from '../store/parse-as.ts';
import type { Commit, History, LogEntry } from './engine.ts';

const headSchema = z.object({
  schema: z.literal(1),
  revision: z.string(),
  parent: z.string(),
  regained: z.optional(z.string()),
  /** Directory of its files. */
  generation: z.string(),
});
export const entrySchema = z.object({
  revision: z.string(),
  parent: z.string(),
  regained: z.optional(z.string()),
  at: z.iso.datetime(),
  who: z.string(),
  subject: z.string(),
  /** The first of the first files (Listing), which has the whole message signed. */
  signed: z.string(),
  /** Added, changed or removed files; absent if all files are new. */
  paths: z.optional(z.array(z.string())),
});

export type Head = Readonly<z.output<typeof headSchema>>;
export type HistoryEntry = Readonly<z.output<typeof entrySchema>>;

export function readHead(value: Uint8Array): Head | undefined {
  return parseAs(headSchema, Buffer.from(value).toString('utf8'));
}

/** Undefined for one that is not what its name says. */
export function readEntry(value: Uint8Array): HistoryEntry | undefined {
  const entry = parseAs(entrySchema, Buffer.from(value).toString('utf8'));
  return entry?.revision === (entry && revisionOf(entry)) ? entry : undefined;
}

/** Number of a revision: the count of commits including it; 0 for an empty store. */
export function numberOf(revision: string): number {
  return Number(/^(\d{1,15})-/.exec(revision)?.[1] ?? 0);
}

const DIGITS = 10;

/** Name of an entry; names sort like numbers. */
export function entryName(number: number): string {
  return String(number).padStart(DIGITS, '0');
}

export function newEntry(
  parent: string,
  { message, regained }: Pick<Commit, 'message' | 'regained'>,
  {
    at,
    signed,
    paths,
  }: { readonly at: Date; readonly signed: Uint8Array; readonly paths?: readonly string[] | undefined },
): HistoryEntry {
  const { who, subject } = message;
  const rest = {
    parent,
    regained,
    ...{ at: at.toISOString(), who, subject, signed: Buffer.from(signed).toString('utf8') },
    paths: paths && [...paths],
  };
  return { revision: revisionOf(rest), ...rest };
}

function revisionOf({ revision: _, ...rest }: Omit<HistoryEntry, 'revision'> & { readonly revision?: string }): string {
  const { parent, regained = '', at, who, subject, signed, paths = null } = rest;
  const text = JSON.stringify([parent, regained, at, who, subject, signed, paths]);
  return `${numberOf(parent) + 1}-${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;
}

/**
 * True if the history that ends with `history` contains `older`. `entries`: earlier entries by number. False if an entry is missing or does
 * not match. Undefined: a lost revision was restored since, and `older` is not part of it.
 */
export function holds(
  history: History,
  older: string,
  entries: ReadonlyMap<number, HistoryEntry>,
): boolean | undefined {
  for (let { parent, regained } = history; ; ) {
    if (parent === older || regained === older) return true;
    // A restored revision is the predecessor: the history of the replaced commits is unverified.
    const before = regained ?? parent;
    const entry = entries.get(numberOf(before));
    if (entry === undefined || entry.revision !== before || revisionOf(entry) !== before)
      return regained !== undefined && numberOf(regained) >= numberOf(older) ? undefined : false;
    ({ parent, regained } = entry);
  }
}

export function logEntryOf({ revision, parent, regained, at, who, subject, signed }: HistoryEntry): LogEntry {
  const history = { parent, regained };
  return { revision, history, at: new Date(at), who, subject, lines: [], signed: Buffer.from(signed) };
}
