/** The score: one number that means something, and the words that explain it. */

import { plural } from '../../../core/domain/words.ts';
import { rank, SEVERITIES, type Severity } from './check.ts';
import { type CheckResult, counts } from './evaluate.ts';

export type Grade = 'A' | 'B' | 'C' | 'D' | 'F';

export type Score = {
  /** 0 to 100; undefined where something could not be seen, since what is not seen is not good. */
  readonly value?: number;
  readonly grade?: Grade;
  readonly passed: number;
  /** Findings that were not accepted, by severity. */
  readonly findings: Readonly<Record<Severity, number>>;
  readonly accepted: number;
  readonly notApplicable: number;
  /** How the number came about, one or two sentences. */
  readonly explanation: string;
};

/** What a check counts for. A critical hole weighs as much as twenty small ones; `info` does not count. */
const WEIGHTS: Readonly<Record<Severity, number>> = { critical: 20, high: 10, medium: 4, low: 1, info: 0 };

/** While one finding of this severity is open, the score is never above. */
const CEILINGS: readonly (readonly [Severity, number])[] = [
  ['critical', 39],
  ['high', 69],
];

function gradeOf(value: number): Grade {
  return value >= 90 ? 'A' : value >= 75 ? 'B' : value >= 60 ? 'C' : value >= 40 ? 'D' : 'F';
}

/**
 * The share of the applicable checks that pass, weighted by severity; one open critical finding holds it below 40, one
 * open high finding below 70. An accepted finding counts as neither passed nor failed. Nothing applicable gives 100. There is no number
 * while a check is unseen.
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
      explanation: `${plural(unseen.length, 'check')} could not be judged: ${unseen[0]?.reason}.`,
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

/** `87 of 100 (B)`, or that there is none. */
export function scoreWords({ value, grade }: Score): string {
  return value === undefined ? 'no score' : `${value} of 100 (${grade})`;
}

/** True when an open finding is at least as grave as the threshold: `--fail-on`. */
export function fails(results: readonly CheckResult[], threshold: Severity): boolean {
  return results.some((result) => counts(result) && rank(result.severity) <= rank(threshold));
}
