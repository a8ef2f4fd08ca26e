/** Selection of checks for an audit, and accepted findings. */

import type { HostResult } from '../../../core/domain/host-results.ts';
import { nearestNames } from '../../../core/domain/nearest.ts';
import { listWords } from '../../../core/domain/words.ts';
import { printable, usage } from '../../../errors/errors.ts';
import { applyBaseline, type Baseline, matchesCheck } from './baseline.ts';
import { type Benchmark, idIn, type Level, levelOf, NEWEST } from './benchmark.ts';
import { CHECKS, inBenchmark } from './evaluate.ts';
import { COMPOSE_CHECKS } from './files/compose.ts';
import { DOCKERFILE_CHECKS } from './files/dockerfile.ts';
import type { AuditedFile, AuditedHost, AuditReport, Subject } from './report/report.ts';
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
  const { baseline, benchmark = NEWEST } = selection;
  const selected = subject.results.filter(({ id }) => isSelected(id, selection));
  const chosen = inBenchmark(selected, benchmark);
  const results = baseline === undefined ? chosen : applyBaseline(chosen, subject.name, baseline, now);
  return { ...subject, results, score: score(results) };
}

/** What a report says of its selection; undefined if every check was made. */
export function reportedSelection({ checks, level }: CheckSelection): AuditReport['selection'] {
  return checks.length === 0 && level === undefined ? undefined : { level, checks };
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

type Named = { readonly id: string };

/**
 * Rejects unknown checks, and those that the level leaves out: a misspelt one would pass every host, and a host check every file. `kinds`:
 * the checks of each audited kind of subject, of which each must have one. Fails with E_USAGE (exit 2).
 */
export function requireChecks(
  { checks: patterns, benchmark = NEWEST, level }: CheckSelection,
  kinds: readonly (readonly [string, readonly Named[]])[],
): void {
  const numbers = (checks: readonly Named[]) => checks.flatMap(({ id }) => idIn(id, benchmark) ?? []);
  const requested = kinds.flatMap(([, checks]) => checks);
  const ids = numbers(requested.filter(({ id }) => isInLevel(id, level)));
  const all = numbers([...CHECKS, ...COMPOSE_CHECKS, ...DOCKERFILE_CHECKS]);
  for (const pattern of patterns) {
    if (ids.some((id) => matchesCheck(pattern, id))) continue;
    const has = (list: readonly string[]) => list.some((id) => matchesCheck(pattern, id));
    const why = has(numbers(requested)) ? ` in --level ${level}` : has(all) ? ' for the audited subjects' : '';
    const same = ids.filter((id) => id.endsWith(`.${pattern}`));
    const near = same.length > 0 ? same : nearestNames(pattern, ids);
    throw usage(`--check ${pattern}: there is no such check${why}`, [
      ...near.map((id) => `--check ${id}`),
      "all of a section: --check '5.*'",
    ]);
  }
  for (const [kind, checks] of kinds)
    if (!checks.some(({ id }) => isSelected(id, { checks: patterns, benchmark, level })))
      throw usage(`none of the selected checks is for ${kind}: nothing of it would be checked`, []);
}

/** Whether the profile has a check, by its ID in the newest edition. */
function isInLevel(id: string, most: Level | undefined): boolean {
  const level = levelOf(id);
  return most === undefined || (level !== undefined && level <= most);
}

/** Whether a check is judged, by its ID in the newest edition. */
function isSelected(id: string, { checks, benchmark = NEWEST, level }: CheckSelection): boolean {
  const number = idIn(id, benchmark);
  if (number === undefined || !isInLevel(id, level)) return false;
  return checks.length === 0 || checks.some((pattern) => matchesCheck(pattern, number));
}

/** What the options do on hosts is for these checks alone. */
const PROBES = {
  probeContainers: (id: string) => id.startsWith('isolation.') || /^2\.(?:2|10|15|18)$/.test(id),
  probeAuditd: (id: string) => id === 'host.18',
} as const;

export type Probes = { readonly [name in keyof typeof PROBES]: boolean };

/** Rejects probes for checks that are not selected: the hosts would be touched for nothing. Fails with E_USAGE (exit 2). */
export function requireProbes(selection: CheckSelection, probes: Probes): void {
  for (const [name, isFor] of Object.entries(PROBES)) {
    const ids = CHECKS.map(({ id }) => id).filter(isFor);
    if (!probes[name as keyof Probes] || ids.some((id) => isSelected(id, selection))) continue;
    const numbers = ids.flatMap((id) => idIn(id, selection.benchmark ?? NEWEST) ?? []);
    const option = `--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
    throw usage(`${option} is for the checks ${listWords(numbers, 20)}, and none of them is selected`, [
      `without ${option}, or without --level and --check`,
    ]);
  }
}
