/** Type of a check: data, with one pure function of the facts. */

import type { ProbeOutcome } from '../../../core/runtime.ts';
import type { ListenerCode } from '../../../core/seams/listeners.ts';
import type { AuditFacts } from './audit-facts.ts';
import type { FixName } from './fix-names.ts';
import type { Isolation } from './isolation.ts';
import type { VulnerabilityTable } from './vulnerability-table.ts';

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';

export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

export type Evidence = {
  /** A file, container, image, network, user or address. */
  readonly place: string;
  readonly text: string;
  /** Path of the file, if it may be another one than the audited file. */
  readonly file?: string | undefined;
  /** Line number, from 1. */
  readonly line?: number;
  /** Severity of this piece of evidence, if it differs. */
  readonly severity?: Severity | undefined;
};

/** Verdict of a check. A finding may have a higher or lower severity than its check. */
export type Verdict =
  | { readonly state: 'pass' }
  | {
      readonly state: 'finding';
      readonly evidence: readonly Evidence[];
      readonly severity?: Severity;
      /** Reason why the check's fix does not apply. */
      readonly stays?: string;
      /** Packages without a newer version for this host: an upgrade has to wait for one. */
      readonly waits?: string;
    }
  | {
      readonly state: 'not-applicable';
      readonly reason: string;
      readonly evidence?: readonly Evidence[];
      /** Question for a person, if the check cannot decide. */
      readonly question?: string;
      /** The check may apply, but its data is missing: neither a pass nor resolved. */
      readonly unseen?: true;
    };

/** Verdict of a check that found something. */
export type Found = Extract<Verdict, { readonly state: 'finding' }>;

/** One probe over the network. */
export type AuditProbe = {
  readonly what:
    | 'no-certificate'
    | 'other-authority'
    | 'own-certificate'
    | 'old-protocol'
    /** Plain HTTP. */
    | 'plain';
  readonly address: string;
  readonly port: number;
  readonly outcome: ProbeOutcome;
};

/** Additional input of a check. */
export type Outside = {
  readonly probes: readonly AuditProbe[];
  /** Names and addresses that clients connect to. */
  readonly dialled: readonly string[];
  readonly now: Date;
  /** Known vulnerabilities. */
  readonly table: VulnerabilityTable;
  /** SHA-256 of the store's CAs for this host; undefined: unknown. */
  readonly ourCas?: ReadonlySet<string> | undefined;
  /** A service of docker-tls that accepts clients in front of the daemon: its address, and who is accepted with a CA of this common name. */
  readonly listener?:
    | { readonly at: string; readonly acceptedOf: (commonName: string) => ReturnType<ListenerCode['acceptedOf']> }
    | undefined;
  /** What containers of the audit reached; undefined: not tried. */
  readonly isolation?: Isolation | undefined;
};

export type Check = {
  /** Number in the newest CIS Docker Benchmark, or an ID of docker-tls: `tls.1`. */
  readonly id: string;
  readonly title: string;
  /** Title of a finding: the failure. Absent for manual checks: they have no findings. */
  readonly failure?: string;
  readonly severity: Severity;
  readonly why: string;
  /** Fix: a sentence or commands; a function if the commands contain the host's name. */
  readonly fix: string | ((host: string) => string);
  /** The `harden` fix for this check. */
  readonly fixable?: FixName;
  /** A person decides; the check gathers the evidence. */
  readonly manual?: true;
  readonly evaluate: (facts: AuditFacts, outside: Outside) => Verdict;
};

/** Checks from a table by ID, in table order. */
export function checksOf<C extends { readonly id: string }>(
  rows: Readonly<Record<string, Omit<C, 'id'>>>,
): readonly C[] {
  return Object.entries(rows).map(([id, row]) => ({ id, ...row }) as C);
}

/** A manual check: a person decides, the check gathers the evidence. */
export function manual(row: Omit<Check, 'id' | 'severity' | 'manual'>): Omit<Check, 'id'> {
  return { ...row, severity: 'info', manual: true };
}

export const PASS: Verdict = { state: 'pass' };

/** Verdict of API checks without an API answer. */
export const UNANSWERED: Verdict = { state: 'not-applicable', reason: "Docker's API did not answer", unseen: true };

export function notApplicable(reason: string, evidence?: readonly Evidence[]): Verdict {
  return { state: 'not-applicable', reason, evidence };
}

/** Verdict for a person to decide, with the relevant facts as evidence. */
export function forPerson(question: string, evidence?: readonly Evidence[]): Verdict {
  return { state: 'not-applicable', reason: `needs a person: ${question}`, evidence, question };
}

export function finding(evidence: readonly Evidence[], severity?: Severity, stays?: string): Found {
  return { state: 'finding', evidence, severity, stays };
}

/** A finding with one place. */
export function findingAt(place: string, text: string, severity?: Severity, stays?: string): Verdict {
  return finding([{ place, text }], severity, stays);
}

/** Rank of a severity: 0 is the highest. */
export function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export function gravestFirst<T extends { readonly severity: Severity }>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => rank(a.severity) - rank(b.severity));
}

/** Highest severity among pieces of evidence that have one. */
export function gravestOf(evidence: readonly Evidence[]): Severity | undefined {
  return SEVERITIES.find((severity) => evidence.some((piece) => piece.severity === severity));
}

export function judge(evidence: readonly Evidence[], severity?: Severity): Verdict {
  return evidence.length === 0 ? PASS : finding(evidence, severity);
}

/** Group of a check in the benchmark's order; groups of docker-tls follow. */
export function checkGroup(id: string): string {
  const [head = ''] = id.split('.');
  return CHECK_GROUPS.find(([key]) => key === head)?.[1] ?? 'Other';
}

export const CHECK_GROUPS: readonly (readonly [string, string])[] = [
  ['tls', 'TLS and the network'],
  ['vuln', 'Known vulnerabilities'],
  ['config', 'Configuration of the daemon'],
  ['ssh', 'SSH'],
  ['1', 'Host'],
  ['host', 'Host, outside of Docker'],
  ['2', 'Docker daemon'],
  ['3', 'Files'],
  ['file', 'Files'],
  ['4', 'Images'],
  ['5', 'Containers'],
  ['container', 'Containers'],
  ['isolation', 'Isolation, tried from inside a container'],
  ['6', 'Operations'],
  ['7', 'Swarm'],
  ['swarm', 'Swarm'],
  ['compose', 'Compose file'],
  ['dockerfile', 'Dockerfile'],
];
