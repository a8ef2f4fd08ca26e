/** docs/lists/tested-hosts.md matches test/support/strange, and that table is consistent. */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderHostsDoc } from '../../support/hosts-doc.ts';
import { untriedCells } from '../../support/kinds-tried.ts';
import { STRANGE } from '../../support/strange/cases.ts';

const DOC = new URL('../../../docs/lists/tested-hosts.md', import.meta.url);
const ALL = STRANGE.flatMap(({ title, cases }) => cases.map((one) => ({ ...one, id: `${title}: ${one.name}` })));

test('docs/lists/tested-hosts.md is what the cases say (UPDATE_DOCS=1 writes it anew)', () => {
  if (process.env.UPDATE_DOCS !== undefined) writeFileSync(DOC, renderHostsDoc());
  expect(readFileSync(DOC, 'utf8')).toBe(renderHostsDoc());
});

test('every case has a name of its own, and CI runs a few', () => {
  expect(new Set(ALL.map(({ id }) => id)).size).toBe(ALL.length);
  expect(ALL.filter(({ short }) => short).length).toBeLessThan(18);
});

test('what is tried on each kind of host is tried by the test that is named', () => {
  expect(untriedCells(new URL('../../../', import.meta.url).pathname)).toEqual([]);
});
