/** Terminal report: worst first, grouped, as wide as the terminal. */

import { cutText, hangText, padText, plural, textWidth, wrapText } from '../../../../core/domain/words.ts';
import { printable } from '../../../../errors/errors.ts';
import { CHECK_GROUPS, gravestFirst, rank, SEVERITIES, type Severity } from '../check.ts';
import type { Comparison } from '../compare.ts';
import { acceptedWords, type CheckResult, counts } from '../evaluate.ts';
import { fixCommand } from '../fixes.ts';
import { lynisWords } from '../lynis.ts';
import { countWords, type Score, scoreWords, waitingWords } from '../score.ts';
import {
  type AuditedFile,
  type AuditedHost,
  type AuditReport,
  editionsWords,
  selectionWords,
  whereIn,
} from './report.ts';
import { raisingCommand } from './report-command.ts';
import { gravestWays } from './root-access.ts';

/** Wraps text in a colour; the plain one returns it unchanged. Names as in picocolors. */
export type Paint = (colour: 'red' | 'yellow' | 'green' | 'cyan' | 'gray' | 'bold' | 'magenta', text: string) => string;

export type TableForm = {
  readonly columns: number;
  readonly paint?: Paint;
  /** Include passed and not applicable checks. */
  readonly all?: boolean;
  readonly comparison?: Comparison;
};

/** Layout with its paint. */
type Screen = TableForm & { readonly paint: Paint };

const COLOURS: Readonly<Record<Severity, 'red' | 'magenta' | 'yellow' | 'cyan' | 'gray'>> = {
  critical: 'red',
  high: 'magenta',
  medium: 'yellow',
  low: 'cyan',
  info: 'gray',
};

const EVIDENCE_LINES = 4;

/** In the order of GROUPS, but groups with the gravest findings first; the same within a group. */
function ordered(results: readonly CheckResult[]): readonly (readonly [string, readonly CheckResult[]])[] {
  const names = [...new Set(CHECK_GROUPS.map(([, name]) => name))];
  const groups = names.map((name) => [name, results.filter(({ group }) => group === name)] as const);
  return groups
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => [name, gravestFirst(list)] as const)
    .sort(([, [a]], [, [b]]) => rank((a as CheckResult).severity) - rank((b as CheckResult).severity));
}

function scoreLines(score: Score, { columns, paint }: Screen): readonly string[] {
  const value = score.value ?? 0;
  const colour = value >= 75 ? 'green' : value >= 40 ? 'yellow' : 'red';
  const open = SEVERITIES.filter((severity) => score.findings[severity] > 0).map((severity) =>
    paint(COLOURS[severity], `${score.findings[severity]} ${severity}`),
  );
  const parts = [
    ...(open.length === 0 ? [paint('green', 'no findings')] : open),
    `${score.passed} passed`,
    ...(score.accepted > 0 ? [`${score.accepted} accepted`] : []),
    `${score.notApplicable} not applicable`,
  ];
  const lines = [`${paint(colour, paint('bold', scoreWords(score)))} `];
  for (const [index, part] of parts.entries()) {
    const last = lines.length - 1;
    const word = index === parts.length - 1 ? part : `${part},`;
    if (textWidth(`${lines[last]} ${word}`) <= columns) lines[last] = `${lines[last]} ${word}`;
    else lines.push(word);
  }
  const waiting = waitingWords(score);
  if (waiting === undefined) return lines;
  const parted = [`fixable now: ${countWords(score.fixableNow) || 'nothing'}`, `waits for a package: ${waiting}`];
  return [...lines, ...parted.flatMap((line) => wrapped(line, 2, columns))];
}

/** Wraps at spaces, and breaks a word longer than a line. */
function wrapped(text: string, indent: number, columns: number): readonly string[] {
  const width = Math.max(24, columns - indent);
  const broken = printable(text).replace(new RegExp(`[^ ]{${width}}(?=[^ ])`, 'gu'), '$& ');
  return wrapText(broken, width).map((line) => ' '.repeat(indent) + cutText(line, width));
}

function findingLines(
  result: CheckResult,
  form: Screen,
  subject: AuditedHost | AuditedFile,
  idWidth: number,
): readonly string[] {
  const { paint } = form;
  const indent = 4;
  const severity = paint(COLOURS[result.severity], padText(result.severity, 9));
  const head = `  ${severity} ${padText(cutText(result.id, idWidth), idWidth)} `;
  const title = printable(result.failure);
  // A title that does not fit beside severity and number moves below them.
  const fits = 13 + idWidth + textWidth(title) <= form.columns;
  const lines = [`${head}${fits ? paint('bold', title) : ''}`.trimEnd()];
  if (!fits)
    for (const line of wrapped(title, indent, form.columns))
      lines.push(' '.repeat(indent) + paint('bold', line.trimStart()));
  for (const evidence of result.evidence.slice(0, EVIDENCE_LINES)) {
    lines.push(...wrapped(`${whereIn(subject, evidence)}: ${evidence.text}`, indent, form.columns));
  }
  const more = result.evidence.length - EVIDENCE_LINES;
  if (more > 0) lines.push(' '.repeat(indent) + paint('gray', `and ${more} more`));
  const accepted = result.acceptedEvidence?.length ?? 0;
  if (accepted > 0)
    lines.push(
      ' '.repeat(indent) + paint('gray', `${plural(accepted, 'place')} accepted by a comment or the baseline`),
    );
  const mark = result.fixable === undefined ? '→' : `→ [${fixCommand(result.fixable)}]`;
  lines.push(...wrapped(`${mark} ${result.fix}`, indent, form.columns).map((line) => paint('gray', line)));
  return lines;
}

