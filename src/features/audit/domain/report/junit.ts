/**
 * JUnit XML report, one suite per host or file: valid under the schema of Ant's report (windyroad/JUnit-Schema), the strictest dialect
 * among those of Jenkins, GitLab and others.
 */

import { acceptedWords, type CheckResult, counts } from '../evaluate.ts';
import { escapeMarkup } from './clean.ts';
import {
  type AuditedFile,
  type AuditedHost,
  type AuditReport,
  type Subject,
  selectionWords,
  whereIn,
} from './report.ts';

function xml(text: string): string {
  return escapeMarkup(text, '&apos;');
}

function testCase(result: CheckResult, subject: AuditedHost | AuditedFile): string {
  const open = `    <testcase name="${xml(`${result.id} ${result.title}`)}" classname="${xml(`${subject.name}.${result.group}`)}" time="0"`;
  if (result.state === 'pass') return `${open}/>`;
  if (!counts(result)) {
    const accepted = result.accepted;
    const reason = accepted === undefined ? (result.reason ?? '') : `accepted: ${acceptedWords(accepted)}`;
    return `${open}>\n      <skipped message="${xml(reason)}"/>\n    </testcase>`;
  }
  const lines = result.evidence.map((piece) => `${whereIn(subject, piece)}: ${piece.text}`);
  const body = [...lines, `Why: ${result.why}`, `To fix: ${result.fix}`].map(xml).join('\n');
  return `${open}>\n      <failure type="${result.severity}" message="${xml(`${result.failure}. ${lines[0] ?? ''}`)}">${body}</failure>\n    </testcase>`;
}

function suite(subject: Subject, id: number, report: AuditReport): string {
  const { createdAt, version, benchmark, vulnerabilities } = report;
  const selection = selectionWords(report).map((words) => ({ selection: words }));
  const name = xml(subject.name);
  const hostname = subject.kind === 'host' || subject.kind === 'unreachable' ? name : 'localhost';
  const head = `  <testsuite id="${id}" package="docker-tls.audit" name="${name}" hostname="${hostname}" timestamp="${xml(createdAt.slice(0, 19))}" time="0"`;
  const properties = [
    '    <properties>',
    ...Object.entries({ 'docker-tls': version, benchmark, vulnerabilities, ...selection[0] }).map(
      ([key, value]) => `      <property name="${key}" value="${xml(value)}"/>`,
    ),
    '    </properties>',
  ].join('\n');
  const end = '    <system-out/>\n    <system-err/>\n  </testsuite>';
  if (subject.kind === 'unreachable') {
    return `${head} tests="1" failures="0" errors="1" skipped="0">\n${properties}\n    <testcase name="audit" classname="${name}" time="0">\n      <error type="unreachable" message="${xml(subject.error)}"/>\n    </testcase>\n${end}`;
  }
  const failures = subject.results.filter(counts).length;
  const skipped = subject.results.filter((result) => result.state !== 'pass' && !counts(result)).length;
  const cases = subject.results.map((result) => testCase(result, subject)).join('\n');
  return `${head} tests="${subject.results.length}" failures="${failures}" errors="0" skipped="${skipped}">\n${properties}\n${cases}\n${end}`;
}

export function renderJunit(report: AuditReport): string {
  const suites = report.subjects.map((subject, index) => suite(subject, index, report)).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites}\n</testsuites>\n`;
}
