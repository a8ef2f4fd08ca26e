/** Hardening in the settings kept with a host's generation. */

import { expect, test } from 'vitest';
import { keptOf, readKept, writeKept } from '../../../../src/core/domain/settings-stored.ts';

const good = { port: 1, listen: [], sans: [], keyType: 'p256', days: 30, keys: 'store' };

test('a generation without it replaces that of now', () => {
  const plain = readKept(JSON.parse(JSON.stringify(writeKept(keptOf({})))));
  expect({ harden: ['icc'], ...plain }).toMatchObject({ harden: undefined });
});

test('a host that kept hardening that is no list is not believed', () => {
  expect(readKept({ ...good, harden: ['icc'] })).toBeDefined();
  expect(readKept({ ...good, harden: 'icc' })).toBeUndefined();
});
