/** Numbers of the CIS Docker Benchmark: one list of checks, three editions. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { applyBaseline, parseBaseline } from '../../../../src/features/audit/domain/baseline.ts';
import { idIn, inBenchmarkOrder, numbersOf } from '../../../../src/features/audit/domain/benchmark.ts';
import { selectResults } from '../../../../src/features/audit/domain/check-selection.ts';
import { findingsOfReport } from '../../../../src/features/audit/domain/compare.ts';
import { CHECKS, inBenchmark } from '../../../../src/features/audit/domain/evaluate.ts';
import { type AuditReport, auditHost } from '../../../../src/features/audit/domain/report/report.ts';
import { renderSarif } from '../../../../src/features/audit/domain/report/sarif.ts';
import { runCli } from '../../../support/cli.ts';
import { recordedBytes } from '../support/audit-facts.ts';

const NOW = new Date('2026-11-25T11:00:00Z');
const host = auditHost('web', parseAuditFacts(recordedBytes('bad-trixie')), { now: NOW });
const titleOf = (benchmark: '1.6' | '1.8', number: string) =>
  inBenchmark(host.results, benchmark).find(({ id }) => id === number)?.title;

test('1.8 put one control in, and moved those after it', () => {
  expect(numbersOf('2.6')).toEqual({ '1.6': '2.6', '1.7': '2.6', '1.8': '2.6' });
  expect(numbersOf('2.7')).toEqual({ '1.6': undefined, '1.7': undefined, '1.8': '2.7' });
  expect(numbersOf('2.19')).toEqual({ '1.6': '2.18', '1.7': '2.18', '1.8': '2.19' });
  expect(numbersOf('compose.5.5')).toEqual({ '1.6': '5.5', '1.7': '5.5', '1.8': '5.5' });
  expect(numbersOf('tls.1')).toEqual({});
  for (const [benchmark, count] of [
    ['1.6', 117],
    ['1.7', 117],
    ['1.8', 118],
  ] as const) {
    const numbers = CHECKS.flatMap(({ id }) => (/^\d/.test(id) ? (idIn(id, benchmark) ?? []) : []));
    expect([new Set(numbers).size, numbers.length]).toEqual([count, count]);
  }
});

test('a number means what its edition says: in results, --check, baseline and comparison', () => {
  expect(titleOf('1.6', '2.7')).toSay('tcp-served-mutual-tls');
  expect(titleOf('1.8', '2.8')).toSay('tcp-served-mutual-tls');
  const chosen = selectResults(host, { checks: ['2.7'], benchmark: '1.6' }, NOW);
  expect(chosen.results.map(({ id, cis }) => [id, cis['1.8']])).toEqual([['2.7', '2.8']]);

  const text = 'accept: [{ check: "2.9", reason: shared images, expires: 2027-01-01 }]';
  const old = applyBaseline(inBenchmark(host.results, '1.6'), 'web', parseBaseline(text, 'b', '1.6'), NOW);
  expect(old.find(({ accepted }) => accepted !== undefined)?.title).toSay('user-namespaces-use');
  expect(() => parseBaseline(text.replace('2.9', '2.19'), 'b', '1.6')).toThrow();

  const before: AuditReport = {
    createdAt: '',
    version: '',
    benchmark: '1.6',
    vulnerabilities: '2026-11-26',
    subjects: [{ ...host, results: inBenchmark(host.results, '1.6') }],
  };
  const now: AuditReport = { ...before, benchmark: '1.8', subjects: [host] };
  expect(findingsOfReport(JSON.stringify(before), 'r')).toEqual(findingsOfReport(JSON.stringify(now), 'r'));
  expect(findingsOfReport(JSON.stringify(now), 'r', '1.6')).toEqual(
    findingsOfReport(JSON.stringify(before), 'r', '1.6'),
  );
});

test('SARIF has the numbers of all editions', () => {
  const log = JSON.parse(
    renderSarif({ createdAt: NOW.toISOString(), version: '', benchmark: '1.8', vulnerabilities: '', subjects: [host] }),
  );
  const rule = log.runs[0].tool.driver.rules.find(({ id }: { id: string }) => id === '2.8');
  expect(rule.properties.tags).toEqual([
    'security',
    'docker',
    'CIS Docker Level 1',
    'CIS Docker 1.6: 2.7',
    'CIS Docker 1.7: 2.7',
    'CIS Docker 1.8: 2.8',
  ]);
});

test('--benchmark: an edition without the control knows no such check', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-benchmark-'));
  try {
    writeFileSync(join(directory, 'c.yml'), 'services:\n  web:\n    image: a:1\n');
    const audit = (...argv: string[]) =>
      runCli(['audit', '--home', directory, '--compose', 'c.yml', ...argv], { cwd: directory });
    expect((await audit('--json')).out).toContain('"benchmark": "1.8"');
    expect((await audit('--benchmark', '1.6', '--json')).out).toContain('"benchmark": "1.6"');
    const refused = await audit('--benchmark', '1.6', '--check', '2.19');
    expect([refused.exit, refused.err]).toEqual([2, expect.toSay('no-such-check')]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('checks stand in the order of their numbers, before those with names', () => {
  const ids = [
    'container.10',
    'dockerfile.tag',
    '5.10',
    'container.2',
    '5.9',
    'dockerfile.4.10',
    '1.1.3',
    'dockerfile.4.9',
  ];
  expect(inBenchmarkOrder(ids.map((id) => ({ id }))).map(({ id }) => id)).toEqual([
    '1.1.3',
    '5.9',
    '5.10',
    'container.2',
    'container.10',
    'dockerfile.4.9',
    'dockerfile.4.10',
    'dockerfile.tag',
  ]);
});
