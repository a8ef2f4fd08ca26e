/** Audit output: the report, and the commands that fix findings. */

import type { CommandResult } from '../../../cli/command.ts';
import { errorsOf, exitOfResults } from '../../../core/domain/host-results.ts';
import type { Around } from '../../../core/render/change.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import type { Audited } from '../actions/audit.ts';
import type { Severity } from '../domain/check.ts';
import { type ReportForm, renderReport } from '../domain/report/forms.ts';
import { type AuditReport, judged } from '../domain/report/report.ts';
import type { Paint } from '../domain/report/table.ts';
import { fails, scoreWords } from '../domain/score.ts';

export function renderAudit(
  { report, form, known, results, stored, saved }: Audited,
  { global, runtime, options: { failOn } }: Around & { readonly options: { readonly failOn: Severity | undefined } },
): CommandResult {
  const colours = coloursOf(runtime.io);
  const paint: Paint = (colour, text) => colours[colour](text);
  const shown = { columns: runtime.io.columns, paint, all: global.verbose, known };
  const failed = exitOfResults(results, runtime.signal);
  const tooMuch = failOn !== undefined && judged(report).some((subject) => fails(subject.results, failOn));
  return {
    exit: failed !== 0 ? failed : tooMuch ? 3 : 0,
    result: { ...report, out: saved },
    text: global.json ? '' : saved === undefined ? renderReport(report, form, shown) : summary(report, form, saved),
    verbatim: form !== 'table' && saved === undefined,
    attention: failOn && '',
    next: form === 'table' || saved !== undefined ? wayOn(report, stored, global.file !== undefined) : undefined,
    errors: errorsOf(results),
  };
}

/** Commands for fixable findings, on hosts set up from this store. Not for a fleet: its file defines each host. */
function wayOn(report: AuditReport, stored: ReadonlySet<string>, fleet: boolean): string[] {
  const fixable = judged(report)
    .filter(({ kind, name }) => kind === 'host' && stored.has(name))
    .filter(({ results }) => results.some(({ state, fixable: fix }) => state === 'finding' && fix !== undefined));
  if (fleet || fixable.length === 0 || fixable.length > 5) return [];
  return [`docker-tls harden ${fixable.map(({ name }) => name).join(' ')} --dry-run`];
}

/** Terminal summary if the report went into a file. */
function summary(report: AuditReport, form: ReportForm, path: string): string {
  const lines = judged(report).map((subject) => `${subject.name}: ${scoreWords(subject.score)}`);
  return [...lines, `The report (${form}) is in ${path}`].join('\n');
}
