/** The JSON of an audit: `audit --json`, reports of the form json, and the input of a later comparison. */

import type { Evidence } from '../check.ts';
import type { Comparison } from '../compare.ts';
import type { Acceptance, CheckResult } from '../evaluate.ts';
import type { Counts, Score } from '../score.ts';
import type { HostEvidence } from './evidence.ts';
import { type LynisDocument, lynisDocument } from './lynis-document.ts';
import type { AuditedHost, AuditReport, Subject } from './report.ts';

/** The report of an audit. */
export type AuditReportDocument = {
  readonly createdAt: string;
  /** Of docker-tls. */
  readonly version: string;
  /** Edition of the CIS Docker Benchmark whose numbers name the checks. */
  readonly benchmark: '1.6' | '1.7' | '1.8';
  /** Date of the table of known vulnerabilities. */
  readonly vulnerabilities: string;
  /** Which checks were selected; absent if all were. */
  readonly selection?: {
    /** Profile of the benchmark. */
    readonly level?: '1' | '2';
    /** IDs; a final `*` is a wildcard. Empty: all of the level. */
    readonly checks: readonly string[];
  };
  readonly subjects: readonly (AuditedHostDocument | AuditedFileDocument | UnauditedHostDocument)[];
  /** Who made the report, and with what; each host has its own. */
  readonly evidence?: {
    /** Version of this document. */
    readonly schema: 1;
    /** SHA-256 of the program. */
    readonly program: string;
    /** `user@computer` of the auditor. */
    readonly operator: string;
    /** Fingerprint of the key that signs the report. */
    readonly signer?: string;
  };
  /** With the report that --compare names. */
  readonly comparison?: {
    readonly appeared: readonly FindingDocument[];
    readonly gone: readonly FindingDocument[];
    /** How many findings are the same. */
    readonly same: number;
  };
};

type FindingDocument = { readonly subject: string; readonly check: string; readonly place: string };

type UnauditedHostDocument = { readonly kind: 'unreachable'; readonly name: string; readonly error: string };

/** A Compose file or Dockerfile; `name` is its path. */
type AuditedFileDocument = {
  readonly kind: 'compose' | 'dockerfile';
  readonly name: string;
  readonly results: readonly AuditResultDocument[];
  readonly score: ScoreDocument;
};

type AuditedHostDocument = {
  readonly kind: 'host';
  readonly name: string;
  readonly address?: string;
  readonly os?: string;
  readonly docker?: string;
  readonly results: readonly AuditResultDocument[];
  readonly score: ScoreDocument;
  /** The package upgrade that closes most known vulnerabilities. */
  readonly upgrade?: {
    readonly package: string;
    /** How many vulnerabilities it closes. */
    readonly closes: number;
    readonly text: string;
    /** For the host, as root. */
    readonly command: string;
  };
  readonly certificates: readonly {
    readonly role: 'server' | 'client' | 'authority';
    readonly name: string;
    readonly notBefore: string;
    readonly notAfter: string;
  }[];
  /** Who can become root here, and how. */
  readonly access: readonly {
    readonly who: string;
    readonly how: string;
    readonly where: string;
    /** No one should have it. */
    readonly grave: boolean;
    /** Of a client: what its role allows; without one, everything. */
    readonly role?: string;
    /** Last day of a certificate. */
    readonly expires?: string;
  }[];
  /** With --lynis. */
  readonly lynis?: LynisDocument;
  /** Which host it was, and when. */
  readonly evidence?: {
    /** HMAC-SHA-256 of `docker-tls audit` with the machine ID as key. */
    readonly machineId?: string;
    /** Fingerprints of sshd's keys, from the host's files. */
    readonly hostKeys: readonly string[];
    /** Fingerprint of the key that this connection saw. */
    readonly connectedKey?: string;
    /** SHA-256 fingerprints of dockerd's certificate and trusted CAs. */
    readonly certificates: readonly string[];
    readonly hostTime?: string;
    readonly auditorTime?: string;
    /** SHA-256 of the facts. */
    readonly facts: string;
  };
};

type SeverityDocument = 'critical' | 'high' | 'medium' | 'low' | 'info';

type CountsDocument = {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly info: number;
};

export type ScoreDocument = {
  /** 0 to 100, of what can be fixed now; absent if data is missing. */
  readonly value?: number;
  readonly grade?: 'A' | 'B' | 'C' | 'D' | 'F';
  readonly passed: number;
  /** Findings that are not accepted. */
  readonly findings: CountsDocument;
  /** Those of the findings that can be fixed now. */
  readonly fixableNow: CountsDocument;
  /** Those that wait for a package: the value leaves them out. */
  readonly waiting: CountsDocument;
  /** Packages without a newer version in the host's package index. */
  readonly awaited: readonly string[];
  readonly accepted: number;
  readonly notApplicable: number;
  readonly explanation: string;
};

