/** Matrix of the page: every check against every host. */

import { rank, SEVERITIES, type Severity } from '../check.ts';
import { type CheckResult, counts } from '../evaluate.ts';
import { anchor, type Html, html } from './html-text.ts';
import type { AuditedFile, AuditedHost } from './report.ts';

const LETTERS: Readonly<Record<Severity, string>> = { critical: 'C', high: 'H', medium: 'M', low: 'L', info: 'i' };

function cell(result: CheckResult | undefined, subject: AuditedHost | AuditedFile, place: string): Html {
  if (result === undefined) return html`<td></td>`;
  const about = `${subject.name}: ${result.state === 'finding' ? result.failure : result.title}`;
  if (result.state === 'pass') return html`<td><span class="cell pass" title="${about}: passed">✓</span></td>`;
  if (result.state === 'not-applicable') {
    const sign = result.manual ? '?' : '·';
    return html`<td><span class="cell none" title="${about}: ${result.reason}">${sign}</span></td>`;
  }
  if (!counts(result)) {
    return html`<td><span class="cell accepted ${result.severity}" title="${about}: accepted, ${result.accepted?.reason}">${LETTERS[result.severity]}</span></td>`;
  }
  const first = result.evidence[0];
  return html`<td><a class="cell ${result.severity}" href="#${place}" title="${about}: ${first?.place ?? ''} ${first?.text ?? ''}">${LETTERS[result.severity]}</a></td>`;
}

export function findingAnchor(subjectIndex: number, id: string): string {
  return anchor('f', subjectIndex, id);
}

function gravest(results: readonly (CheckResult | undefined)[]): number {
  const open = results.filter((result) => result !== undefined && counts(result));
  return Math.min(SEVERITIES.length, ...open.map((result) => rank((result as CheckResult).severity)));
}

/** Rows by the highest severity on any host, critical first. `offset`: index of the first subject on the page, for anchors. */
export function renderMatrix(subjects: readonly (AuditedHost | AuditedFile)[], offset: number): Html {
  const known = subjects.map((subject) => new Map(subject.results.map((result) => [result.id, result])));
  const checks = new Map<string, CheckResult>();
  for (const subject of subjects)
    for (const result of subject.results) if (!checks.has(result.id)) checks.set(result.id, result);
  const rows = [...checks.values()].map((check) => {
    const results = known.map((one) => one.get(check.id));
    const cells = results.map((result, index) =>
      cell(result, subjects[index] as AuditedHost, findingAnchor(offset + index, check.id)),
    );
    const rank = gravest(results);
    const quiet = rank === SEVERITIES.length;
    const title = quiet ? check.title : check.failure;
    return {
      rank,
      row: html`<tr class="${quiet ? 'quiet' : ''}"><th scope="row"><code>${check.id}</code> ${title}</th>${cells}</tr>`,
    };
  });
  const body = [...SEVERITIES, 'nothing found'].flatMap((name, rank): readonly Html[] => {
    const mine = rows.filter((row) => row.rank === rank);
    if (mine.length === 0) return [];
    const quiet = rank === SEVERITIES.length ? 'quiet' : '';
    return [
      html`<tr class="group ${quiet}"><th colspan="${subjects.length + 1}">${name}</th></tr>`,
      ...mine.map(({ row }) => row),
    ];
  });
  const heads = subjects.map(({ name }) => html`<th scope="col"><span title="${name}">${name}</span></th>`);
  return html`<div class="card scroll"><table class="matrix"><thead><tr><th scope="col">Check</th>${heads}</tr></thead><tbody>
${body}</tbody></table></div>`;
}

/** Legend of the cell signs, and the row filter (CSS only: the page has no script). */
export function renderLegend(): Html {
  const signs = SEVERITIES.map(
    (severity) => html`<span><span class="cell ${severity}">${LETTERS[severity]}</span> ${severity}</span>`,
  );
  return html`<div class="choice"><label><input type="radio" name="rows" id="only-findings" checked> findings only</label><label><input type="radio" name="rows" id="all-checks"> all checks</label></div>
<div class="legend soft">${signs}<span><span class="cell pass">✓</span> passed</span><span><span class="cell none">?</span> a person has to judge</span><span><span class="cell none">·</span> not applicable</span><span><span class="cell accepted low">L</span> accepted</span></div>`;
}
