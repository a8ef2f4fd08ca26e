/** The type of a check: data, with one pure function of the facts. */

import type { ProbeOutcome } from '../../../core/runtime.ts';
import type { AuditFacts } from './facts.ts';
import type { FixName } from './fix-names.ts';

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';

export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

export type Evidence = {
  /** A file, container, image, network, user or address. */
  readonly place: string;
  readonly text: string;
  /** The line of a file, from 1. */
  readonly line?: number;
  /** Where pieces of one finding weigh differently. */
  readonly severity?: Severity;
};

/** Three answers and no fourth. A finding may be graver or lighter than its check usually is. */
export type Verdict =
  | { readonly state: 'pass' }
  | {
      readonly state: 'finding';
      readonly evidence: readonly Evidence[];
      readonly severity?: Severity;
      /** Why the check's fix does not fix this one. */
      readonly stays?: string;
    }
  | {
      readonly state: 'not-applicable';
      readonly reason: string;
      readonly evidence?: readonly Evidence[];
      /** What a person has to answer, where only one can judge. */
      readonly question?: string;
      /** It may well apply, but what would tell was not answered: neither good nor gone. */
      readonly unseen?: true;
    };

/** One question that was asked from outside, over the network. */
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

/** What a check may look at besides the host's own facts. */
export type Outside = {
  readonly probes: readonly AuditProbe[];
  /** The names and addresses that clients dial. */
  readonly dialled: readonly string[];
  readonly now: Date;
  /** SHA-256 of the CAs of the store that the host was set up from; absent: it is not known which are ours. */
  readonly ourCas?: ReadonlySet<string> | undefined;
};

export type Check = {
  /** The number in the newest CIS Docker Benchmark, or our own: `tls.1`. */
  readonly id: string;
  readonly title: string;
  /** What is wrong where it is not so: the title of a finding. A manual check finds nothing. */
  readonly failure?: string;
  readonly severity: Severity;
  readonly why: string;
  /** What to do: a sentence or commands; with commands for the host, made from its name. */
  readonly fix: string | ((host: string) => string);
  /** The fix of `harden` that fixes it. */
  readonly fixable?: FixName;
  /** A person has to judge; the check only gathers what helps. */
  readonly manual?: true;
  readonly evaluate: (facts: AuditFacts, outside: Outside) => Verdict;
};

/** Checks from a table by their ids, in its order. */
export function checksOf<C extends { readonly id: string }>(
  rows: Readonly<Record<string, Omit<C, 'id'>>>,
): readonly C[] {
  return Object.entries(rows).map(([id, row]) => ({ id, ...row }) as C);
}

/** One that a person has to judge: it only gathers what helps. */
export function manual(row: Omit<Check, 'id' | 'severity' | 'manual'>): Omit<Check, 'id'> {
  return { ...row, severity: 'info', manual: true };
}

export const PASS: Verdict = { state: 'pass' };

/** What needs Docker's API, where that says nothing. */
export const UNANSWERED: Verdict = { state: 'not-applicable', reason: "Docker's API did not answer", unseen: true };

export function notApplicable(reason: string, evidence?: readonly Evidence[]): Verdict {
  return { state: 'not-applicable', reason, evidence };
}

/** For what only a person can judge: the facts that help go into the evidence. */
export function forPerson(question: string, evidence?: readonly Evidence[]): Verdict {
  return { state: 'not-applicable', reason: `needs a person: ${question}`, evidence, question };
}

export function finding(evidence: readonly Evidence[], severity?: Severity, stays?: string): Verdict {
  return { state: 'finding', evidence, severity, stays };
}

/** A finding of one place. */
export function findingAt(place: string, text: string, severity?: Severity, stays?: string): Verdict {
  return finding([{ place, text }], severity, stays);
}

/** The place of a severity: 0 is the gravest. */
export function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export function gravestFirst<T extends { readonly severity: Severity }>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => rank(a.severity) - rank(b.severity));
}

/** The gravest of what the pieces of evidence say of themselves. */
export function gravestOf(evidence: readonly Evidence[]): Severity | undefined {
  return SEVERITIES.find((severity) => evidence.some((piece) => piece.severity === severity));
}

export function judge(evidence: readonly Evidence[], severity?: Severity): Verdict {
  return evidence.length === 0 ? PASS : finding(evidence, severity);
}

/** The group of a check, as the benchmark orders them; our own come after. */
export function groupOf(id: string): string {
  const [head = ''] = id.split('.');
  return GROUPS.find(([key]) => key === head)?.[1] ?? 'Other';
}

export const GROUPS: readonly (readonly [string, string])[] = [
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
  ['6', 'Operations'],
  ['7', 'Swarm'],
  ['swarm', 'Swarm'],
  ['compose', 'Compose file'],
  ['dockerfile', 'Dockerfile'],
];
