/** Hardening report page for auditors: before and after, changes, costs, and remaining findings with reasons. */

import { plural } from '../../../../core/domain/words.ts';
import type { Benchmark } from '../benchmark.ts';
import { gravestFirst } from '../check.ts';
import { counts } from '../evaluate.ts';
import { type Fix, fixCommand, NEVER } from '../fixes.ts';
import { type LynisAnswer, lynisWords } from '../lynis.ts';
import { scoreWords } from '../score.ts';
import { pills, ring } from './html.ts';
import { renderPage } from './html-page.ts';
import { type Html, html } from './html-text.ts';
import { type AuditedFile, type AuditedHost, editionsWords, type Subject } from './report.ts';
import { hostCommand } from './report-command.ts';

/** One path, membership or kernel setting. */
export type MadeChange = { readonly what: string; readonly reason: string };

export type HardenedSubject = {
  readonly name: string;
  readonly before: Subject | undefined;
  readonly after: Subject | undefined;
  readonly changes: readonly MadeChange[];
  readonly costs: readonly string[];
  /** Warnings of the plan and the host: fixes that could not be applied, or are not active yet. */
  readonly notes: readonly string[];
  /** The change failed, and the host rolled it back. */
  readonly error: string | undefined;
};

export type HardenReport = {
  readonly createdAt: string;
  readonly version: string;
  readonly benchmark: Benchmark;
  readonly vulnerabilities: string;
  /** User of the run: `user@computer`. */
  readonly who: string;
  readonly hosts: readonly HardenedSubject[];
  /** Fixes skipped because their costs were not accepted. */
  readonly leftOut: readonly Fix[];
};

function list(title: string, lines: readonly string[], none: string): Html {
  return lines.length === 0
    ? html`<h3>${title}</h3><p class="soft small">${none}</p>`
    : html`<h3>${title}</h3><ul class="small">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

function side(title: string, subject: Subject | undefined): Html {
  if (subject === undefined || subject.kind === 'unreachable')
    return html`<div class="card total"><b class="small">${title}</b>not audited: ${subject?.error ?? 'the change did not come to it'}</div>`;
  const lynis = subject.kind === 'host' ? subject.lynis : undefined;
  return html`<div class="card host">${ring(subject.score)}<span><b>${title}</b><span class="soft small">${scoreWords(subject.score)}</span>${pills(subject.score)}${lynis && html`<span class="soft small">${lynisWords(lynis)}</span>`}</span></div>`;
}

function indexOf(lynis: LynisAnswer | undefined): string {
  return lynis === undefined || 'missing' in lynis ? 'none' : `${lynis.index}`;
}

/** Passed checks of the benchmark among the applicable ones. */
function passedOf(subject: Subject | undefined, benchmark: Benchmark): string {
  const judged = judgedOf(subject)?.results.filter(
    (result) => result.cis[benchmark] !== undefined && result.state !== 'not-applicable',
  );
  if (judged === undefined) return 'none';
  return `${judged.filter(({ state }) => state === 'pass').length} of ${judged.length}`;
}

function indexLines(before: Subject | undefined, after: Subject | undefined, benchmark: Benchmark): Html {
  const [first, last] = [before, after].map((subject) => (subject?.kind === 'host' ? subject.lynis : undefined));
  return html`<p>Checks of the CIS Docker Benchmark ${benchmark} that pass: <b>${passedOf(before, benchmark)}</b> before, <b>${passedOf(after, benchmark)}</b> after.
Lynis hardening index: <b>${indexOf(first)}</b> before, <b>${indexOf(last)}</b> after.</p>`;
}

function judgedOf(subject: Subject | undefined): AuditedHost | AuditedFile | undefined {
  return subject?.kind === 'unreachable' ? undefined : subject;
}

function hostPart(host: HardenedSubject, leftOut: ReadonlyMap<string, Fix>, benchmark: Benchmark): Html {
  const { before, after } = host;
  const judged = judgedOf(after);
  const results = judged?.results ?? [];
  const open = gravestFirst(results.filter(counts));
  const was = new Set(
    judgedOf(before)
      ?.results.filter(counts)
      .map(({ id }) => id),
  );
  const fixed = results.filter(({ id, state }) => state === 'pass' && was.has(id));
  const rows = open.map((result) => {
    const skipped = result.fixable === undefined ? undefined : leftOut.get(result.fixable);
    const why = skipped === undefined ? result.fix : `Not accepted, since ${skipped.cost}.`;
    const command =
      result.fixable && judged && html`<pre class="command">${hostCommand(fixCommand(result.fixable), judged)}</pre>`;
    const places = result.evidence.map(({ place, text }) => `${place}: ${text}`).slice(0, 4);
    return html`<tr><td><span class="pill ${result.severity}">${result.severity}</span></td><td><code>${result.id}</code> ${result.failure}</td><td>${places.join('; ')}</td><td>${why}${command}</td></tr>`;
  });
  const failed =
    host.error === undefined ? undefined : html`<p><span class="pill critical">failed</span> ${host.error}</p>`;
  return html`<section class="card time harden"><h2>${host.name}</h2>
<div class="cards">${side('Before', before)}${side('After', after)}</div>${failed}
${indexLines(before, after, benchmark)}
${list(
  'Fixed',
  fixed.map(({ id, title }) => `${id} ${title}`),
  'No check passes that did not pass before.',
)}
${list(
  'What changed',
  host.changes.map(({ what, reason }) => (reason === '' ? what : `${what} (${reason})`)),
  'Nothing.',
)}
${list('What it cost', host.costs, 'Nothing that a user of the host would notice.')}
${list('Not done, or effective later', host.notes, 'Nothing.')}
<h3>What is left, and why</h3>
<div class="scroll"><table class="stack"><thead><tr><th>Severity</th><th>Check</th><th>Found</th><th>Why it is left, or how to fix it</th></tr></thead><tbody>${rows}</tbody></table></div>
</section>`;
}

/** The whole page. Host text is cleaned and escaped when inserted. */
export function renderHardenReport(report: HardenReport): string {
  const time = report.createdAt.slice(0, 16).replace('T', ' ');
  const about = plural(report.hosts.length, 'host');
  const leftOut = new Map(report.leftOut.map((fix) => [fix.name as string, fix]));
  return renderPage(
    `Docker hardening, ${about}, ${time.slice(0, 10)}`,
    html`<h1>Docker hardening</h1>
<p class="soft">${about}, ${time} UTC, by ${report.who}, docker-tls ${report.version}. ${editionsWords(report)}.</p>
${report.hosts.map((host) => hostPart(host, leftOut, report.benchmark))}
<footer><p>Every change was made in one transaction with a rollback on the host, and verified over new connections. docker-tls remove takes all of it back.</p>
${list(
  'Never changed, by no fix',
  NEVER.map(({ setting, why }) => `${setting}: ${why}`),
  '',
)}</footer>`,
  );
}
