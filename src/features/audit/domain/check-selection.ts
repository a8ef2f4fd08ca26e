/** Selection of checks for an audit, and accepted findings. */

import { nearestNames } from '../../../core/domain/fleet/nearest.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import { printable, usage } from '../../../errors/errors.ts';
import { applyBaseline, type Baseline, matchesCheck } from './baseline.ts';
import { type Benchmark, idIn, type Level, NEWEST } from './benchmark.ts';
import { CHECKS, inBenchmark } from './evaluate.ts';
import { COMPOSE_CHECKS } from './files/compose.ts';
import { DOCKERFILE_CHECKS } from './files/dockerfile.ts';
import type { AuditedFile, AuditedHost, Subject } from './report/report.ts';
import { score } from './score.ts';

/** Selected checks and the baseline of a run. */
export type CheckSelection = {
  /** Check IDs; a final `*` is a wildcard. Empty: all. */
  readonly checks: readonly string[];
  /** Edition of the check numbers, in this selection and in the baseline. */
  readonly benchmark?: Benchmark;
  /** Only the controls of this profile of the benchmark. */
  readonly level?: Level | undefined;
  readonly baseline?: Baseline;
};

/** The subject with the selected checks, marked accepted findings, and a new score. */
export function selectResults<S extends AuditedHost | AuditedFile>(
  subject: S,
  selection: CheckSelection,
  now: Date,
): S {
  const { checks, baseline, level: most, benchmark = NEWEST } = selection;
  const all = inBenchmark(subject.results, benchmark).filter(
    ({ level }) => most === undefined || (level !== undefined && level <= most),
  );
  const chosen =
    checks.length === 0 ? all : all.filter(({ id }) => checks.some((pattern) => matchesCheck(pattern, id)));
  const results = baseline === undefined ? chosen : applyBaseline(chosen, subject.name, baseline, now);
  return { ...subject, results, score: score(results) };
}

/** Every result as a subject of the report, in host order. */
export function subjectsOf(results: readonly HostResult<AuditedHost>[]): Subject[] {
  return results.map((result) => {
    if (result.kind === 'done') return result.value;
    const error =
      result.kind === 'skipped'
        ? result.reason
        : result.errors.map((one) => `${one.message} (${one.code})`).join('; ') || 'no answer';
    return { kind: 'unreachable', name: result.host, error: printable(error, 500) };
  });
}

/**
 * Rejects unknown checks: a misspelt one would pass every host, and a host check every file. `requested`: the audited kinds. Fails with
 * E_USAGE (exit 2).
 */
export function requireChecks(
  patterns: readonly string[],
  benchmark: Benchmark,
  requested: readonly { readonly id: string }[],
): void {
  const numbers = (checks: typeof requested) => checks.flatMap(({ id }) => idIn(id, benchmark) ?? []);
  const ids = numbers(requested);
  const all = numbers([...CHECKS, ...COMPOSE_CHECKS, ...DOCKERFILE_CHECKS]);
  for (const pattern of patterns) {
    if (ids.some((id) => matchesCheck(pattern, id))) continue;
    const exists = all.some((id) => matchesCheck(pattern, id));
    const same = ids.filter((id) => id.endsWith(`.${pattern}`));
    const near = same.length > 0 ? same : nearestNames(pattern, ids);
    throw usage(`--check ${pattern}: there is no such check${exists ? ' for the audited subjects' : ''}`, [
      ...near.map((id) => `--check ${id}`),
      "all of a section: --check '5.*'",
    ]);
  }
}
