/**
 * Links, anchors and source paths of the hand-written documentation resolve; README links every page, and the command reference is current.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { expect, test } from 'vitest';
import { loadReference, renderReference } from '../../../scripts/reference.ts';

const root = new URL('../../../', import.meta.url).pathname;
const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...docs];

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Anchors that GitHub makes from headings, and explicit ones. */
function anchorsOf(page: string): ReadonlySet<string> {
  const text = read(page);
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)]);
}

/** The target of each link, as `page#anchor` from the root. */
function linksIn(page: string): string[] {
  const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => (target.startsWith('#') ? `${page}${target}` : normalize(join(dirname(page), target))));
}

test.each(pages)('links and paths in %s lead somewhere', (page) => {
  const broken = linksIn(page).filter((link) => {
    const [file = '', anchor] = link.split('#');
    return !existsSync(join(root, file)) || (anchor !== undefined && !anchorsOf(file).has(anchor));
  });
  expect(broken).toEqual([]);
  const paths = [...read(page).matchAll(/`((?:src|test|scripts|examples)\/[\w./-]+)`/g)].map(([, path = '']) => path);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('README links every page', () => {
  const linked = linksIn('README.md').map((link) => link.split('#')[0]);
  expect(pages.slice(1).filter((page) => !linked.includes(page))).toEqual([]);
});

test('docs/lists/reference.md is what the commands say (UPDATE_DOCS=1 writes it anew)', async () => {
  const expected = renderReference(await loadReference());
  if (process.env.UPDATE_DOCS !== undefined) writeFileSync(join(root, 'docs/lists/reference.md'), expected);
  expect(read('docs/lists/reference.md'), 'run: UPDATE_DOCS=1 npx vitest run test/core/unit/docs-links.test.ts').toBe(
    expected,
  );
});