/** One check of a host or file. */
type AuditResultDocument = {
  readonly id: string;
  /** Its numbers in the editions of the benchmark; empty for a check of docker-tls. */
  readonly cis: { readonly '1.6'?: string; readonly '1.7'?: string; readonly '1.8'?: string };
  /** The lowest profile of the benchmark with it; absent for a check of docker-tls. */
  readonly level?: '1' | '2';
  /** The desired state. */
  readonly title: string;
  /** Title of a finding. */
  readonly failure: string;
  readonly group: string;
  readonly severity: SeverityDocument;
  readonly why: string;
  readonly fix: string;
  /** The fix of harden. */
  readonly fixable?: string;
  /** A person decides. */
  readonly manual: boolean;
  readonly state: 'pass' | 'finding' | 'not-applicable';
  readonly reason?: string;
  /** For a person. */
  readonly question?: string;
  /** Data is missing: a finding is possible. */
  readonly unseen?: true;
  /** Of a finding that no upgrade can fix yet: the packages that it waits for. */
  readonly waits?: string;
  readonly evidence: readonly EvidenceDocument[];
  /** The baseline, or comments in the file (without a last day), accept the finding. */
  readonly accepted?: AcceptanceDocument;
  /** Evidence that the baseline or comments accept, of a finding that still counts. */
  readonly acceptedEvidence?: readonly AcceptedEvidenceDocument[];
};

type EvidenceDocument = {
  readonly place: string;
  readonly text: string;
  /** Of a Compose project: the file of the line. */
  readonly file?: string;
  readonly line?: number;
  readonly severity?: SeverityDocument;
};

type AcceptanceDocument = { readonly reason: string; readonly expires?: string };

type AcceptedEvidenceDocument = {
  readonly place: string;
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  readonly severity?: SeverityDocument;
  readonly accepted: AcceptanceDocument;
};

export function auditReportDocument(
  report: AuditReport & { readonly comparison: Comparison | undefined },
): AuditReportDocument {
  const { createdAt, version, benchmark, vulnerabilities, selection, subjects, comparison, evidence } = report;
  return {
    ...{ createdAt, version, benchmark, vulnerabilities },
    selection: selection && { level: selection.level, checks: selection.checks },
    subjects: subjects.map(subjectDocument),
    evidence: evidence && {
      ...{ schema: 1, program: evidence.program, operator: evidence.operator, signer: evidence.signer },
    },
    comparison: comparison && {
      appeared: comparison.appeared.map(findingDocument),
      gone: comparison.gone.map(findingDocument),
      same: comparison.same,
    },
  };
}

function findingDocument({ subject, check, place }: Comparison['appeared'][number]): FindingDocument {
  return { subject, check, place };
}

function subjectDocument(subject: Subject): AuditReportDocument['subjects'][number] {
  switch (subject.kind) {
    case 'unreachable':
      return { kind: 'unreachable', name: subject.name, error: subject.error };
    case 'host':
      return hostDocument(subject);
    default: {
      const { kind, name, results, score } = subject;
      return { kind, name, results: results.map(resultDocument), score: scoreDocument(score) };
    }
  }
}

function hostDocument(host: AuditedHost): AuditedHostDocument {
  const { name, address, os, docker, results, score, upgrade, certificates, access, lynis, evidence } = host;
  return {
    ...{ kind: 'host', name, address, os, docker, results: results.map(resultDocument), score: scoreDocument(score) },
    upgrade: upgrade && {
      ...{ package: upgrade.package, closes: upgrade.closes, text: upgrade.text, command: upgrade.command },
    },
    certificates: certificates.map(({ role, name: of, notBefore, notAfter }) => ({
      ...{ role, name: of, notBefore, notAfter },
    })),
    access: access.map(({ who, how, where, grave, role, expires }) => ({ who, how, where, grave, role, expires })),
    lynis: lynis && lynisDocument(lynis),
    evidence: evidence && evidenceOfHost(evidence),
  };
}

function evidenceOfHost(evidence: HostEvidence): NonNullable<AuditedHostDocument['evidence']> {
  const { machineId, hostKeys, connectedKey, certificates, hostTime, auditorTime, facts } = evidence;
  return { machineId, hostKeys, connectedKey, certificates, hostTime, auditorTime, facts };
}

export function scoreDocument(score: Score): ScoreDocument {
  const { value, grade, passed, findings, fixableNow, waiting, awaited, accepted, notApplicable, explanation } = score;
  return {
    ...{ value, grade, passed, findings: countsDocument(findings), fixableNow: countsDocument(fixableNow) },
    ...{ waiting: countsDocument(waiting), awaited, accepted, notApplicable, explanation },
  };
}

function countsDocument({ critical, high, medium, low, info }: Counts): CountsDocument {
  return { critical, high, medium, low, info };
}

function resultDocument(result: CheckResult): AuditResultDocument {
  const { id, cis, title, failure, group, severity, why, fix, fixable, manual, state, reason, question } = result;
  const { level, unseen, waits, evidence, accepted, acceptedEvidence } = result;
  return {
    ...{
      id,
      cis: { '1.6': cis['1.6'], '1.7': cis['1.7'], '1.8': cis['1.8'] },
      level,
      title,
      failure,
      group,
      severity,
      why,
    },
    ...{ fix, fixable, manual, state, reason, question, unseen, waits },
    evidence: evidence.map(evidenceDocument),
    accepted: accepted && acceptanceDocument(accepted),
    acceptedEvidence: acceptedEvidence?.map((piece) => ({
      ...evidenceDocument(piece),
      accepted: acceptanceDocument(piece.accepted),
    })),
  };
}

function evidenceDocument({ place, text, file, line, severity }: Evidence): EvidenceDocument {
  return { place, text, file, line, severity };
}

function acceptanceDocument({ reason, expires }: Acceptance): AcceptanceDocument {
  return { reason, expires };
}
