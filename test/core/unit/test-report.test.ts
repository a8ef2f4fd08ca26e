/** Failures by the count of `scripts/test`: skipped tests with missing prerequisites, and more than three that passed on a retry. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

type Status = 'passed' | 'failed' | 'pending' | 'skipped' | 'todo';

const script = new URL('../../../scripts/test-report.mjs', import.meta.url).pathname;

/** `retried`: a test that passed on a retry. */
function count(
  statuses: readonly (Status | 'retried')[],
  words: readonly string[] = [],
  status = 'passed',
): [string, string] {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-report-'));
  const file = join(directory, 'report.json');
  const assertionResults = statuses.map((one) => ({
    fullName: `a test that ${one}`,
    status: one === 'retried' ? 'passed' : one,
    failureMessages: one === 'retried' ? ['Error: refused\n    at a.ts'] : [],
  }));
  const of = (wanted: Status) => assertionResults.filter((one) => one.status === wanted).length;
  writeFileSync(
    file,
    JSON.stringify({
      numPassedTests: of('passed'),
      numFailedTests: of('failed'),
      testResults: [
        { name: 'a.test.ts', status, message: 'no such module', assertionResults, startTime: 0, endTime: 61_000 },
      ],
    }),
  );
  const { stdout, stderr } = spawnSync(process.execPath, [script, file, ...words], { encoding: 'utf8' });
  rmSync(directory, { recursive: true });
  const longest = 'longest: a.test.ts 61 s\n';
  expect(stderr.endsWith(longest)).toBe(true);
  return [stdout.trim(), stderr.slice(0, -longest.length)];
}

test('a skipped test has failed, and is named', () => {
  const [counts, said] = count(['passed', 'pending', 'skipped', 'todo'], ['test/unit']);
  expect(counts).toBe('1 3 3');
  expect(said).toContain('a.test.ts: a test that pending');
});

test('where tests are picked by name, the others have not', () => {
  expect(count(['passed', 'pending'], ['-t', 'name'])).toEqual(['1 0 0', '']);
});

test('a file that fails outside of its tests has failed', () => {
  expect(count(['passed'], [], 'failed')).toEqual(['1 1 0', 'FAILED: a.test.ts\nno such module\n']);
  expect(count(['passed', 'failed'], [], 'failed')).toEqual(['1 1 0', '']);
});

test('a test that passes when it is tried again is named; more than three fail the run', () => {
  const line = 'passed only when tried again: a.test.ts: a test that retried\n  Error: refused\n';
  expect(count(['passed', 'retried'])).toEqual(['2 0 0', line]);
  expect(count(Array(3).fill('retried'))).toEqual(['3 0 0', line.repeat(3)]);
  const [counts, said] = count(Array(4).fill('retried'));
  expect(counts).toBe('4 1 0');
  expect(said).toSay('failed-tests-passed-only', '4', '3');
});
