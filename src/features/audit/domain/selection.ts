/** The checks of a run of the audit, and the findings that were accepted. */

import { nearestNames } from '../../../core/domain/fleet/nearest.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import { printable, usage } from '../../../errors/errors.ts';
import { applyBaseline, type Baseline, matchesCheck } from './baseline.ts';
import { type Benchmark, idIn, NEWEST } from './benchmark.ts';
import { CHECKS, inBenchmark } from './evaluate.ts';
import { COMPOSE_CHECKS } from './files/compose.ts';
import { DOCKERFILE_CHECKS } from './files/dockerfile.ts';
import type { AuditedFile, AuditedHost, Subject } from './report/report.ts';
import { score } from './score.ts';

/** What a run wants to hear of: only some checks, and without accepted findings. */
export type Selection = {
  /** Ids; `*` at the end stands for anything. Empty: all. */
  readonly checks: readonly string[];
  /** The edition whose numbers name the checks, here and in the baseline. */
  readonly benchmark?: Benchmark;
  readonly baseline?: Baseline;
};

/** The subject with the checks that were asked for; accepted findings are marked, and the score is made anew. */
export function selectResults<S extends AuditedHost | AuditedFile>(subject: S, selection: Selection, now: Date): S {
  const { checks, baseline, benchmark = NEWEST } = selection;
  const all = inBenchmark(subject.results, benchmark);
  const chosen =
    checks.length === 0 ? all : all.filter(({ id }) => checks.some((pattern) => matchesCheck(pattern, id)));
  const results = baseline === undefined ? chosen : applyBaseline(chosen, subject.name, baseline, now);
  return { ...subject, results, score: score(results) };
}

/** Every result as a subject of the report, in the order of the hosts. */
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

/** A misspelt check would pass every host, and one for hosts every file. `requested`: those of what is audited. Fails with E_USAGE (exit 2). */
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
    throw usage(`--check ${pattern}: there is no such check${exists ? ' for what is audited here' : ''}`, [
      ...near.map((id) => `--check ${id}`),
      "all of a section: --check '5.*'",
    ]);
  }
}
