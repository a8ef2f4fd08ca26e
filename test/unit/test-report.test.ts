/** What `scripts/test` counts: a test that was skipped, because something that it needs is missing, is a failure. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const script = new URL('../../scripts/test-report.mjs', import.meta.url).pathname;

function count(statuses: readonly string[], words: readonly string[] = [], status = 'passed'): [string, string] {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-report-'));
  const file = join(directory, 'report.json');
  const assertionResults = statuses.map((one) => ({ fullName: `a test that ${one}`, status: one }));
  const of = (wanted: string) => statuses.filter((one) => one === wanted).length;
  writeFileSync(
    file,
    JSON.stringify({
      numPassedTests: of('passed'),
      numFailedTests: of('failed'),
      testResults: [{ name: 'a.test.ts', status, message: 'no such module', assertionResults }],
    }),
  );
  const { stdout, stderr } = spawnSync(process.execPath, [script, file, ...words], { encoding: 'utf8' });
  rmSync(directory, { recursive: true });
  return [stdout.trim(), stderr];
}

test('a skipped test has failed, and is named', () => {
  const [counts, said] = count(['passed', 'pending', 'skipped', 'todo'], ['test/unit']);
  expect(counts).toBe('1 3 3');
  expect(said).toContain('a.test.ts: a test that pending');
});

test('where tests are picked by name, the others have not', () => {
  expect(count(['passed', 'pending'], ['-t', 'name'])).toEqual(['1 0 1', '']);
});

test('a file that fails outside of its tests has failed', () => {
  expect(count(['passed'], [], 'failed')).toEqual(['1 1 0', 'FAILED: a.test.ts\nno such module\n']);
  expect(count(['passed', 'failed'], [], 'failed')).toEqual(['1 1 0', '']);
});
