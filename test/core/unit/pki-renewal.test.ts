/** Renewal rule, at points of a lifetime. */

import { describe, expect, test } from 'vitest';
import { type RenewalState, renewal } from '../../../src/core/domain/pki/renewal.ts';

const DAY_MS = 86_400_000;
const notBefore = new Date('2026-01-01T00:00:00Z');
const LIFETIMES = [1, 90, 397, 3650];
const POINTS: readonly (readonly [percent: number, state: RenewalState])[] = [
  [-1, 'not-yet-valid'],
  [0, 'ok'],
  [1, 'ok'],
  [65, 'ok'],
  [67, 'due'],
  [99, 'due'],
  [100, 'due'],
  [101, 'expired'],
];

describe.each(LIFETIMES)('a lifetime of %d days', (days) => {
  const notAfter = new Date(notBefore.getTime() + days * DAY_MS);
  test.each(POINTS)('at %d percent: %s', (percent, state) => {
    const now = new Date(notBefore.getTime() + (days * DAY_MS * percent) / 100);
    const result = renewal({ notBefore, notAfter, now });
    expect(result.state).toBe(state);
    expect(result.daysLeft).toBe(Math.floor((days * (100 - percent)) / 100));
  });
});

const notAfter = new Date(notBefore.getTime() + 90 * DAY_MS);
const WITHIN: readonly (readonly [day: number, withinDays: number | undefined, state: RenewalState])[] = [
  [59, undefined, 'ok'],
  [60, undefined, 'due'],
  [49, 40, 'ok'],
  [50, 40, 'due'],
  [60, 10, 'ok'],
  [79, 10, 'ok'],
  [80, 10, 'due'],
  [1, 365, 'due'],
];

test.each(WITHIN)('day %d of 90, within %s days: %s', (day, withinDays, state) => {
  const now = new Date(notBefore.getTime() + day * DAY_MS);
  const result = renewal({ notBefore, notAfter, now, ...(withinDays === undefined ? {} : { withinDays }) });
  expect(result.state).toBe(state);
  expect(result.state === 'due').toBe(now >= result.dueAt);
});

test('the last millisecond still counts, as RFC 5280 includes notAfter', () => {
  expect(renewal({ notBefore, notAfter, now: notAfter }).state).toBe('due');
  expect(renewal({ notBefore, notAfter, now: new Date(notAfter.getTime() + 1) })).toMatchObject({
    state: 'expired',
    daysLeft: -1,
  });
});
