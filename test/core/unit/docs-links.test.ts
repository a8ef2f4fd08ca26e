/**
 * Links, anchors and source paths of the hand-written documentation resolve; README links every page, and the command reference is current.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { expect, test } from 'vitest';
import { loadReference, renderReference } from '../../../scripts/reference.ts';
import { brokenLinks, missingPaths, pagesOf, unlinkedPages } from '../../support/docs-pages.ts';

const root = new URL('../../../', import.meta.url).pathname;

test.each(pagesOf(root))('links and paths in %s lead somewhere', (page) => {
  expect(brokenLinks(root, page)).toEqual([]);
  expect(missingPaths(root, page)).toEqual([]);
});

test('README links every page', () => {
  expect(unlinkedPages(root)).toEqual([]);
});

test('docs/lists/reference.md is what the commands say (UPDATE_DOCS=1 writes it anew)', async () => {
  const expected = renderReference(await loadReference());
  if (process.env.UPDATE_DOCS !== undefined) writeFileSync(join(root, 'docs/lists/reference.md'), expected);
  expect(
    readFileSync(join(root, 'docs/lists/reference.md'), 'utf8'),
    'run: UPDATE_DOCS=1 npx vitest run test/core/unit/docs-links.test.ts',
  ).toBe(expected);
});
