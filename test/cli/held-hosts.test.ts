/** Host lock during work without the store's lock, only for hosts that still match the plan. */

import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StoredHost, StoreState } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { whileHeld } from '../../src/core/engine/steps/hold.ts';
import { answeringHosts } from '../support/answering-hosts.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

const now = new Date();
let home: string;
let events: string[];

afterAll(removeHomes);
beforeEach(async () => {
  home = newHome();
  events = [];
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
});

describe('the lock', () => {
  /** Runs `work` while h1 is locked; `after`: the store's state when read again. */
  async function hold(work: () => Promise<void>, after?: StoreState): Promise<void> {
    const before = await openStore(home).read();
    const read = async ({ fresh = false } = {}) => (fresh ? (after ?? before) : before);
    const connect = answeringHosts({
      ...{ home, now, answers: { hold: 'held' } },
      onChange: (phase) => events.push(phase),
    });
    const planned = { session: await connect({ host: 'h1' }), spec: { name: 'h1' }, latest: before, facts: {} };
    const run = { store: { home, read }, runtime: { operator: 'ada', signal: new AbortController().signal } };
    await whileHeld(planned as never, 'id', { state: before }, run as never, work);
  }

  test('is given back where another run has recorded the host: the store is asked, and not what was read a moment ago', async () => {
    const state = await openStore(home).read();
    const known = state.hosts.get('h1') as StoredHost;
    const hosts = new Map([['h1', { ...known, record: { ...known.record, updatedAt: 'bob' } }]]);
    await expect(hold(sayDone, { ...state, hosts })).rejects.toMatchObject({ code: 'E_STALE_CHANGE' });
    expect(events).toEqual(['hold', 'undo']);
  });

  test.each([
    ['ends', ['hold', 'hold', 'hold', 'done']],
    ['fails', ['hold', 'hold', 'hold', 'undo']],
  ])('is renewed while the work takes its time, and not once it %s', async (what, expected) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const held = hold(async () => {
        await vi.advanceTimersByTimeAsync(90_000);
        if (what === 'fails') throw new Error('no');
        await sayDone();
      });
      await held.catch(() => undefined);
      await vi.advanceTimersByTimeAsync(90_000);
      expect(events).toEqual(expected);
    } finally {
      vi.useRealTimers();
    }
  });
});

async function sayDone(): Promise<void> {
  events.push('done');
}
