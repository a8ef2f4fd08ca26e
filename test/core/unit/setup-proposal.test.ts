/** Answers that `setup` proposes. */

import { expect, test } from 'vitest';
import { proposedName } from '../../../src/core/actions/setup-proposal.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';

const hosts = new Map([['taken', {}]]) as never;

test.each([
  ['10.0.0.7', 'web.example.org', 'web'],
  ['10.0.0.7', 'localhost', 'proposed'],
  ['10.0.0.7', 'taken', 'proposed'],
  ['alias', 'web', 'proposed'],
  ['fe80::1', 'web', 'web'],
  ['local', 'web', 'web'],
])('a name for %s, whose own is %s', (destination, hostname, name) => {
  const spec = completeHost({ name: 'proposed', ssh: { destination } });
  expect(proposedName(spec, { hostname }, { hosts })).toBe(name);
});
