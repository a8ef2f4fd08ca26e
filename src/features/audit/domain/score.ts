/** Score: one number, and the text that explains it. */

import { listWords, plural } from '../../../core/domain/words.ts';
import { rank, SEVERITIES, type Severity } from './check.ts';
import { type CheckResult, counts } from './evaluate.ts';

export type Grade = 'A' | 'B' | 'C' | 'D' | 'F';

export type Counts = Readonly<Record<Severity, number>>;

export type Score = {
  /** 0 to 100; undefined if data is missing, since missing data must not count as good. */
  readonly value?: number;
  readonly grade?: Grade;
  readonly passed: number;
  /** Findings that are not accepted, by severity. */
  readonly findings: Counts;
  /** Those of them that can be fixed now. */
  readonly fixableNow: Counts;
  /** Those that wait for a package: the value leaves them out. */
  readonly waiting: Counts;
  /** The packages without a newer version for the host. */
  readonly awaited: readonly string[];
  readonly accepted: number;
  readonly notApplicable: number;
  /** Explanation of the number, one or two sentences. */
  readonly explanation: string;
};

/** Weight of a check: a critical one equals twenty of low severity; `info` does not count. */
const WEIGHTS: Readonly<Record<Severity, number>> = { critical: 20, high: 10, medium: 4, low: 1, info: 0 };

/** What the number counts up to while one finding of this severity is open. */
const CEILINGS: readonly (readonly [Severity, number])[] = [
  ['critical', 29],
  ['high', 59],
];

function gradeOf(value: number): Grade {
  return value >= 90 ? 'A' : value >= 75 ? 'B' : value >= 60 ? 'C' : value >= 40 ? 'D' : 'F';
}

function countsOf(results: readonly CheckResult[]): Counts {
  const count = (severity: Severity) => results.filter((result) => result.severity === severity).length;
  return Object.fromEntries(SEVERITIES.map((severity) => [severity, count(severity)])) as Record<Severity, number>;
}

function weigh(results: readonly CheckResult[]): number {
  return results.reduce((sum, { severity }) => sum + WEIGHTS[severity], 0);
}

/**
 * Share of applicable checks that pass, weighted by severity, of those that an administrator can make pass now. While a critical finding is
 * open it counts up to 29, while a high one is open up to 59, so that other fixes still count. An accepted finding counts neither as passed
 * nor as failed, as does one that waits for a package. Without applicable checks it is 100. There is no number while a check lacks data, and
 * none without any check.
 */
export function score(results: readonly CheckResult[]): Score {
  const passes = results.filter(({ state }) => state === 'pass');
  const open = results.filter(counts);
  const fixable = open.filter(({ waits }) => waits === undefined);
  const waiting = open.filter(({ waits }) => waits !== undefined);
  const good = weigh(passes);
  const whole = good + weigh(fixable);
  const share = whole === 0 ? 100 : Math.floor((100 * good) / whole);
  const fixableNow = countsOf(fixable);
  const counted = {
    passed: passes.length,
    findings: countsOf(open),
    fixableNow,
    waiting: countsOf(waiting),
    awaited: [...new Set(waiting.flatMap(({ waits = '' }) => waits.split(', ')))],
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
  if (results.length === 0) return { ...counted, explanation: 'Nothing was checked here.' };
  const [severity, most] = CEILINGS.find(([severity]) => fixableNow[severity] > 0) ?? [undefined, 100];
  const value = whole === 0 ? most : Math.floor((most * good) / whole);
  const held = severity === undefined ? '' : ` With an open ${severity} finding the score counts up to ${most}.`;
  return {
    ...counted,
    value,
    grade: gradeOf(value),
    explanation: `${share} % of the applicable checks pass, weighted by severity (critical 20, high 10, medium 4, low 1, info 0).${held}`,
  };
}

/** `2 high, 1 medium`; empty without findings. */
export function countWords(list: Counts): string {
  return SEVERITIES.flatMap((severity) => (list[severity] > 0 ? [`${list[severity]} ${severity}`] : [])).join(', ');
}

/** The part of the findings that no upgrade fixes yet; undefined without any. */
export function waitingWords({ waiting, awaited }: Score): string | undefined {
  const words = countWords(waiting);
  return words === '' ? undefined : `${words}: the host's package index has no newer ${listWords(awaited, 6)}`;
}

/** `87 of 100 (B)`, or `no score`. */
export function scoreWords({ value, grade }: Score): string {
  return value === undefined ? 'no score' : `${value} of 100 (${grade})`;
}

/** True if an open finding reaches the threshold of `--fail-on`. */
export function fails(results: readonly CheckResult[], threshold: Severity): boolean {
  return results.some((result) => counts(result) && rank(result.severity) <= rank(threshold));
}
