/** HTML report of a fleet in one file: no script, no external resources, printable. */

import { plural } from '../../../../core/domain/words.ts';
import { NEWEST } from '../benchmark.ts';
import { gravestFirst, SEVERITIES } from '../check.ts';
import { acceptedWords, type CheckResult, counts } from '../evaluate.ts';
import { fixCommand } from '../fixes.ts';
import { lynisWords } from '../lynis.ts';
import { countWords, type Score, scoreWords, waitingWords } from '../score.ts';
import { renderEvidence } from './html-evidence.ts';
import { findingAnchor, renderLegend, renderMatrix } from './html-matrix.ts';
import { renderPage } from './html-page.ts';
import { renderAccess } from './html-root.ts';
import { type Html, html } from './html-text.ts';
import { renderTimeline } from './html-timeline.ts';
import {
  type AuditedFile,
  type AuditedHost,
  type AuditReport,
  editionsWords,
  judged,
  selectionWords,
  whereIn,
} from './report.ts';
import { hostCommand, raisingCommand } from './report-command.ts';

export function ring({ value, grade }: Score): Html {
  if (value === undefined)
    return html`<svg class="ring" viewBox="0 0 68 68" role="img" aria-label="no score"><circle class="track" cx="34" cy="34" r="30"/><text x="34" y="40">?</text></svg>`;
  const length = 2 * Math.PI * 30;
  const tone = value >= 75 ? 'good' : value >= 40 ? 'fair' : 'poor';
  const drawn = ((length * value) / 100).toFixed(1);
  return html`<svg class="ring" viewBox="0 0 68 68" role="img" aria-label="${value} of 100"><circle class="track" cx="34" cy="34" r="30"/><circle class="${tone}" cx="34" cy="34" r="30" stroke-linecap="round" stroke-dasharray="${drawn} ${length.toFixed(1)}" transform="rotate(-90 34 34)"/><text x="34" y="38">${value}</text><text class="grade" x="34" y="51">${grade}</text></svg>`;
}

export function pills(score: Score): Html {
  const { findings, passed } = score;
  const open = SEVERITIES.filter((severity) => findings[severity] > 0).map(
    (severity) => html`<span class="pill ${severity}">${findings[severity]} ${severity}</span>`,
  );
  const waiting = waitingWords(score);
  const parted =
    waiting &&
    html`<span class="soft small">Fixable now: ${countWords(score.fixableNow) || 'nothing'}<br>Waits for a package: ${waiting}</span>`;
  return html`<span class="pills">${open}<span class="pill pass">${passed} passed</span></span>${parted}`;
}

function card(subject: AuditedHost | AuditedFile, index: number): Html {
  const about =
    subject.kind === 'host'
      ? [subject.os, subject.docker && `Docker ${subject.docker}`]
      : [subject.kind === 'compose' ? 'Compose file' : 'Dockerfile'];
  const words = about.filter((part): part is string => part !== undefined && part !== '').join(', ');
  return html`<a class="card host" href="#s_${index}" title="${subject.score.explanation}">${ring(subject.score)}<span><b>${subject.name}</b><span class="soft small">${words}</span>${pills(subject.score)}</span></a>`;
}

function finding(result: CheckResult, index: number, subject: AuditedHost | AuditedFile): Html {
  const isFile = subject.kind !== 'host';
  const evidence = result.evidence.map(
    (piece) => html`<li><span class="mono">${whereIn(subject, piece)}</span>: ${piece.text}</li>`,
  );
  const command =
    result.fixable === undefined
      ? html` <span class="again">Then:</span><pre class="command">${hostCommand(`audit --check ${isFile ? result.id : (result.cis[NEWEST] ?? result.id)}`, subject)}</pre>`
      : html`<pre class="command">${hostCommand(fixCommand(result.fixable), subject)}</pre>`;
  return html`<div class="finding" id="${findingAnchor(index, result.id)}"><span class="pill ${result.severity}">${result.severity}</span><div><h3><code>${result.id}</code>${result.failure}</h3>
<ul>${evidence}</ul><p class="soft small">${result.why}</p><div class="fix small">${result.fix}${command}</div></div></div>`;
}

function acceptedLine(result: CheckResult): Html {
  return html`<div class="finding"><span class="pill info">accepted</span><div><h3><code>${result.id}</code>${result.failure}</h3><p class="soft small">${result.accepted && acceptedWords(result.accepted)}</p></div></div>`;
}

function lynisPart(subject: AuditedHost | AuditedFile): Html | undefined {
  if (subject.kind !== 'host' || subject.lynis === undefined) return undefined;
  const { lynis } = subject;
  if ('missing' in lynis) return html`<p class="finding small">${lynisWords(lynis)}</p>`;
  const raise =
    lynis.fixes.length === 0
      ? undefined
      : html`<p class="small">Raised by:</p><pre class="command">${raisingCommand(lynis.fixes, subject)}</pre>`;
  const warnings = lynis.warnings.map(({ test, text }) => html`<li><code>${test}</code> ${text}</li>`);
  return html`<div class="finding"><span class="pill info">Lynis ${lynis.index}</span><div><h3>${lynisWords(lynis)}</h3><ul>${warnings}</ul>${raise}</div></div>`;
}

