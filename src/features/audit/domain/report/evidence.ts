/** Evidence of a report: who saw what, with which program, on which host, and when. */

import type { AuditFacts } from '../audit-facts.ts';
import { readCertificates } from '../certificates.ts';
import type { Outside } from '../check.ts';

/** Evidence of a run. */
export type RunEvidence = {
  /** SHA-256 of the program: docs/audit.md has the command. */
  readonly program: string;
  /** `user@computer` of the auditor. */
  readonly operator: string;
  /** Fingerprint of the key that signs the report. */
  readonly signer: string | undefined;
};

/** Evidence of a host. Times are ISO 8601. */
export type HostEvidence = {
  readonly machineId: string | undefined;
  /** Fingerprints of sshd's keys, from the host's files. */
  readonly hostKeys: readonly string[];
  /** Fingerprint of the key that this connection saw; undefined for this machine. */
  readonly connectedKey?: string | undefined;
  /** SHA-256 fingerprints of dockerd's certificate and trusted CAs. */
  readonly certificates: readonly string[];
  /** The host's clock, and the auditor's, during the audit. */
  readonly hostTime: string | undefined;
  readonly auditorTime: string | undefined;
  /** SHA-256 of the facts. */
  readonly facts: string;
};

export function hostEvidence(
  { identity, tls, clock }: AuditFacts,
  { now, probes = [] }: Partial<Outside>,
): HostEvidence {
  const served = probes.find(({ outcome }) => outcome.chain !== '')?.outcome.chain ?? '';
  const certificates = [served, tls.cert?.pem ?? '', tls.ca?.pem ?? ''].flatMap((pem) =>
    readCertificates(pem).map(({ fingerprint }) => fingerprint.replaceAll(':', '').toLowerCase()),
  );
  return {
    ...identity,
    certificates: [...new Set(certificates)],
    hostTime: Number.isNaN(clock.getTime()) ? undefined : clock.toISOString(),
    auditorTime: now?.toISOString(),
  };
}
