import { describe, expect, test } from 'vitest';
import { applyBaseline } from '../../../../src/features/audit/domain/baseline.ts';
import { auditComposeFiles, auditDockerfileText } from '../../../../src/features/audit/domain/files/audited-file.ts';
import { MISSING } from '../../../../src/features/audit/domain/files/compose-project.ts';
import { reportHead } from '../../../../src/features/audit/domain/report/report.ts';
import { auditReportDocument } from '../../../../src/features/audit/domain/report/report-document.ts';
import { renderAuditTable } from '../../../../src/features/audit/domain/report/report-table.ts';
import { renderSarif } from '../../../../src/features/audit/domain/report/sarif.ts';

const compose = (text: string, others: Readonly<Record<string, string>> = {}) =>
  auditComposeFiles('c.yaml', [{ path: 'c.yaml', text }], {
    root: '/srv/app',
    read: (path) => (others[path] === undefined ? { reason: MISSING } : { text: others[path] }),
  });

const dockerfile = (text: string) => auditDockerfileText({ path: 'Dockerfile', text });

const result = ({ results }: ReturnType<typeof compose>, id: string) => results.find((one) => one.id === id);

const TWO = (first: string, second: string) =>
  `services:\n  a:\n    privileged: true${first}\n${second}  b:\n    privileged: true\n`;

describe('a comment accepts a finding', () => {
  test('at its line, and no other one', () => {
    const found = result(compose(TWO(' # docker-tls ignore=compose.5.5 it builds images', '')), 'compose.5.5');
    expect(found?.accepted).toBeUndefined();
    expect(found?.evidence.map(({ place }) => place)).toEqual(['service b']);
    expect(found?.acceptedEvidence).toMatchObject([
      { place: 'service a', line: 3, text: 'is privileged', accepted: { reason: 'it builds images' } },
    ]);
  });

  test('below it, past other comments', () => {
    const text = '# docker-tls ignore=dockerfile.4.9,dockerfile.4.10 a test key\n# more\n\n';
    const file = dockerfile(`FROM a:1\n${text}ADD id_rsa /\nADD b /\n`);
    expect(result(file, 'dockerfile.4.10')?.accepted).toEqual({ reason: 'a test key' });
    expect(result(file, 'dockerfile.4.9')?.evidence.map(({ line }) => line)).toEqual([6]);
  });

  test('whole, with the reason and without a last day; the score goes without it', () => {
    const service = (comment: string) => compose(`services:\n  a:\n    privileged: true${comment}\n`);
    const [open, accepted] = [service(''), service(' # docker-tls ignore=compose.5.5 it builds images')];
    expect(result(accepted, 'compose.5.5')?.accepted).toEqual({ reason: 'it builds images' });
    expect([open.score.findings.high, accepted.score.findings.high]).toEqual([1, 0]);
    expect(accepted.score.accepted).toBe(1);
  });

  test('in the file that the finding is in', () => {
    const base = 'services:\n  base:\n    privileged: true # docker-tls ignore=compose.5.5 it builds images\n';
    const file = compose('services:\n  a:\n    extends: { file: base.yaml, service: base }\n', { 'base.yaml': base });
    expect(result(file, 'compose.5.5')?.accepted).toEqual({ reason: 'it builds images' });
  });

  test('several, each with its reason', () => {
    const text = TWO(' # docker-tls ignore=compose.5.5 one', '').replace(
      /true\n$/,
      'true # docker-tls ignore=compose.5.5 two\n',
    );
    expect(result(compose(text), 'compose.5.5')?.accepted).toEqual({ reason: 'one; two' });
  });

  test('and SARIF and the table say by what', () => {
    const file = compose(TWO(' # docker-tls ignore=compose.5.5 one', ''));
    const report = { ...reportHead(new Date('2029-01-01'), '1', '1.8'), subjects: [file] };
    expect(renderAuditTable(report, { columns: 100 })).toSay('place-accepted-comment-baseline', '1');
    const found = JSON.parse(renderSarif(report)).runs[0].results.filter(
      ({ ruleId }: { ruleId: string }) => ruleId === 'compose.5.5',
    );
    expect(found.map(({ suppressions }: { suppressions?: unknown }) => suppressions)).toEqual([
      undefined,
      [{ kind: 'inSource', status: 'accepted', justification: 'one' }],
    ]);
    const { subjects } = auditReportDocument({ ...report, comparison: undefined });
    expect(JSON.stringify(subjects)).toContain(
      '"acceptedEvidence":[{"place":"service a","text":"is privileged","file":"c.yaml","line":3,"accepted":{"reason":"one"}}]',
    );
  });

  test('beside a baseline for the rest', () => {
    const { results } = compose(TWO(' # docker-tls ignore=compose.5.5 one', ''));
    const accept = [{ check: 'compose.5.5', reason: 'two', expires: '2030-01-01' }];
    const both = applyBaseline(results, 'c.yaml', { accept }, new Date('2029-01-01'));
    expect(both.find(({ id }) => id === 'compose.5.5')).toMatchObject({
      accepted: { reason: 'two' },
      acceptedEvidence: [{ place: 'service a', accepted: { reason: 'one' } }],
    });
  });
});

test('behind an instruction of a Dockerfile it is a part of the command', () => {
  const file = dockerfile('FROM a:1\nADD b / # docker-tls ignore=dockerfile.4.9 x\n');
  expect(result(file, 'dockerfile.4.9')?.accepted).toBeUndefined();
});

test.each([
  ['ignore=compose.5.5', expect.toSay('say-why-accepted')],
  ['ignore=compose.5.99 x', expect.toSay('check', 'compose.5.99')],
  ['ignore= x', expect.toSay('check-2')],
])('%s accepts nothing, and is refused', (comment, message) => {
  expect(() => compose(TWO(` # docker-tls ${comment}`, ''))).toThrow(
    expect.objectContaining({ name: 'DockerTlsErrors', message }),
  );
});
