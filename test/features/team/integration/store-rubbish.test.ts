/** Some of what `scripts/store-attacks --rubbish` measures. Its time depends on what else the computer does; the memory does not. */

import { expect, test } from 'vitest';
import { LIMIT, measureRubbish } from '../support/attacks/rubbish.ts';

test.each([
  ['git', /manifest/],
  ['etcd', /in the place of|history/],
] as const)('100 MB of rubbish in %s cost a reader little memory', async (engine, where) => {
  const costs = await measureRubbish(engine, undefined, (one) => where.test(one));
  expect(costs).toHaveLength(engine === 'git' ? 2 : 3);
  for (const { became, expected, megabytes, ...cost } of costs) {
    expect([cost.where, became]).toEqual([cost.where, expected]);
    expect(megabytes, cost.where).toBeLessThan(LIMIT.megabytes);
  }
});
