/** Owns the audit of hosts: one exec for all facts of a host, questions from outside, verdicts; in parallel, changing nothing. */

import type { StoredHost, StoreState } from '../adapters/store/records.ts';
import { applyBaseline, type Baseline } from '../domain/audit/baseline.ts';
import { type Benchmark, NEWEST } from '../domain/audit/benchmark.ts';
import { readCertificates } from '../domain/audit/certificates.ts';
import type { AuditProbe } from '../domain/audit/check.ts';
import { inBenchmark, wantedProbes } from '../domain/audit/evaluate.ts';
import type { AuditFacts } from '../domain/audit/facts.ts';
import { parseLynis } from '../domain/audit/lynis.ts';
import { type AuditedFile, type AuditedHost, auditHost, type Subject } from '../domain/audit/report/report.ts';
import { score, scoreWords } from '../domain/audit/score.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import { gatherAuditFacts, gatherLynis } from '../engine/gather.ts';
import { type FleetOptions, type HostResult, overHosts } from '../engine/pool.ts';
import { probeAs } from '../engine/probes.ts';
import { probeClientAt } from '../engine/reachable-hosts.ts';
import { printable } from '../errors/errors.ts';
import type { HostProgress, HostSession, ProbeCredentials, Progress, Runtime, SshQuestions } from '../runtime.ts';

export type AuditContext = {
  readonly runtime: Runtime;
  readonly state: StoreState;
  readonly sudoPassword?: Secret;
  /** Of single hosts, by name. */
  readonly sudoPasswords?: ReadonlyMap<string, Secret>;
  readonly ask?: SshQuestions;
  readonly selection: Selection;
  /** Lynis is run where it is installed. */
  readonly lynis?: boolean;
};

/** A firewall that drops says nothing; the ports that dockerd serves answer at once. */
const PROBE_TIMEOUT_MS = 5000;

/** Audits every host on its own; one that cannot be asked is a failed result. Nothing is changed anywhere. */
export async function auditHosts(
  specs: readonly HostSpec[],
  context: AuditContext,
  options: FleetOptions,
  progress: Progress,
): Promise<HostResult<AuditedHost>[]> {
  const { runtime } = context;
  return overHosts(specs, options, progress, runtime.now, async (spec, line) => {
    line.phase('connect');
    const sudoPassword = context.sudoPasswords?.get(spec.name) ?? context.sudoPassword;
    await using session = await runtime.connect({
      ...spec.ssh,
      host: spec.name,
      sudoPassword,
      ask: context.ask,
      signal: runtime.signal,
    });
    line.phase('facts');
    const facts = await gatherAuditFacts(session, runtime.signal);
    line.phase('probe');
    const known = context.state.hosts.get(spec.name);
    const address = spec.address ?? session.dialled;
    const probes = await probeFromOutside(context, facts, address, spec);
    const found = auditHost(spec.name, facts, { probes, dialled: [address], now: runtime.now() });
    const selected = selectResults(found, context.selection, runtime.now());
    const subject = context.lynis ? await withLynis(selected, session, line, runtime.signal) : selected;
    line.done(scoreWords(subject.score));
    return known === undefined ? subject : withOurClients(subject, known, context.state);
  });
}

async function withLynis(
  subject: AuditedHost,
  session: HostSession,
  line: HostProgress,
  signal: AbortSignal,
): Promise<AuditedHost> {
  line.phase('lynis');
  return { ...subject, lynis: parseLynis(await gatherLynis(session, signal), subject.results) };
}

/** Who is accepted over the network, all at once: untrusted clients, and our own where the store has one. */
async function probeFromOutside(
  { runtime, state }: AuditContext,
  facts: AuditFacts,
  address: string,
  spec: HostSpec,
): Promise<AuditProbe[]> {
  const at = { address, timeoutMs: PROBE_TIMEOUT_MS, now: runtime.now() };
  const known = state.hosts.get(spec.name);
  const client = known === undefined ? undefined : probeClientAt(state.clients.values(), known);
  const { key } = client ?? {};
  const ask = async (what: AuditProbe['what'], port: number, ca?: string, credentials?: ProbeCredentials) => ({
    ...{ what, address, port },
    outcome: await probeAs(runtime.probe, what, { ...at, port, ca }, credentials),
  });
  return Promise.all([
    ...(client === undefined || key === undefined
      ? []
      : [ask('own-certificate', spec.port, client.ca, { cert: client.cert, key })]),
    ...wantedProbes(facts, address).map(({ what, port }) => ask(what, port)),
  ]);
}

/** The certificates that we issued belong on the time line, and their owners among the accepted clients. */
function withOurClients(subject: AuditedHost, host: StoredHost, state: StoreState): AuditedHost {
  const { name, address, port } = host.record;
  const clients = [...state.clients.values()].filter(
    ({ record }) => record.revokedAt === undefined && (record.hosts === undefined || record.hosts.includes(name)),
  );
  const certificates = clients.flatMap(({ record, cert }) =>
    readCertificates(cert)
      .slice(0, 1)
      .map(({ notBefore, notAfter }) => ({
        role: 'client' as const,
        name: printable(record.name, 200),
        notBefore: notBefore.toISOString(),
        notAfter: notAfter.toISOString(),
      })),
  );
  const access = clients.map(({ record }) => ({
    who: `client ${printable(record.name, 200)}`,
    how: 'certificate',
    where: `${address}:${port}`,
    grave: false,
  }));
  return {
    ...subject,
    certificates: [...subject.certificates, ...certificates],
    access: [...subject.access, ...access],
  };
}

/** What a run wants to hear of: only some checks, and without accepted findings. */
export type Selection = {
  /** Ids; `*` at the end stands for anything. Empty: all. */
  readonly checks: readonly string[];
  /** The edition whose numbers name the checks, here and in the baseline. */
  readonly benchmark?: Benchmark;
  readonly baseline?: Baseline;
};

/** The subject with the checks that were asked for; accepted findings are marked, and the score is made anew. */
export function selectResults<S extends AuditedHost | AuditedFile>(subject: S, selection: Selection, now: Date): S {
  const { checks, baseline, benchmark = NEWEST } = selection;
  const all = inBenchmark(subject.results, benchmark);
  const chosen =
    checks.length === 0 ? all : all.filter(({ id }) => checks.some((pattern) => matchesCheck(pattern, id)));
  const results = baseline === undefined ? chosen : applyBaseline(chosen, subject.name, baseline, now);
  return { ...subject, results, score: score(results) };
}

/** `5.*` means every check whose id begins with `5.`. */
export function matchesCheck(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : pattern === id;
}

/** Every result as a subject of the report, in the order of the hosts. */
export function subjectsOf(results: readonly HostResult<AuditedHost>[]): Subject[] {
  return results.map((result) => {
    if (result.kind === 'done') return result.value;
    const error =
      result.kind === 'skipped'
        ? result.reason
        : result.errors.map((one) => `${one.message} (${one.code})`).join('; ') || 'no answer';
    return { kind: 'unreachable', name: result.host, error: printable(error, 500) };
  });
}
