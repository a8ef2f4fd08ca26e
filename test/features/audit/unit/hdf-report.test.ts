/** The report in the Heimdall Data Format, read by inspecjs, the library of MITRE's Heimdall. */

import { contextualizeEvaluation, convertFile } from 'inspecjs';
import { expect, test } from 'vitest';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { levelOf } from '../../../../src/features/audit/domain/benchmark.ts';
import { CHECKS } from '../../../../src/features/audit/domain/evaluate.ts';
import { auditComposeFiles } from '../../../../src/features/audit/domain/files/audited-file.ts';
import { formOf } from '../../../../src/features/audit/domain/report/forms.ts';
import { renderHdf } from '../../../../src/features/audit/domain/report/hdf.ts';
import { type AuditReport, auditHost, reportHead } from '../../../../src/features/audit/domain/report/report.ts';
import { recordedBytes } from '../support/audit-facts.ts';

const COMPOSE = 'services:\n  web:\n    image: a:1\n    privileged: true\n';
const files = auditComposeFiles('c.yml', [{ path: 'c.yml', text: COMPOSE }], {
  root: '/',
  read: () => ({ reason: 'missing' }),
});
const host = auditHost('build-1', parseAuditFacts(recordedBytes('bad-trixie')));
const accepted = { reason: 'as agreed', expires: '2027-01-31' };
const report: AuditReport = {
  ...reportHead(new Date('2026-11-30T12:00:00Z'), '1.2.3', '1.8'),
  subjects: [
    { ...host, results: host.results.map((one) => (one.id === '2.2' ? { ...one, accepted } : one)) },
    files,
    { kind: 'unreachable', name: 'gone', error: 'no answer' },
  ],
};

test('the reader takes it, and says of every check what we say', () => {
  const converted = convertFile(renderHdf(report), true);
  const exec = converted['1_0_ExecJson'];
  expect(exec?.profiles.map(({ name }) => name)).toEqual(['build-1', 'c.yml', 'gone']);
  const contextual = contextualizeEvaluation(exec as NonNullable<typeof exec>);
  const controls = contextual.contains[0]?.contains ?? [];
  const statuses = new Map(controls.map(({ hdf }) => [hdf.wraps.id, hdf.status]));
  expect(statuses.size).toBe(host.results.length);
  for (const { id, state, manual, severity, unseen } of host.results) {
    const wanted =
      id === '2.2' || (state === 'finding' && severity === 'info') || (manual && state !== 'finding')
        ? [expect.anything()]
        : state === 'pass'
          ? ['Passed']
          : state === 'finding'
            ? ['Failed']
            : unseen
              ? ['Profile Error']
              : ['Not Reviewed', 'Not Applicable'];
    expect(wanted, id).toContainEqual(statuses.get(id));
  }
  const severities = new Map(controls.map(({ hdf }) => [hdf.wraps.id, hdf.severity]));
  expect([severities.get('2.8'), severities.get('5.5'), severities.get('2.2')]).toEqual(['critical', 'high', 'medium']);
  expect(controls.find(({ hdf }) => hdf.wraps.id === '2.2')?.hdf.waived).toBe(true);
  const [gone, ...more] = contextual.contains[2]?.contains ?? [];
  expect([gone?.hdf.status, gone?.hdf.severity, more]).toEqual(['Profile Error', 'critical', []]);
  expect(exec?.profiles[2]?.controls[0]?.results[0]).toMatchObject({ status: 'error', exception: 'no answer' });
});

test('a name chooses the form', () => {
  expect(formOf(undefined, 'a.hdf.json')).toBe('hdf');
  expect(formOf(undefined, 'a.sarif.json')).toBe('sarif');
  expect(formOf(undefined, 'hdf.json')).toBe('json');
  expect(formOf('json', 'a.hdf.json')).toBe('json');
});

test('levels: every control of the benchmark has one, and no check of docker-tls', () => {
  const levels = new Map(CHECKS.map(({ id }) => [id, levelOf(id)]));
  for (const [id, level] of levels) expect([id, level !== undefined]).toEqual([id, /^\d/.test(id)]);
  const second = [...levels].filter(([, level]) => level === '2').map(([id]) => id);
  // As in the text of the benchmark (1.6 to 1.8): `Level 2 - Docker - Linux`, and of Swarm; sources in benchmark.ts.
  expect(second).toEqual([
    ...Array.from({ length: 12 }, (_, index) => `1.1.${index + 7}`),
    ...['2.10', '2.11', '2.12', '2.13', '2.14', '2.18'],
    ...['3.17', '3.18', '3.19', '3.20', '3.22', '3.21'].sort(),
    ...['4.5', '4.8', '4.11', '5.3', '5.23', '5.24', '5.30', '7.4'],
  ]);
  expect([levelOf('compose.5.5'), levelOf('dockerfile.4.1'), levelOf('compose.5.30')]).toEqual(['1', '1', '2']);
});
