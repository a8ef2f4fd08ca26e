/** Report in the Heimdall Data Format: the JSON of an InSpec run (`inspec exec --reporter json`), a profile for each host or file. */

import { createHash } from 'node:crypto';
import type { Severity } from '../check.ts';
import type { CheckResult } from '../evaluate.ts';
import { clean } from './clean.ts';
import { type AuditReport, type judged, selectionWords, type UnauditedHost, whereIn } from './report.ts';

/** InSpec's scale: 0.7 and more is high, 0.9 and more critical. */
const IMPACTS: Readonly<Record<Severity, number>> = { critical: 0.9, high: 0.7, medium: 0.5, low: 0.3, info: 0 };

const LONGEST = 1000;

type Judged = ReturnType<typeof judged>[number];

export function renderHdf(report: AuditReport): string {
  const profiles = report.subjects.map((subject) =>
    subject.kind === 'unreachable' ? unauditedProfile(report, subject) : auditedProfile(report, subject),
  );
  const document = {
    platform: { name: 'docker-tls', release: report.version },
    version: report.version,
    statistics: { duration: null },
    profiles,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function auditedProfile(report: AuditReport, subject: Judged) {
  const controls = subject.results.map((result) => controlOf(result, subject, report.createdAt));
  const groups = [...new Set(subject.results.map(({ group }) => group))].map((title) => ({
    ...{ id: title, title },
    controls: subject.results.filter(({ group }) => group === title).map(({ id }) => id),
  }));
  return profileOf(report, subject.name, controls, groups);
}

/** One control with an error: a reader would take a host that is missing for one without findings. */
function unauditedProfile(report: AuditReport, { name, error }: UnauditedHost) {
  const [title, message] = ['The host was audited', clean(error, LONGEST)];
  const result = { start_time: report.createdAt, run_time: 0, status: 'error', code_desc: title };
  const control = {
    ...{ id: 'audit', title, desc: title, impact: IMPACTS.critical, refs: [], code: '', descriptions: [] },
    ...{ source_location: {}, tags: { nist: [] }, results: [{ ...result, message, exception: message }] },
  };
  return profileOf(report, name, [control], []);
}

function profileOf<C>(report: AuditReport, subject: string, controls: readonly C[], groups: readonly unknown[]) {
  const name = clean(subject, LONGEST);
  const title = `docker-tls audit of ${name}, numbers of the CIS Docker Benchmark ${report.benchmark}`;
  return {
    name,
    title: [title, ...selectionWords(report)].join('. '),
    version: report.version,
    sha256: createHash('sha256').update(JSON.stringify(controls)).digest('hex'),
    attributes: [],
    supports: [],
    groups,
    controls,
  };
}

function controlOf(result: CheckResult, subject: Judged, createdAt: string) {
  const { id, title, why, fix, severity, cis, level, accepted } = result;
  return {
    ...{ id, title, desc: why, impact: result.manual ? 0 : IMPACTS[severity], refs: [], code: '' },
    descriptions: [{ label: 'fix', data: clean(fix, LONGEST) }],
    source_location: {},
    tags: {
      severity,
      // Readers take it for the key of their own tables.
      nist: [],
      ...(level === undefined ? {} : { cis_level: Number(level) }),
      ...Object.fromEntries(Object.entries(cis).map(([edition, number]) => [`cis_docker_${edition}`, number])),
    },
    ...(accepted && {
      waiver_data: {
        justification: clean(accepted.reason, LONGEST),
        expiration_date: accepted.expires ?? null,
        run: false,
        // What makes a reader count it as waived.
        skipped_due_to_waiver: true,
        message: '',
      },
    }),
    results: resultsOf(result, subject, createdAt),
  };
}

function resultsOf(
  { state, title, failure, reason, unseen, evidence }: CheckResult,
  subject: Judged,
  createdAt: string,
) {
  const start = { start_time: createdAt, run_time: 0 };
  if (state === 'pass') return [{ ...start, status: 'passed', code_desc: title }];
  if (state === 'not-applicable') {
    const message = clean(reason ?? '', LONGEST);
    return unseen
      ? [{ ...start, status: 'error', code_desc: title, message, exception: message }]
      : [{ ...start, status: 'skipped', code_desc: title, skip_message: message }];
  }
  return evidence.map((piece) => {
    const [where, text] = [clean(whereIn(subject, piece), LONGEST), clean(piece.text, LONGEST)];
    return { ...start, status: 'failed', code_desc: `${where}: ${failure}`, message: text };
  });
}
