/** Score: one number, and the text that explains it. */

import { plural } from '../../../core/domain/words.ts';
import { rank, SEVERITIES, type Severity } from './check.ts';
import { type CheckResult, counts } from './evaluate.ts';

export type Grade = 'A' | 'B' | 'C' | 'D' | 'F';

export type Score = {
  /** 0 to 100; undefined if data is missing, since missing data must not count as good. */
  readonly value?: number;
  readonly grade?: Grade;
  readonly passed: number;
  /** Findings that are not accepted, by severity. */
  readonly findings: Readonly<Record<Severity, number>>;
  readonly accepted: number;
  readonly notApplicable: number;
  /** Explanation of the number, one or two sentences. */
  readonly explanation: string;
};

/** Weight of a check: a critical one equals twenty of low severity; `info` does not count. */
const WEIGHTS: Readonly<Record<Severity, number>> = { critical: 20, high: 10, medium: 4, low: 1, info: 0 };

/** Maximum score while one finding of this severity is open. */
const CEILINGS: readonly (readonly [Severity, number])[] = [
  ['critical', 39],
  ['high', 69],
];

function gradeOf(value: number): Grade {
  return value >= 90 ? 'A' : value >= 75 ? 'B' : value >= 60 ? 'C' : value >= 40 ? 'D' : 'F';
}

/**
 * Share of applicable checks that pass, weighted by severity. One open critical finding keeps it below 40, one open high finding below 70.
 * An accepted finding counts neither as passed nor as failed. Without applicable checks it is 100. There is no number while a check lacks
 * data.
 */
export function score(results: readonly CheckResult[]): Score {
  const passes = results.filter(({ state }) => state === 'pass');
  const open = results.filter(counts);
  const findings = Object.fromEntries(
    SEVERITIES.map((severity) => [severity, open.filter((result) => result.severity === severity).length]),
  ) as Record<Severity, number>;
  function weigh(list: readonly CheckResult[]): number {
    return list.reduce((sum, { severity }) => sum + WEIGHTS[severity], 0);
  }
  const good = weigh(passes);
  const whole = good + weigh(open);
  const share = whole === 0 ? 100 : Math.floor((100 * good) / whole);
  const counted = {
    passed: passes.length,
    findings,
    accepted: results.filter(({ accepted }) => accepted !== undefined).length,
    notApplicable: results.filter(({ state }) => state === 'not-applicable').length,
  };
  const unseen = results.filter((result) => result.unseen === true);
  if (unseen.length > 0) {
    return {
      ...counted,
      explanation: `${plural(unseen.length, 'check')} had no verdict: ${unseen[0]?.reason}.`,
    };
  }
  const ceiling = CEILINGS.find(([severity, most]) => findings[severity] > 0 && share > most);
  const value = ceiling === undefined ? share : ceiling[1];
  const held = ceiling === undefined ? '' : ` An open ${ceiling[0]} finding holds it at ${ceiling[1]}.`;
  return {
    ...counted,
    value,
    grade: gradeOf(value),
    explanation: `${share} % of the applicable checks pass, weighted by severity (critical 20, high 10, medium 4, low 1, info 0).${held}`,
  };
}

/** `87 of 100 (B)`, or `no score`. */
export function scoreWords({ value, grade }: Score): string {
  return value === undefined ? 'no score' : `${value} of 100 (${grade})`;
}

/** True if an open finding reaches the threshold of `--fail-on`. */
export function fails(results: readonly CheckResult[], threshold: Severity): boolean {
  return results.some((result) => counts(result) && rank(result.severity) <= rank(threshold));
}
