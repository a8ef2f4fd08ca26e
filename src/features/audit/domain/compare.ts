/** Comparison of two reports: new, resolved and remaining findings. */

import { at, type Json, listAt, parseJson, textAt } from '../../../core/domain/json.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { BENCHMARKS, type Benchmark, idIn, NEWEST } from './benchmark.ts';
import { CHECKS } from './evaluate.ts';
import { type AuditReport, fileName, judged } from './report/report.ts';

export type FindingKey = { readonly subject: string; readonly check: string; readonly place: string };

export type Comparison = ReturnType<typeof compareReports>;

/**
 * Parses a report of an earlier `audit --json`, complete or only its `result`, for the comparison. Check numbers are those of `benchmark`.
 * Throws E_AUDIT_REPORT for anything else.
 */
export function findingsOfReport(text: string, path: string, benchmark: Benchmark = NEWEST): readonly FindingKey[] {
  const value = parseJson(text.replace(/^\ufeff/, ''));
  const report: Json = at(value, 'result') ?? value;
  if (!Array.isArray(at(report, 'subjects'))) {
    throw new DockerTlsError('E_AUDIT_REPORT', 'this is not a report of docker-tls audit --json', {
      where: path,
      hints: ['docker-tls audit HOST --json > report.json'],
    });
  }
  const its = BENCHMARKS.find((known) => known === textAt(report, 'benchmark')) ?? benchmark;
  if (its === benchmark) return keysOf(report);
  const ids = new Map(CHECKS.map(({ id }) => [idIn(id, its), idIn(id, benchmark)]));
  return keysOf(report).flatMap((key) => {
    const check = ids.has(key.check) ? ids.get(key.check) : key.check;
    return check === undefined ? [] : [{ ...key, check }];
  });
}

function keysOf(report: Json): readonly FindingKey[] {
  const keys = new Map<string, FindingKey>();
  for (const subject of listAt(report, 'subjects')) {
    const name = /^(compose|dockerfile)$/.test(textAt(subject, 'kind')) ? fileName : (text: string) => text;
    for (const result of listAt(subject, 'results')) {
      if (textAt(result, 'state') !== 'finding' || at(result, 'accepted') !== undefined) continue;
      for (const evidence of listAt(result, 'evidence')) {
        const key = {
          subject: name(textAt(subject, 'name')),
          check: textAt(result, 'id'),
          place: textAt(evidence, 'place'),
        };
        keys.set(JSON.stringify(key), key);
      }
    }
  }
  return [...keys.values()];
}

/** Findings that the baseline now accepts, entirely or by place: they still exist. */
function acceptedIn(report: AuditReport): ReadonlySet<string> {
  return new Set(
    judged(report).flatMap((subject) =>
      subject.results.flatMap(({ id, accepted, evidence, acceptedEvidence = [] }) =>
        [...(accepted === undefined ? [] : evidence), ...acceptedEvidence].map(({ place }) =>
          JSON.stringify({ subject: subject.name, check: id, place }),
        ),
      ),
    ),
  );
}

/**
 * Compares by host, check and place; ignores changed wording and line numbers. A finding is resolved only if this run judged its check
 * again: not on an unreachable host, for an unselected or undecided check, or for an accepted finding.
 */
export function compareReports(before: readonly FindingKey[], report: AuditReport) {
  const judgedAgain = new Map(
    judged(report).map(({ name, results }) => [
      name,
      new Set(results.filter(({ unseen }) => unseen !== true).map(({ id }) => id)),
    ]),
  );
  const now = keysOf(report);
  const old = new Set(before.map((key) => JSON.stringify(key)));
  const current = new Set(now.map((key) => JSON.stringify(key)));
  const appeared = now.filter((key) => !old.has(JSON.stringify(key)));
  const accepted = acceptedIn(report);
  const gone = before.filter((key) => {
    const text = JSON.stringify(key);
    return judgedAgain.get(key.subject)?.has(key.check) === true && !current.has(text) && !accepted.has(text);
  });
  return { appeared, gone, same: now.length - appeared.length };
}
