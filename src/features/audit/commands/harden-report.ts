/** `harden --report`: audits before and after, with Lynis if installed, and the report page. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import type { FileChange } from '../../../core/domain/plan/file-change.ts';
import type { HostOutcome } from '../../../core/domain/plan/outcome.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import type { Changed, Run } from '../../../core/engine/intent.ts';
import { renderTable } from '../../../core/render/table.ts';
import { saveReport } from '../adapters/report-file.ts';
import { NEWEST } from '../domain/benchmark.ts';
import { subjectsOf } from '../domain/check-selection.ts';
import type { Fix } from '../domain/fixes.ts';
import { loopbackWords, sysctlWords } from '../domain/hardening/change-details.ts';
import { type HardenReport, type MadeChange, renderHardenReport } from '../domain/report/html-harden.ts';
import { reportHead, type Subject } from '../domain/report/report.ts';
import { countWords, type Score, scoreWords } from '../domain/score.ts';
import { type AuditContext, auditHosts } from '../engine/audit-hosts.ts';

/** Audits the hosts now; the result includes hosts that fail. `lynis`: run it if installed, which takes long. */
export async function auditNow(
  run: Run,
  state: StoreState,
  hosts: readonly HostSpec[],
  more: Pick<AuditContext, 'lynis' | 'factsOf'>,
): Promise<readonly Subject[]> {
  return subjectsOf(await auditHosts(hosts, { ...run, state, selection: { checks: [] }, ...more }));
}

/** Scores of a host before and after; undefined if it was not audited then. */
export type HardenedScores = {
  readonly host: string;
  readonly before: Score | undefined;
  readonly after: Score | undefined;
};

export function scoresOf(before: readonly Subject[], after: readonly Subject[]): readonly HardenedScores[] {
  const scoreIn = (subjects: readonly Subject[], host: string) => {
    const found = subjects.find(({ name }) => name === host);
    return found === undefined || found.kind === 'unreachable' ? undefined : found.score;
  };
  return before.map(({ name }) => ({ host: name, before: scoreIn(before, name), after: scoreIn(after, name) }));
}

/** Before and after, side by side. */
export function scoreTable(scores: readonly HardenedScores[], columns: number | undefined): string {
  const rows = scores.flatMap(({ host, before, after }) => {
    const beside = (words: (score: Score) => string) =>
      [before, after].map((score) => (score === undefined ? 'not audited' : words(score)));
    return [
      [host, ...beside(scoreWords)],
      ['  fixable now', ...beside(({ fixableNow }) => countWords(fixableNow) || 'nothing')],
      ['  waits for a package', ...beside(({ waiting }) => countWords(waiting) || 'nothing')],
    ];
  });
  const titles = [{ title: 'SCORE' }, { title: 'BEFORE', shrinkTo: 12 }, { title: 'AFTER', shrinkTo: 12 }];
  return renderTable(titles, rows, { columns });
}

type Written = {
  readonly out: string;
  readonly run: Run;
  readonly before: readonly Subject[];
  readonly after: readonly Subject[];
  readonly changed: Changed;
  readonly leftOut: readonly Fix[];
};

/** Returns the absolute path. Fails with E_AUDIT_OUT (exit 2). */
export async function writeHardenReport({ out, run, before, after, changed, leftOut }: Written): Promise<string> {
  const { runtime } = run;
  const named = (subjects: readonly Subject[], name: string) => subjects.find((subject) => subject.name === name);
  const report: HardenReport = {
    ...reportHead(runtime.now(), DOCKER_TLS_VERSION, NEWEST),
    who: runtime.operator,
    leftOut,
    hosts: changed.results.map((result) => ({
      name: result.host,
      before: named(before, result.host),
      after: named(after, result.host),
      ...madeOn(result),
    })),
  };
  return saveReport(out, runtime.cwd, renderHardenReport(report));
}

function madeOn(result: HostResult<HostOutcome>) {
  if (result.kind !== 'done') {
    const error = result.kind === 'skipped' ? result.reason : result.errors.map(({ message }) => message).join('; ');
    return { changes: [], costs: [], notes: [], error };
  }
  const { plan, warnings } = result.value;
  return {
    changes: plan.files.map(changeOf),
    costs: plan.costs,
    notes: [...new Set([...plan.warnings, ...warnings])],
    error: undefined,
  };
}

function changeOf(change: FileChange): MadeChange {
  const { kind, path, mode, reason = '' } = change;
  switch (kind) {
    case 'sysctl':
      return { what: `kernel setting ${sysctlWords(change)}`, reason };
    case 'loopback':
      return { what: `firewall: ${loopbackWords(change)}`, reason };
    case 'member':
      return { what: `${path}: ${mode === 'present' ? 'added to' : 'taken out of'} the group`, reason };
    case 'attributes':
      return { what: `${path}: mode ${mode}`, reason };
    case 'absent':
      return { what: `${path}: removed`, reason };
    default:
      return { what: path, reason };
  }
}
