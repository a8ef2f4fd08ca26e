/** Owns the report as data: what every form shows, what `--json` prints, and what a later run compares with. */

import { printable } from '../../../errors/errors.ts';
import { isOn } from '../../dockerd/options.ts';
import { textAt } from '../../json.ts';
import type { Benchmark } from '../benchmark.ts';
import { readCertificates } from '../certificates.ts';
import type { Outside } from '../check.ts';
import { type CheckResult, evaluate } from '../evaluate.ts';
import { exposedAddresses, gotIn } from '../exposure.ts';
import type { AuditFacts } from '../facts.ts';
import type { LynisAnswer } from '../lynis.ts';
import { type Score, score } from '../score.ts';
import { bestUpgrade, TABLE_DATE, type Upgrade } from '../vulnerabilities.ts';

/** A certificate on the time line. Dates are ISO 8601. */
export type ReportedCertificate = {
  readonly role: 'server' | 'client' | 'authority';
  readonly name: string;
  readonly notBefore: string;
  readonly notAfter: string;
};

/** One way to control a host's daemon. */
export type ReportedAccess = {
  readonly who: string;
  /** `any client`, `certificate`, `group`, … in words. */
  readonly how: string;
  readonly where: string;
  readonly grave: boolean;
};

export type AuditedHost = {
  readonly kind: 'host';
  readonly name: string;
  readonly address?: string;
  readonly os?: string;
  readonly docker?: string;
  readonly results: readonly CheckResult[];
  readonly score: Score;
  /** The package whose upgrade closes most known vulnerabilities. */
  readonly upgrade?: Upgrade;
  readonly certificates: readonly ReportedCertificate[];
  readonly access: readonly ReportedAccess[];
  /** Where it was asked for. */
  readonly lynis?: LynisAnswer;
};

/** A Compose file or Dockerfile; `name` is its path, as `fileName` writes it. */
export type AuditedFile = {
  readonly kind: 'compose' | 'dockerfile';
  readonly name: string;
  readonly results: readonly CheckResult[];
  readonly score: Score;
};

/** A path as it was given, in one spelling: `./a//b` is `a/b`. What is compared by name must not depend on how it was typed. */
export function fileName(path: string): string {
  const parts = path.split('/').filter((part, index) => part !== '.' && (part !== '' || index === 0));
  return parts.join('/') || path;
}

/** What every report says of itself. */
export function reportHead(now: Date, version: string, benchmark: Benchmark): Omit<AuditReport, 'subjects'> {
  return { createdAt: now.toISOString(), version, benchmark, vulnerabilities: TABLE_DATE };
}

export type UnauditedHost = { readonly kind: 'unreachable'; readonly name: string; readonly error: string };

export type Subject = AuditedHost | AuditedFile | UnauditedHost;

export type AuditReport = {
  readonly createdAt: string;
  /** Of docker-tls. */
  readonly version: string;
  /** The edition that the numbers of checks are from. */
  readonly benchmark: Benchmark;
  /** The day up to which the sources of the table of known vulnerabilities were read. */
  readonly vulnerabilities: string;
  readonly subjects: readonly Subject[];
};

/** The editions that a report is measured with, for its users. */
export function editionsWords({
  benchmark,
  vulnerabilities,
}: Pick<AuditReport, 'benchmark' | 'vulnerabilities'>): string {
  return `CIS Docker Benchmark ${benchmark}, known vulnerabilities as of ${vulnerabilities}`;
}

export function judged(report: AuditReport): readonly (AuditedHost | AuditedFile)[] {
  return report.subjects.filter((subject) => subject.kind !== 'unreachable');
}

function certificatesOf(facts: AuditFacts, outside: Partial<Outside>): readonly ReportedCertificate[] {
  const served =
    outside.probes?.find(({ outcome }) => outcome.chain !== '')?.outcome.chain ?? facts.tls.cert?.pem ?? '';
  const server = readCertificates(served)
    .slice(0, 1)
    .map((certificate) => ({ role: 'server' as const, certificate }));
  const trusted = readCertificates(facts.tls.ca?.pem ?? '').map((certificate) => ({
    role: 'authority' as const,
    certificate,
  }));
  return [...server, ...trusted]
    .filter(
      ({ certificate }) =>
        !Number.isNaN(certificate.notAfter.getTime()) && !Number.isNaN(certificate.notBefore.getTime()),
    )
    .map(({ role, certificate }) => ({
      role,
      name: printable(certificate.subject, 200),
      notBefore: certificate.notBefore.toISOString(),
      notAfter: certificate.notAfter.toISOString(),
    }));
}

/** Who controls the daemon, as the facts and probes show it. Clients that we issued certificates to are the caller's to add. */
function accessOf(
  facts: AuditFacts,
  outside: Partial<Outside>,
  results: readonly CheckResult[],
): readonly ReportedAccess[] {
  // Our own client is to be accepted; any other that is shows that every client may be.
  const untrusted = outside.probes?.filter((probe) => probe.what !== 'own-certificate' && gotIn(probe)) ?? [];
  const open = new Set(untrusted.map(({ address, port }) => `${address}:${port}`));
  const unprotected = results.some(({ id, state }) => (id === '2.8' || id === 'tls.3') && state === 'finding');
  if (unprotected) for (const { address } of exposedAddresses(facts)) open.add(address);
  const anyClient = [...open].map((where) => ({
    who: 'any client',
    how: 'no certificate asked for',
    where,
    grave: true,
  }));
  const groups = [{ name: 'docker', members: facts.dockerGroup ?? [] }, facts.socketGroup];
  const group = groups.flatMap((one) =>
    one === undefined || one.members.length === 0
      ? []
      : [{ who: one.members.join(', '), how: `${one.name} group`, where: facts.apiSocket, grave: false }],
  );
  const served = exposedAddresses(facts).map(({ address }) => address);
  const trusted = isOn(facts.daemon, 'tlsverify', false)
    ? readCertificates(facts.tls.ca?.pem ?? '').map(({ subject }) => ({
        who: `clients of ${subject}`,
        how: 'certificate',
        where: served.join(', '),
        grave: false,
      }))
    : [];
  const mounts = (facts.engine?.containers ?? [])
    .filter((container) =>
      results.some(
        ({ id, evidence }) => id === '5.32' && evidence.some(({ place }) => place === `container ${container.name}`),
      ),
    )
    .map(({ name }) => ({ who: `container ${name}`, how: 'mounted docker.sock', where: facts.apiSocket, grave: true }));
  // Any user that may write to a socket controls the daemon, whatever group it has.
  const sockets = [...facts.files.values()].filter(
    ({ path, kind, mode }) =>
      kind === 'socket' &&
      (mode & 0o002) !== 0 &&
      // /var/run is /run.
      !(path.startsWith('/var/run/') && facts.files.has(path.slice(4))),
  );
  const local = sockets.map(({ path, mode }) => ({
    who: 'every local user',
    how: `socket with mode ${mode.toString(8).padStart(4, '0')}`,
    where: path,
    grave: true,
  }));
  return [...anyClient, ...local, ...mounts, ...trusted, ...group].map(({ who, how, where, grave }) => ({
    who: printable(who, 200),
    how,
    where: printable(where, 200),
    grave,
  }));
}

/** Judges a host and gathers what the reports show of it. */
export function auditHost(name: string, facts: AuditFacts, outside: Partial<Outside> = {}): AuditedHost {
  const results = evaluate(facts, outside, name);
  const version = textAt(facts.docker?.info, 'ServerVersion');
  const upgrade = bestUpgrade(facts);
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
    access: accessOf(facts, outside, results),
  };
}