function quietLines(
  title: string,
  results: readonly CheckResult[],
  { columns, paint }: Screen,
  say: (result: CheckResult) => string,
): readonly string[] {
  if (results.length === 0) return [];
  const width = Math.max(8, ...results.map(({ id }) => textWidth(id)));
  return [
    '',
    paint('bold', title),
    ...results.map((result) => {
      const id = padText(cutText(result.id, 16), width);
      const what = result.accepted === undefined ? result.title : result.failure;
      return paint('gray', `  ${hangText(printable(`${id} ${what}${say(result)}`), columns, 4)}`);
    }),
  ];
}

function lynisLines(host: AuditedHost): readonly string[] {
  const { lynis } = host;
  if (lynis === undefined) return [];
  if ('missing' in lynis) return [lynisWords(lynis)];
  const raise = lynis.fixes.length === 0 ? [] : [`  raised by: ${raisingCommand(lynis.fixes, host)}`];
  return [lynisWords(lynis), ...lynis.warnings.map(({ test, text }) => `  warning ${test}: ${text}`), ...raise];
}

function accessLines({ access }: AuditedHost, { columns, paint }: Screen): readonly string[] {
  if (access.length === 0) return [];
  const rows = gravestWays(access).flatMap(({ who, how, where, grave, role, expires }) => {
    const limits = `${role === undefined ? '' : `, role ${role}`}${expires === undefined ? '' : `, until ${expires}`}`;
    const lines = wrapped(`${who}: ${how}${limits} (${where})`, 2, columns);
    return grave ? lines.map((line) => paint('red', line)) : lines;
  });
  return ['', paint('bold', 'Who can become root here'), ...rows];
}

function subjectLines(subject: AuditedHost | AuditedFile, form: Screen): readonly string[] {
  const { paint } = form;
  const about =
    subject.kind === 'host'
      ? [
          subject.address === subject.name ? undefined : subject.address,
          subject.os,
          subject.docker && `Docker ${subject.docker}`,
        ]
      : [];
  const known = about
    .filter((part): part is string => part !== undefined && part !== '')
    .map((part) => printable(part, 80));
  const name = printable(subject.name, 200);
  const lines = [
    paint('bold', name) +
      (known.length === 0
        ? ''
        : paint('gray', `  ${cutText(known.join(', '), Math.max(10, form.columns - textWidth(name) - 2))}`)),
  ];
  lines.push(...scoreLines(subject.score, form));
  for (const line of wrapped(subject.score.explanation, 0, form.columns)) lines.push(paint('gray', line));
  if (subject.kind === 'host' && subject.upgrade !== undefined)
    lines.push(...wrapped(`Known vulnerabilities: ${subject.upgrade.text}`, 0, form.columns));
  if (subject.kind === 'host') for (const line of lynisLines(subject)) lines.push(...wrapped(line, 0, form.columns));
  const open = subject.results.filter(counts);
  const idWidth = Math.max(6, ...open.map(({ id }) => textWidth(id)));
  for (const [group, results] of ordered(open)) {
    lines.push('', paint('bold', group));
    for (const result of results) lines.push(...findingLines(result, form, subject, idWidth));
  }
  if (subject.kind === 'host') lines.push(...accessLines(subject, form));
  const accepted = subject.results.filter((result) => result.accepted !== undefined);
  lines.push(...quietLines('Accepted', accepted, form, ({ accepted: why }) => `: ${why && acceptedWords(why)}`));
  if (form.all === true) {
    const passed = subject.results.filter(({ state }) => state === 'pass');
    const unjudged = subject.results.filter(({ state }) => state === 'not-applicable');
    const manual = unjudged.filter(({ question }) => question !== undefined);
    const notApplicable = unjudged.filter(({ question }) => question === undefined);
    lines.push(...quietLines('Passed', passed, form, () => ''));
    lines.push(...quietLines('For a person to judge', manual, form, ({ question }) => `: ${question}`));
    lines.push(...quietLines('Not applicable', notApplicable, form, ({ reason }) => `: ${reason}`));
  }
  return lines;
}

function comparisonLines({ appeared, gone, same }: Comparison, { columns, paint }: Screen): readonly string[] {
  const line = `Since the last report: ${appeared.length} new, ${gone.length} gone, ${same} unchanged`;
  function list(sign: string, colour: 'red' | 'green', keys: Comparison['gone']): readonly string[] {
    return keys
      .slice(0, 20)
      .map(({ subject, check, place }) =>
        paint(colour, cutText(printable(`  ${sign} ${subject}  ${check}  ${place}`), columns)),
      );
  }
  return ['', line, ...list('+', 'red', appeared), ...list('-', 'green', gone)];
}

/** Terminal text with a final newline. Cleans all host text once more. */
export function renderAuditTable(report: AuditReport, { paint = (_, text) => text, ...rest }: TableForm): string {
  const form: Screen = { ...rest, paint };
  const lines = selectionWords(report).flatMap((words) =>
    wrapped(words, 0, form.columns).map((line) => paint('bold', line)),
  );
  for (const subject of report.subjects) {
    if (lines.length > 0) lines.push('');
    if (subject.kind === 'unreachable') {
      lines.push(
        paint('bold', printable(subject.name, 200)),
        ...wrapped(`not audited: ${subject.error}`, 0, form.columns).map((line) => paint('red', line)),
      );
    } else lines.push(...subjectLines(subject, form));
  }
  if (report.subjects.some(({ kind }) => kind === 'host'))
    lines.push('', ...wrapped(editionsWords(report), 0, form.columns).map((line) => paint('gray', line)));
  if (form.comparison !== undefined) lines.push(...comparisonLines(form.comparison, form));
  return `${lines.join('\n')}\n`;
}
