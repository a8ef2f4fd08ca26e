/** Decisions of `doctor` before and after the diagnosis. */

import { expect, test } from 'vitest';
import type { StoreState } from '../../../../src/core/adapters/store/records.ts';
import type { ProbeOutcome } from '../../../../src/core/runtime.ts';
import { asksHost, firstCause, hostAt, journalTells } from '../../../../src/features/doctor/domain/diagnosis.ts';
import { sampleHost } from '../../../support/store.ts';

test.each([
  [{ kind: 'accepted', status: 200 }, 'none'],
  [{ kind: 'accepted', status: 403 }, 'none'],
  [{ kind: 'accepted', status: 500 }, 'daemon-not-answering'],
  [{ kind: 'refused', cause: 'expired' }, 'expired'],
])('the cause of %j is %s', (outcome, cause) => {
  expect(firstCause(outcome as ProbeOutcome)).toBe(cause);
});

test('SSH is asked where it may tell more, the journal is shown where the daemon may be at fault', () => {
  for (const cause of ['plain-http', 'client-refused', 'reset'] as const) expect(asksHost(cause)).toBe(true);
  for (const cause of ['none', 'wrong-name', 'name-not-found', 'tls-off'] as const) expect(asksHost(cause)).toBe(false);
  expect(journalTells('reset', undefined)).toBe(true);
  expect(journalTells('client-refused', undefined)).toBe(false);
  for (const cause of ['timed-out', 'unreachable'] as const) expect(journalTells(cause, undefined)).toBe(false);
  expect(journalTells('connection-refused', { listens: false })).toBe(true);
  expect(journalTells('connection-refused', { listens: true })).toBe(false);
});

test('the host that DOCKER_HOST leads to', () => {
  const state = { hosts: new Map([['web', sampleHost('web', 1)]]), clients: new Map() } as unknown as StoreState;
  for (const dialled of ['tcp://web.example:2376', 'tcp://web.example:2376//'])
    expect(hostAt(state, dialled)).toBe('web');
  for (const dialled of [undefined, '', 'tcp://web.example:2377', 'unix:///x'])
    expect(hostAt(state, dialled)).toBeUndefined();
});
