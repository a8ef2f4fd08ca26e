/** Whether the store is as it was when a state was read: a run decides again only if it is not. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { StoreChange } from '../../../src/core/adapters/store/records.ts';
import { openStore, type UndoToken } from '../../../src/core/adapters/store/store.ts';
import { newHome, removeHomes, sampleClient, sampleHost } from '../../support/store.ts';

afterAll(removeHomes);

const home = newHome();
const ours = openStore(home);
const other = openStore(home);

function write(change: StoreChange, store = other): Promise<UndoToken> {
  return store.withLock('test', () => store.write(change));
}

test.each<[string, StoreChange]>([
  ['the first write', { hosts: { web: sampleHost('web', 0) } }],
  ['a new client', { clients: { anna: sampleClient('anna', 0) } }],
  ['the same client again', { clients: { anna: sampleClient('anna', 0) } }],
  ['a removal', { removeHosts: ['web'] }],
])('a state is current until %s of another run', async (_, change) => {
  const [whole, part] = [await ours.read(), await ours.read({ hosts: ['web'] })];
  expect([await ours.isCurrent(whole), await ours.isCurrent(part)]).toEqual([true, true]);
  await write(change);
  expect([await ours.isCurrent(whole), await ours.isCurrent(part)]).toEqual([false, false]);
});

test('and until a write of its own run, seen under the lock too', async () => {
  const state = await ours.read();
  await ours.withLock('test', async () => {
    expect(await ours.isCurrent(state)).toBe(true);
    const first = await ours.write({ clients: { bob: sampleClient('bob', 1) } });
    expect(await ours.isCurrent(state)).toBe(false);
    await first.undo();
    expect(await ours.isCurrent(state)).toBe(true);
  });
});

test('an undo below a later write does not bring an old state back', async () => {
  const state = await ours.read();
  await ours.withLock('test', async () => {
    const first = await ours.write({ clients: { bob: sampleClient('bob', 1) } });
    await ours.write({ clients: { carl: sampleClient('carl', 2) } });
    await first.undo();
  });
  expect([...(await ours.read()).clients.keys()]).toEqual(['anna', 'carl']);
  expect(await ours.isCurrent(state)).toBe(false);
});

test('it is unknown of a state from elsewhere, and of a store without a revision', async () => {
  const state = await ours.read();
  expect(await ours.isCurrent({ ...state })).toBe(false);
  const file = join(home, 'store.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, '{"schema":1}\n');
  expect([await ours.isCurrent(state), await ours.isCurrent(await ours.read())]).toEqual([false, false]);
  writeFileSync(file, text);
  expect(await ours.isCurrent(state)).toBe(true);
});
