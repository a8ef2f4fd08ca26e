/** The listener's place in a change. */

import { expect, test } from 'vitest';
import { PARTS } from '../../../../src/core/domain/plan/change-parts.ts';
import { factsScript } from '../../../../src/core/engine/loaded-kinds.ts';

test('the listener gets its files before services of the host itself, which other features may add', async () => {
  await factsScript();
  const services = PARTS.filter(({ name, reload }) => name === 'listener' || reload !== undefined);
  expect(services[0]?.name).toBe('listener');
});
