/** Words of the pages for users, as `wc -w` counts them: code and tables included, but not the marks of features, which no reader sees. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All pages for users together have no more. */
export const MOST_WORDS = 25_000;

/** README.md and docs, without generated lists (docs/lists) and pages for developers (docs/dev). */
export function userPages(root) {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(?:lists|dev)\//.test(name))
    .map((name) => `docs/${name}`);
  return ['README.md', ...pages.sort()];
}

const MARK = /<!-- \/?(?:page: )?[a-z]+ -->/g;

/** Page → words. */
export function wordsOf(root) {
  return new Map(
    userPages(root).map((page) => {
      const shown = readFileSync(join(root, page), 'utf8').replaceAll(MARK, '');
      return [page, shown.split(/\s+/).filter(Boolean).length];
    }),
  );
}
