/** Report data: the content of every format, the output of `--json`, and the input of a later comparison. */

import { textAt } from '../../../../core/domain/json.ts';
import type { Upgrade } from '../../../../core/domain/status-row.ts';
import { printable } from '../../../../errors/errors.ts';
import type { AuditFacts } from '../audit-facts.ts';
import type { Benchmark, Level } from '../benchmark.ts';
import { readCertificates } from '../certificates.ts';
import type { Evidence, Outside } from '../check.ts';
import { type CheckResult, evaluate } from '../evaluate.ts';
import type { LynisAnswer } from '../lynis.ts';
import { type Score, score } from '../score.ts';
import { bestUpgrade } from '../vulnerabilities.ts';
import { BUILT_IN, type VulnerabilityTable } from '../vulnerability-table.ts';
import { type HostEvidence, hostEvidence, type RunEvidence } from './evidence.ts';
import { type ReportedAccess, rootAccess } from './root-access.ts';

/** A certificate on the timeline. Dates are ISO 8601. */
export type ReportedCertificate = {
  readonly role: 'server' | 'client' | 'authority';
  readonly name: string;
  readonly notBefore: string;
  readonly notAfter: string;
};

export type AuditedHost = {
  readonly kind: 'host';
  readonly name: string;
  readonly address?: string;
  readonly os?: string;
  readonly docker?: string;
  readonly results: readonly CheckResult[];
  readonly score: Score;
  /** The package upgrade that closes most known vulnerabilities. */
  readonly upgrade?: Upgrade;
  readonly certificates: readonly ReportedCertificate[];
  readonly access: readonly ReportedAccess[];
  /** If requested. */
  readonly lynis?: LynisAnswer;
  readonly evidence?: HostEvidence;
};

/** A Compose file or Dockerfile; `name` is its path, normalised by `fileName`. */
export type AuditedFile = {
  readonly kind: 'compose' | 'dockerfile';
  readonly name: string;
  readonly results: readonly CheckResult[];
  readonly score: Score;
};

/** A path in one spelling: `./a//b` is `a/b`, so comparisons by name do not depend on the typed form. */
export function fileName(path: string): string {
  const parts = path.split('/').filter((part, index) => part !== '.' && (part !== '' || index === 0));
  return parts.join('/') || path;
}

/** Where a piece of evidence is, for readers: in a file its line, and which file if it is another one. */
export function whereIn(subject: Pick<Subject, 'kind' | 'name'>, { place, file, line }: Evidence): string {
  if (subject.kind === 'host' || line === undefined) return place;
  return `${file === undefined || file === subject.name ? '' : `${file} `}line ${line}, ${place}`;
}

/** Metadata of every report. */
export function reportHead(
  now: Date,
  version: string,
  benchmark: Benchmark,
  { date }: Pick<VulnerabilityTable, 'date'> = BUILT_IN,
): Omit<AuditReport, 'subjects'> {
  return { createdAt: now.toISOString(), version, benchmark, vulnerabilities: date };
}

export type UnauditedHost = { readonly kind: 'unreachable'; readonly name: string; readonly error: string };

export type Subject = AuditedHost | AuditedFile | UnauditedHost;

export type AuditReport = {
  readonly createdAt: string;
  /** Version of docker-tls. */
  readonly version: string;
  /** Edition of the check numbers. */
  readonly benchmark: Benchmark;
  /** Date of the sources of the vulnerability table. */
  readonly vulnerabilities: string;
  /** Present if only a part of the checks was selected. */
  readonly selection?: { readonly level?: Level | undefined; readonly checks: readonly string[] } | undefined;
  readonly subjects: readonly Subject[];
  /** Absent in a report for display only. */
  readonly evidence?: RunEvidence;
};

/** Age at which the table of known vulnerabilities counts as old. */
const OLD_MS = 183 * 86_400_000;

/** Editions behind a report, as text for users, with a warning for an old table. */
export function editionsWords({
  benchmark,
  vulnerabilities,
  createdAt,
}: Pick<AuditReport, 'benchmark' | 'vulnerabilities' | 'createdAt'>): string {
  const ageMs = Date.parse(createdAt) - Date.parse(vulnerabilities);
  const old =
    ageMs > OLD_MS
      ? ` (${Math.floor(ageMs / 86_400_000)} days old; a newer table knows more: docker-tls audit --vulnerabilities FILE)`
      : '';
  return `CIS Docker Benchmark ${benchmark}, known vulnerabilities as of ${vulnerabilities}${old}`;
}

/** That a report is of a part of the checks, in the words of the options: its score says nothing of the others. No line otherwise. */
export function selectionWords({ selection }: Pick<AuditReport, 'selection'>): readonly string[] {
  if (selection === undefined) return [];
  const { level, checks } = selection;
  const options = [...(level === undefined ? [] : [`--level ${level}`]), ...checks.map((one) => `--check ${one}`)];
  return [`Only a part of the checks: ${printable(options.join(' '), 500)}`];
}

export function judged(report: AuditReport): readonly (AuditedHost | AuditedFile)[] {
  return report.subjects.filter((subject) => subject.kind !== 'unreachable');
}

function certificatesOf(facts: AuditFacts, outside: Partial<Outside>): readonly ReportedCertificate[] {
  const served = outside.probes?.find(({ outcome }) => outcome.chain !== '')?.outcome.chain ?? facts.tls.cert?.pem;
  const reported = (role: ReportedCertificate['role'], pem = '', most?: number) =>
    readCertificates(pem)
      .slice(0, most)
      .filter(({ notAfter, notBefore }) => !Number.isNaN(notAfter.getTime()) && !Number.isNaN(notBefore.getTime()))
      .map(({ subject, notBefore, notAfter }) => ({
        role,
        name: printable(subject, 200),
        notBefore: notBefore.toISOString(),
        notAfter: notAfter.toISOString(),
      }));
  return [...reported('server', served, 1), ...reported('authority', facts.tls.ca?.pem)];
}

/** Judges a host, and gathers the data for reports. */
export function auditHost(name: string, facts: AuditFacts, outside: Partial<Outside> = {}): AuditedHost {
  const results = evaluate(facts, outside, name);
  const version = textAt(facts.docker?.info, 'ServerVersion');
  const upgrade = bestUpgrade(facts, outside.table);
  return {
    kind: 'host',
    name,
    address: outside.dialled?.[0],
    os: printable(facts.os, 100),
    docker: version === '' ? undefined : printable(version, 60),
    results,
    score: score(results),
    upgrade: upgrade && { ...upgrade, text: printable(upgrade.text, 300) },
    certificates: certificatesOf(facts, outside),
    access: rootAccess(facts, outside, results),
    evidence: hostEvidence(facts, outside),
  };
}
