import { describe, expect, test } from 'vitest';
import type { Severity, Verdict } from '../../../../src/features/audit/domain/check.ts';
import type { CheckResult } from '../../../../src/features/audit/domain/evaluate.ts';
import { fails, score, scoreWords } from '../../../../src/features/audit/domain/score.ts';

function result(state: Verdict['state'], severity: Severity, accepted?: CheckResult['accepted']): CheckResult {
  return {
    id: 'x.1',
    cis: {},
    title: 't',
    failure: 'f',
    group: 'Host',
    severity,
    why: 'w',
    fix: 'm',
    manual: false,
    state,
    evidence: [],
    accepted,
  };
}

const ACCEPTED = { reason: 'r', expires: '2027-01-01' };

describe('score', () => {
  test.each([
    ['nothing applies', [result('not-applicable', 'high')], 100, 'A'],
    ['all pass', [result('pass', 'low'), result('pass', 'high')], 100, 'A'],
    ['half by weight', [result('pass', 'medium'), result('finding', 'medium')], 50, 'D'],
    ['one small thing among large ones', [result('pass', 'critical'), result('finding', 'low')], 95, 'A'],
    ['info does not count', [result('pass', 'low'), result('finding', 'info')], 100, 'A'],
    [
      'a critical finding holds it down',
      [...Array(50).fill(result('pass', 'critical')), result('finding', 'critical')],
      28,
      'F',
    ],
    [
      'a high finding holds it down',
      [...Array(50).fill(result('pass', 'critical')), result('finding', 'high')],
      58,
      'D',
    ],
    [
      'an accepted finding counts neither way',
      [result('pass', 'low'), result('finding', 'critical', ACCEPTED)],
      100,
      'A',
    ],
    ['all fail', [result('finding', 'low')], 0, 'F'],
  ])('%s', (_name, results, value, grade) => {
    expect(score(results)).toMatchObject({ value, grade });
  });

  test.each(['critical', 'high'] as const)('moves with each fix while a %s finding is open', (severity) => {
    const rest = Array.from({ length: 9 }, () => result('pass', 'medium'));
    const before = score([result('finding', severity), ...rest, result('finding', 'medium')]).value ?? 0;
    expect(score([result('finding', severity), ...rest, result('pass', 'medium')]).value).toBeGreaterThan(before);
  });

  test('is none while something could not be seen', () => {
    const unseen: CheckResult = { ...result('not-applicable', 'high'), reason: 'no answer', unseen: true };
    const none = score([result('pass', 'low'), unseen]);
    expect([none.value, none.grade, none.explanation]).toEqual([
      undefined,
      undefined,
      expect.toSay('check-had-no-verdict', '1'),
    ]);
    expect([scoreWords(none), scoreWords(score([result('pass', 'low')]))]).toEqual(['no score', '100 of 100 (A)']);
  });

  test('is none without any check', () => {
    expect(score([])).toMatchObject({ explanation: expect.toSay('nothing-checked') });
    expect(scoreWords(score([]))).toBe('no score');
  });

  test('says how it came about', () => {
    expect(score([...Array(9).fill(result('pass', 'high')), result('finding', 'critical')]).explanation).toSay(
      'applicable-checks-pass-weighted',
      '81',
      '20',
      '10',
      '4',
      '1',
      '0',
      '29',
    );
  });
});

describe('--fail-on', () => {
  test.each([
    ['high', 'critical', true],
    ['high', 'high', true],
    ['high', 'medium', false],
    ['info', 'info', true],
    ['critical', 'high', false],
  ] as const)('%s with a %s finding: %s', (threshold, severity, expected) => {
    expect(fails([result('pass', 'critical'), result('finding', severity)], threshold)).toBe(expected);
    expect(fails([result('finding', severity, ACCEPTED)], threshold)).toBe(false);
  });
});
