/** The pages for users stay short and read as a native speaker wrote them (scripts/prose). */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const root = new URL('../../..', import.meta.url).pathname;
const prose = (...args: string[]) =>
  spawnSync(process.execPath, [`${root}scripts/prose`, ...args], { encoding: 'utf8' });

test('the pages for users have at most 25,000 words, and those to begin with 600 each', () => {
  const { status, stdout } = prose('--words');
  expect({ status, stdout }).toMatchObject({ status: 0 });
  const words = new Map(
    [...stdout.matchAll(/^(\S+\.md) +(\d+)$/gm)].map(([, page = '', count]) => [page, Number(count)]),
  );
  expect(words.size).toBeGreaterThan(10);
  expect([...words].filter(([page, count]) => page.startsWith('docs/start/') && count > 600)).toEqual([]);
  expect(stdout).toMatch(/^of at most 25000 +\d+$/m);
});

test('less than 3 % of the sentences in docs have a mark of a translation', () => {
  const { status, stdout } = prose('--kind', 'docs', '--check', '3');
  expect({ status, stdout }).toMatchObject({ status: 0 });
  expect(stdout).toMatch(/^docs +\d{3}/m);
});
