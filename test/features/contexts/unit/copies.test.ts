/** Docker's copies of a client's credentials on this machine, by the records. */

import { expect, test } from 'vitest';
import type { ClientCopies, StoredClient, StoreState } from '../../../../src/core/adapters/store/records.ts';
import { changedCopies, withConfigDirectory, withContext } from '../../../../src/features/contexts/domain/copies.ts';
import { sampleClient } from '../../../support/store.ts';

const HERE = '/home/ada/.docker';
const here = (contexts: string[], directory = false): ClientCopies => ({ dockerConfig: HERE, contexts, directory });
const there: ClientCopies = { dockerConfig: '/other', contexts: ['web'], directory: true };

function clients(copies: Readonly<Record<string, readonly ClientCopies[] | undefined>>): StoreState['clients'] {
  const one = (name: string): StoredClient => {
    const stored = sampleClient(name, 1);
    return { ...stored, record: { ...stored.record, copies: copies[name] } };
  };
  return new Map(Object.keys(copies).map((name) => [name, { ...one(name), directory: '' }]));
}

/** Copies of the clients that change. */
function changed(before: Parameters<typeof clients>[0], change: Parameters<typeof changedCopies>[2], client?: string) {
  const about = { client, dockerConfig: HERE, now: () => new Date(0) };
  const found = changedCopies({ clients: clients(before) }, about, change);
  return Object.fromEntries(Object.entries(found).map(([name, { record }]) => [name, record.copies]));
}

test('a context belongs to one client: it is taken from the one that had it, and other directories stay', () => {
  const before = { ann: [here(['web', 'db']), there], bob: undefined, cleo: [there] };
  expect(changed(before, withContext('web'), 'bob')).toEqual({ ann: [there, here(['db'])], bob: [here(['web'])] });
});

test('what is known already changes no record', () => {
  expect(changed({ ann: [here(['web'])], bob: [] }, withContext('web'), 'ann')).toEqual({});
  expect(changed({ ann: [here([], true)] }, withConfigDirectory, 'ann')).toEqual({});
});

test("a context that is gone is no client's; a directory without copies goes too", () => {
  expect(changed({ ann: [here(['web'])], bob: [here(['db'])] }, withContext('web'))).toEqual({ ann: [] });
});

test('the config directory itself has the files of one client', () => {
  const before = { ann: [here(['web'], true)], bob: undefined };
  expect(changed(before, withConfigDirectory, 'bob')).toEqual({ ann: [here(['web'])], bob: [here([], true)] });
});
