/** A few rounds of scripts/store-kills. */

import { expect, test } from 'vitest';
import { killRunners } from '../support/killed-runners.ts';

test.each(['git', 'etcd'] as const)(
  'two runners killed at the same moment, in %s: nothing is lost, and nothing is there twice',
  async (engine) => {
    const rounds = await killRunners(engine, 2);
    expect(rounds.map(({ lost, twice }) => ({ lost, twice }))).toEqual(rounds.map(() => ({ lost: 0, twice: 0 })));
    // Runners that write nothing lose nothing.
    expect(rounds.reduce((sum, { reported, unreported }) => sum + reported + unreported, 0)).toBeGreaterThan(0);
    for (const { unreported } of rounds) expect(unreported).toBeLessThanOrEqual(2);
  },
);
