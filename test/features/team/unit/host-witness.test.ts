/** What a host has seen of a shared store, and the store that a run has. */

import { expect, test } from 'vitest';
import { type HostState, parseState, type StoreMark } from '../../../../src/core/domain/plan/host-state.ts';
import { requireSeen } from '../../../../src/features/team/store/host-witness.ts';
import type { Opened } from '../../../../src/features/team/store/opened.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { markOf } from '../../../../src/features/team/store/witnesses.ts';

const opened = (number: number, hash: string) =>
  ({
    signers: [{ sequence: 1, operators: [] }],
    sequence: number,
    snapshot: { revision: hash, files: new Map() },
  }) as unknown as Opened;
const LAST = opened(8, '8-abcdef12');
const { id } = markOf(LAST) as StoreMark;

function stateWith(store: StoreMark): HostState {
  const generations = [
    { number: 1, at: '2026-01-01T00:00:00Z', by: 'bob@desk', reason: 'setup' },
    { number: 2, at: '2026-02-01T00:00:00Z', by: 'eve@\u001b[31mlaptop', reason: 'apply' },
  ];
  const content = JSON.stringify({ schema: 1, name: 'h1', generation: 2, generations, managed: [], store });
  return parseState('state.json', { kind: 'file', content } as Parameters<typeof parseState>[1]) as HostState;
}

/** The refusal of a store whose last read is LAST, whose newest state is `now`, and whose history has `history`. */
function refusal(seen: StoreMark, now = LAST, history: readonly string[] = []) {
  const contains = async (_: string, older: string) => history.includes(older);
  const session = { engine: { contains }, read: async () => now } as unknown as Session;
  return requireSeen(session, async () => LAST, 'h1', stateWith(seen)).then(
    () => undefined,
    (error) => error,
  );
}

test.each([
  ['is older', { id, number: 9, hash: '9-abcdef12' }, 'E_HOST_NEWER', 'store restore'],
  ['has another line', { id, number: 7, hash: '7-abcdef12' }, 'E_HOST_FORKED', 'store check'],
  ['is another one', { id: 'other', number: 9, hash: '9-abcdef12' }, 'E_HOST_FORKED', 'store check'],
])('what a host has seen of a store that %s', async (_what, seen, code, hint) => {
  const error = await refusal(seen);
  expect([error.code, error.exit, error.message.includes('\u001b')]).toEqual([code, 4, false]);
  expect(error.message).toSay('commit-store', String(seen.number), 'eve@', 'laptop', '2026-02-01');
  expect(error.hints.map(String).join()).toMatch(new RegExp(`${hint}.*docker-tls apply h1 --take-over`));
});

test('a store that continues it is accepted, also where another commit came after our last look', async () => {
  expect(await refusal({ id, number: 7, hash: '7-abcdef12' }, LAST, ['7-abcdef12'])).toBeUndefined();
  expect(await refusal({ id, number: 8, hash: '8-abcdef12' })).toBeUndefined();
  expect(await refusal({ id, number: 9, hash: '9-abcdef12' }, opened(9, '9-abcdef12'))).toBeUndefined();
});
