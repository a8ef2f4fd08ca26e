/** History of a commit in etcd: that of its base, or of the lost state that it restored. */

import { expect, test } from 'vitest';
import type { StoreEngine } from '../../../../src/features/team/engines/engine.ts';
import { type HistoryEntry, holds, newEntry, numberOf } from '../../../../src/features/team/engines/etcd-history.ts';
import type { Opened } from '../../../../src/features/team/store/opened.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { compareWith, markOf } from '../../../../src/features/team/store/witnesses.ts';

const message = { who: 'ada', subject: 'x', lines: [] };
const on = (parent: string, subject: string, regained?: string) =>
  newEntry(parent, { message: { ...message, subject }, regained }, { at: new Date(0), signed: Buffer.of(), paths: [] });
const byNumber = (...entries: HistoryEntry[]) => new Map(entries.map((one) => [numberOf(one.revision), one]));

const first = on('', 'first');
const revoked = on(first.revision, 'revoked');
const rubbish = on(revoked.revision, 'rubbish');

test('the history of what was replaced is not its own: anybody could have made that', () => {
  const back = on(rubbish.revision, 'restore', first.revision);
  const entries = byNumber(first, revoked, rubbish, back);
  const history = on(back.revision, 'next');
  expect(holds(back, first.revision, entries)).toBe(true);
  expect(holds(back, rubbish.revision, entries)).toBe(true);
  expect(holds(back, revoked.revision, entries)).toBe(false);
  expect(holds(history, revoked.revision, entries)).toBe(false);
  expect(holds(history, first.revision, entries)).toBe(true);
});

test('an unbroken line continues each of its commits; one with another entry does not', () => {
  const next = on(rubbish.revision, 'next');
  const entries = byNumber(first, revoked, rubbish);
  for (const older of [first, revoked, rubbish]) expect(holds(next, older.revision, entries)).toBe(true);
  const forged = byNumber(first, { ...revoked, subject: 'other' }, rubbish);
  expect(holds(next, first.revision, forged)).toBe(false);
});

test('a state that was put back and is not there cannot be looked through', () => {
  const lost = on(rubbish.revision, 'lost');
  const back = on(first.revision, 'restore', lost.revision);
  expect(holds(back, revoked.revision, byNumber(first))).toBeUndefined();
  // A reader who had seen less restored it.
  expect(holds(on(rubbish.revision, 'restore', first.revision), lost.revision, byNumber())).toBe(false);
});

test('a host that was changed long ago continues an unbroken line; a history that cannot be looked through is another line', async () => {
  const line = [first];
  for (let at = 1; at < 300; at++) line.push(on((line.at(-1) as HistoryEntry).revision, `${at}`));
  const compared = async (newest: HistoryEntry, entries: ReadonlyMap<number, HistoryEntry>, seen: string) => {
    const contains: StoreEngine['contains'] = async (_, older) => holds(newest, older, entries);
    const snapshot = { revision: newest.revision, files: new Map(), history: newest };
    const signers = [{ sequence: 1, operators: [] }] as unknown as Opened['signers'];
    const opened = { signers, sequence: numberOf(newest.revision), snapshot } as unknown as Opened;
    const { id = '' } = markOf(opened) ?? {};
    const session = { engine: { contains } } as unknown as Session;
    return compareWith(session, opened, { id, number: numberOf(seen), hash: seen });
  };
  const newest = line.at(-1) as HistoryEntry;
  for (const seen of [line[0], line[150], newest])
    expect(await compared(newest, byNumber(...line), seen?.revision ?? '')).toBe('continues');
  const lost = on(rubbish.revision, 'lost');
  const back = on(first.revision, 'restore', lost.revision);
  expect(await compared(on(back.revision, 'next'), byNumber(first, back), revoked.revision)).toBe('forked');
});
