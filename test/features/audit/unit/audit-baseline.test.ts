import { describe, expect, test } from 'vitest';
import type { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import {
  applyBaseline,
  expiredWords,
  parseBaseline,
  renderBaseline,
} from '../../../../src/features/audit/domain/baseline.ts';
import { compareReports, findingsOfReport } from '../../../../src/features/audit/domain/compare.ts';
import { counts } from '../../../../src/features/audit/domain/evaluate.ts';
import { auditDockerfileText } from '../../../../src/features/audit/domain/files/audited-file.ts';
import { auditCompose } from '../../../../src/features/audit/domain/files/compose.ts';
import { type AuditReport, auditHost, fileName } from '../../../../src/features/audit/domain/report/report.ts';
import { score } from '../../../../src/features/audit/domain/score.ts';
import { altered, recordedBytes } from '../support/audit-facts.ts';

const NOW = new Date('2027-03-01T12:00:00Z');
const host = auditHost('build-1', parseAuditFacts(recordedBytes('bad-trixie')));

function apply(yaml: string, subject = 'build-1') {
  return applyBaseline(host.results, subject, parseBaseline(yaml, 'b.yaml'), NOW);
}

function one(results: ReturnType<typeof apply>, id: string) {
  return results.find((result) => result.id === id);
}

describe('a baseline', () => {
  test('accepts a finding until its last day', () => {
    const text = 'accept:\n  - check: "2.10"\n    reason: images are shared\n    expires: 2027-03-01\n';
    expect(one(apply(text), '2.10')?.accepted).toEqual({ reason: 'images are shared', expires: '2027-03-01' });
    expect(one(apply(text.replace('03-01', '02-28')), '2.10')?.accepted).toBeUndefined();
    expect(expiredWords(parseBaseline(text.replace('03-01', '02-28'), 'b'), NOW)).toSay(
      'entry-accepted-until-day',
      '1',
    );
  });

  test('holds for the host that it names', () => {
    const text = '{"accept": [{"check": "2.10", "host": "build-1", "reason": "r", "expires": "2028-01-01"}]}';
    expect(one(apply(text), '2.10')?.accepted).toBeDefined();
    expect(one(apply(text, 'web-1'), '2.10')?.accepted).toBeUndefined();
  });

  test.each(['host: [build-1, web-1]', 'host: ""', 'host:', 'place: [a, b]', 'place: { a: b }'])(
    'with %s does not hold everywhere, but is refused',
    (entry) => {
      const text = `accept:\n- check: "2.10"\n  ${entry}\n  reason: r\n  expires: 2028-01-01\n`;
      expect(() => apply(text)).toThrow(expect.toSay('text'));
    },
  );

  test('ends on a day that there is', () => {
    const text = 'accept: [{ check: "2.10", reason: r, expires: 2028-02-30 }]';
    expect(() => apply(text)).toThrow(expect.toSay('day-missing'));
  });

  test('of a place leaves the others open', () => {
    const text = 'accept: [{ check: "4.1", place: "container bad", reason: r, expires: 2028-01-01 }]';
    const result = one(apply(text), '4.1');
    expect(result?.evidence.map(({ place }) => place)).toEqual(['container loose']);
    expect(result?.acceptedEvidence?.map(({ place }) => place)).toEqual(['container bad']);
    expect(result !== undefined && counts(result)).toBe(true);
    const both = `${text.slice(0, -1)}, { check: "4.1", place: "container loose", reason: r, expires: 2028-01-01 }]`;
    expect(one(apply(both), '4.1')?.accepted).toBeDefined();
  });

  test('takes a star for the rest of an id, and ids that look like numbers', () => {
    expect(
      apply('accept: [{ check: "3.*", reason: r, expires: 2028-01-01 }]')
        .filter(({ accepted }) => accepted)
        .every(({ id }) => id.startsWith('3.')),
    ).toBe(true);
    expect(one(apply('accept: [{ check: 2.10, reason: r, expires: 2028-01-01 }]'), '2.10')?.accepted).toBeDefined();
  });

  test('of 2.10 is not one of 2.1', () => {
    const results = apply('accept: [{ check: 2.10, reason: r, expires: 2028-01-01 }]');
    expect([one(results, '2.1')?.accepted, one(results, '2.10')?.accepted?.reason]).toEqual([undefined, 'r']);
    const shorter = apply('accept: [{ check: 2.1, reason: r, expires: 2028-01-01 }]');
    expect(one(shorter, '2.10')?.accepted).toBeUndefined();
  });

  test('of the gravest place leaves a finding as grave as the others are', () => {
    const evidence = [
      { text: '', place: 'container a', severity: 'critical' },
      { text: '', place: 'container b', severity: 'low' },
    ];
    const results = [{ ...one(host.results, '4.1'), severity: 'critical', evidence }] as unknown as typeof host.results;
    const text = (place: string) => `accept: [{ check: "4.1", place: ${place}, reason: r, expires: 2028-01-01 }]`;
    const without = (place: string) =>
      applyBaseline(results, 'build-1', parseBaseline(text(place), 'b'), NOW).map(({ severity }) => severity);
    expect([without('container a'), without('container b')]).toEqual([['low'], ['critical']]);
  });

  test('for a check that there is not is refused with the nearest, and one for a section is not', () => {
    const entry = (check: string) => `accept: [{ check: "${check}", reason: r, expires: 2028-01-01 }]`;
    expect(() => apply(entry('2.99'))).toThrow(expect.toSay('no-check-but', '2.99', '2.9'));
    expect(() => apply(entry('9.*'))).toThrow(expect.toSay('no-check', '9.*'));
    for (const known of ['2.10', '2.*', '*', 'compose.5.*', 'dockerfile.shell', 'ssh.6'])
      expect(() => apply(entry(known))).not.toThrow();
  });

  test('names a file however its path is written', () => {
    const text = (path: string) => `accept: [{ check: "2.10", host: ${path}, reason: r, expires: 2028-01-01 }]`;
    expect(one(apply(text('./a//b.yml'), 'a/b.yml'), '2.10')?.accepted).toBeDefined();
    expect(one(apply(text('../b.yml'), 'b.yml'), '2.10')?.accepted).toBeUndefined();
  });

  test('changes nothing that passed', () => {
    expect(
      apply('accept: [{ check: "*", reason: r, expires: 2028-01-01 }]')
        .filter(({ state }) => state !== 'finding')
        .some(({ accepted }) => accepted),
    ).toBe(false);
  });

  test('with mistakes is refused with all of them and their lines', () => {
    const text =
      'accept:\n  - check: "2.10"\n    expires: never\n  - { reason: r, expires: 2028-01-01, chek: x }\nothers: 1\n';
    let errors: DockerTlsErrors | undefined;
    try {
      parseBaseline(text, 'b.yaml');
    } catch (error) {
      errors = error as DockerTlsErrors;
    }
    expect(errors?.errors.map(({ where, message }) => `${where} ${message}`)).toEqual([
      expect.toSay('not-known-only', 'b.yaml:1', '"others"', '"accept"'),
      expect.toSay('accept-reason-say-why', 'b.yaml:2', '0'),
      expect.toSay('accept-expires-day-missing', 'b.yaml:2', '0', '2027-06-30'),
      'b.yaml:4 accept[1]: "chek" is not known',
      expect.toSay('accept-check-id-check', 'b.yaml:4', '1'),
    ]);
  });

  test.each(['', 'accept: 3', '- a', 'accept: [', '&a [*a]'])('%j is refused or empty, and never a crash', (text) => {
    try {
      expect(parseBaseline(text, 'b').accept).toEqual([]);
    } catch (error) {
      expect(error).toMatchObject({ name: 'DockerTlsErrors' });
    }
  });
});

describe('the comparison with the last report', () => {
  const report: AuditReport = {
    createdAt: NOW.toISOString(),
    version: '0.1.0',
    benchmark: '1.8',
    vulnerabilities: '2026-11-26',
    subjects: [host],
  };
  const fixed: AuditReport = {
    ...report,
    subjects: [
      {
        ...host,
        results: host.results.map((result) => (result.id === '2.10' ? { ...result, state: 'pass' } : result)),
      },
    ],
  };

  test('with itself, as printed, finds no news', () => {
    const before = findingsOfReport(JSON.stringify({ schema: 1, result: report }), 'r.json');
    expect(compareReports(before, report)).toEqual({ appeared: [], gone: [], same: before.length });
  });

  test('tells what is new and what is gone', () => {
    expect(compareReports(findingsOfReport(JSON.stringify(report), 'r'), fixed).gone.map(({ check }) => check)).toEqual(
      ['2.10'],
    );
    expect(
      compareReports(findingsOfReport(JSON.stringify(fixed), 'r'), report).appeared.map(({ check }) => check),
    ).toEqual(['2.10']);
  });

  test('what is accepted now is not gone', () => {
    const text =
      'accept: [{ check: "2.10", reason: r, expires: 2028-01-01 }, { check: "4.1", place: container bad, reason: r, expires: 2028-01-01 }]';
    const accepted: AuditReport = { ...report, subjects: [{ ...host, results: apply(text) }] };
    const before = findingsOfReport(JSON.stringify(report), 'r');
    expect(compareReports(before, accepted)).toMatchObject({ appeared: [], gone: [] });
    expect(
      compareReports(findingsOfReport(JSON.stringify(accepted), 'r'), report).appeared.map(({ check }) => check),
    ).toEqual(['2.10', '4.1']);
  });

  test.each([
    ['./c.yml', 'c.yml'],
    ['a/./b//c.yml', 'a/b/c.yml'],
    ['/a/c.yml', '/a/c.yml'],
    ['../c.yml', '../c.yml'],
    ['./.', './.'],
    ['C:\\c.yml', 'C:\\c.yml'],
  ])('a file is the same however its path is written: %s', (path, name) => {
    expect(fileName(path)).toBe(name);
    const results = auditCompose('services: { a: {} }', path);
    const file = { kind: 'compose' as const, name, results, score: score(results) };
    const before = findingsOfReport(JSON.stringify({ ...report, subjects: [{ ...file, name: path }] }), 'r');
    expect(compareReports(before, { ...report, subjects: [file] })).toEqual({
      appeared: [],
      gone: [],
      same: before.length,
    });
  });

  test('a check that was not selected is not gone', () => {
    const some: AuditReport = {
      ...report,
      subjects: [{ ...host, results: host.results.filter(({ id }) => id.startsWith('5.')) }],
    };
    expect(compareReports(findingsOfReport(JSON.stringify(report), 'r'), some).gone).toEqual([]);
  });

  test('an sshd that does not take its configuration hides nothing', () => {
    const sections = { 'sshd 0': undefined, 'sshd 255': '', 'sshd-refusal': '/etc/ssh/sshd_config line 2: no' };
    const broken = auditHost('build-1', altered('bad-trixie', { sections }));
    expect(broken.score.value).toBeUndefined();
    const { gone } = compareReports(findingsOfReport(JSON.stringify(report), 'r'), { ...report, subjects: [broken] });
    expect(gone.filter(({ check }) => check.startsWith('ssh.'))).toEqual([]);
  });

  test('a host that was not reached is no success', () => {
    const silent: AuditReport = { ...report, subjects: [{ kind: 'unreachable', name: 'build-1', error: 'e' }] };
    expect(compareReports(findingsOfReport(JSON.stringify(report), 'r'), silent).gone).toEqual([]);
  });

  test.each(['', '{}', '[]', '{"result": {"subjects": 1}}'])('%j is no report', (text) => {
    expect(() => findingsOfReport(text, 'r.json')).toThrow(expect.objectContaining({ code: 'E_AUDIT_REPORT' }));
  });
});

test('a baseline of a Dockerfile accepts its findings of that day, and no later RUN', () => {
  const now = new Date('2029-01-01');
  const text = 'FROM a:1\nRUN curl -k https://example.com/a -o /a\n';
  const file = auditDockerfileText({ path: 'Dockerfile', text });
  const written = renderBaseline([file], { reason: 'r', expires: '2030-01-01' }, undefined, now);
  const baseline = parseBaseline(written, 'b.yaml');
  const open = ({ results }: typeof file) =>
    applyBaseline(results, 'Dockerfile', baseline, now)
      .filter(({ state, accepted }) => state === 'finding' && accepted === undefined)
      .flatMap(({ id, evidence }) => evidence.map((piece) => `${id} ${piece.text}`));
  expect(open(file)).toEqual([]);
  const later = auditDockerfileText({
    path: 'Dockerfile',
    text: `${text}RUN wget --no-check-certificate https://b/c\n`,
  });
  expect(open(later)).toEqual(['dockerfile.verify uses wget --no-check-certificate']);
});