function subjectPart(subject: AuditedHost | AuditedFile, index: number): Html {
  const open = gravestFirst(subject.results.filter(counts));
  const accepted = subject.results.filter((result) => result.accepted !== undefined);
  const nothing =
    open.length === 0
      ? html`<div class="finding"><span class="pill pass">clean</span><div>No findings.</div></div>`
      : undefined;
  return html`<details class="card subject" id="s_${index}" open><summary>${subject.name} <span class="soft small">${scoreWords(subject.score)}. ${subject.score.explanation}</span></summary>
${lynisPart(subject)}${nothing}${open.map((result) => finding(result, index, subject))}${accepted.map(acceptedLine)}</details>`;
}

function totals(report: AuditReport): Html {
  const subjects = judged(report);
  const boxes = SEVERITIES.slice(0, 4).map((severity) => {
    const count = subjects.reduce((sum, { score }) => sum + score.findings[severity], 0);
    return html`<div class="card total"><b class="${count === 0 ? 'soft' : ''}" style="${count === 0 ? '' : `color:var(--${severity})`}">${count}</b>${severity}</div>`;
  });
  const values = subjects.flatMap(({ score }) => score.value ?? []);
  const worst = values.length === 0 ? undefined : Math.min(...values);
  return html`<div class="totals">${boxes}<div class="card total"><b>${worst}</b>lowest score</div></div>`;
}

/** The upgrade of each host that closes most known vulnerabilities. */
function renderUpgrades(subjects: readonly (AuditedHost | AuditedFile)[]): Html {
  const rows = subjects.flatMap((subject) =>
    subject.kind === 'host' && subject.upgrade !== undefined
      ? [
          html`<tr><th scope="row">${subject.name}</th><td>${subject.upgrade.text}<pre class="command">${subject.upgrade.command}</pre></td></tr>`,
        ]
      : [],
  );
  if (rows.length === 0) return html``;
  return html`<h2 id="upgrades">Upgrades that close most known vulnerabilities</h2>
<div class="card scroll"><table class="stack"><thead><tr><th>Host</th><th>Upgrade, as root on the host</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Hosts and files have different checks: one matrix each. */
function matrices(subjects: readonly (AuditedHost | AuditedFile)[]): Html {
  const hosts = subjects.filter(({ kind }) => kind === 'host');
  const files = subjects.filter(({ kind }) => kind !== 'host');
  const title = html`<h2 id="matrix">Every check${hosts.length > 1 ? ', every host' : ''}</h2>${renderLegend()}`;
  if (subjects.length === 0) return html``;
  const first = hosts.length === 0 ? undefined : renderMatrix(hosts, 0);
  const second =
    files.length === 0 ? undefined : html`<h2>Compose files and Dockerfiles</h2>${renderMatrix(files, hosts.length)}`;
  return html`${title}${first}${second}`;
}

/** The whole page. Works offline; host text is cleaned and escaped when inserted. */
export function renderHtml(report: AuditReport): string {
  // Hosts first: anchors count in this order.
  const subjects = [...judged(report)].sort((a, b) => Number(a.kind !== 'host') - Number(b.kind !== 'host'));
  const hosts = report.subjects.filter(({ kind }) => kind === 'host' || kind === 'unreachable').length;
  const files = report.subjects.length - hosts;
  const about = [hosts > 0 ? plural(hosts, 'host') : '', files > 0 ? plural(files, 'file') : '']
    .filter((part) => part !== '')
    .join(', ');
  const unreachable = report.subjects.flatMap((subject) =>
    subject.kind === 'unreachable'
      ? [
          html`<div class="card total"><span class="pill critical">not audited</span> <b class="small">${subject.name}</b>${subject.error}</div>`,
        ]
      : [],
  );
  const time = report.createdAt.slice(0, 16).replace('T', ' ');
  return renderPage(
    `Docker audit, ${about}, ${time.slice(0, 10)}`,
    html`<h1>Docker audit</h1>
<p class="soft">${about}, ${time} UTC, docker-tls ${report.version}. ${editionsWords(report)}.</p>
${selectionWords(report).map((words) => html`<p><b>${words}</b></p>`)}
${totals(report)}
<div class="cards">${subjects.map(card)}${unreachable}</div>
${matrices(subjects)}
${renderUpgrades(subjects)}
${hosts === 0 ? undefined : renderTimeline(report)}
${hosts === 0 ? undefined : renderAccess(report)}
<h2 id="findings">What was found, and how to fix it</h2>
${subjects.map(subjectPart)}
${renderEvidence(report)}
<footer><p>The score is the share of the applicable checks that pass, weighted by severity (critical 20, high 10, medium 4, low 1, info 0). While a critical finding is open it counts up to 29, while a high one is open up to 59. Accepted findings count neither way, and neither do those that wait for a package.</p>
<p>Numbers without a word in front are those of the CIS Docker Benchmark ${report.benchmark}.</p></footer>`,
  );
}
