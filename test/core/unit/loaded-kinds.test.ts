/** What features add to changes of hosts, once it is loaded. */

import { expect, test } from 'vitest';
import { PARTS } from '../../../src/core/domain/plan/change-parts.ts';
import { factsScript } from '../../../src/core/engine/loaded-kinds.ts';
import { CHANGE_PARTS } from '../../../src/core/seams/change-parts.ts';

test('parts of a change come in the order that they name, whichever was added first', async () => {
  const adding = (order: number, ...names: readonly string[]) => ({
    order,
    load: async () => names.map((name) => ({ name, rollback: [] })),
  });
  CHANGE_PARTS.add(adding(102, 'second', 'third'), adding(103, 'fourth'), adding(101, 'first'));
  await factsScript();
  expect(PARTS.map(({ name }) => name).slice(-4)).toEqual(['first', 'second', 'third', 'fourth']);
});
