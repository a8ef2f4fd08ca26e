/** Audit of hosts: one exec for all facts of a host, probes from outside, verdicts; in parallel, without changes. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { ourFingerprints } from '../../../core/domain/trust/other-cas.ts';
import { probeClientAt } from '../../../core/domain/trust/reachable-hosts.ts';
import type { Reach } from '../../../core/engine/intent.ts';
import { type FleetOptions, overHosts } from '../../../core/engine/pool.ts';
import { probeAs } from '../../../core/engine/probes.ts';
import { sshOptions } from '../../../core/engine/steps/open-host.ts';
import { wayTo } from '../../../core/engine/through.ts';
import type { HostKey, Probe, ProbeCredentials } from '../../../core/runtime.ts';
import { LISTENERS, type ListenerCode } from '../../../core/seams/listeners.ts';
import type { AuditFacts } from '../domain/audit-facts.ts';
import type { AuditProbe, Outside } from '../domain/check.ts';
import { type CheckSelection, selectResults } from '../domain/check-selection.ts';
import { wantedProbes } from '../domain/evaluate.ts';
import { parseLynis } from '../domain/lynis.ts';
import { withOurClients } from '../domain/report/own-clients.ts';
import { type AuditedHost, auditHost } from '../domain/report/report.ts';
import { scoreWords } from '../domain/score.ts';
import type { VulnerabilityTable } from '../domain/vulnerability-table.ts';
import { gatherAuditFacts, gatherIsolation, gatherLynis } from './gather-audit.ts';

export type AuditContext = Reach &
  Pick<FleetOptions, 'parallel' | 'progress'> & {
    readonly state: StoreState;
    readonly selection: CheckSelection;
    readonly table?: VulnerabilityTable;
    /** Run Lynis if installed. */
    readonly lynis?: boolean;
    /** Open watched files for writing, and read the records back. */
    readonly probeAuditd?: boolean;
    /** Facts of a host that its plan has. */
    readonly factsOf?: (host: string) => AuditFacts | undefined;
    /** Try the isolation of containers from inside: after consent. */
    readonly probeContainers?: boolean;
  };

/** A dropping firewall never answers; ports that dockerd serves answer at once. */
const PROBE_TIMEOUT_MS = 5000;

/** Audits every host separately; an unreachable one is a failed result. Changes nothing. */
export async function auditHosts(
  specs: readonly HostSpec[],
  context: AuditContext,
): Promise<HostResult<AuditedHost>[]> {
  const { runtime, progress, parallel } = context;
  const ours = ourFingerprints(context.state);
  return overHosts(specs, { runtime, progress, parallel }, async (spec, line) => {
    line.phase('connect');
    await using session = await runtime.connect(sshOptions(spec, context));
    line.phase('facts');
    const facts =
      context.factsOf?.(spec.name) ?? (await gatherAuditFacts(session, runtime.signal, { touch: context.probeAuditd }));
    line.phase('probe');
    const known = context.state.hosts.get(spec.name);
    const address = spec.address ?? session.dialled;
    const code = facts.listenerLists.size === 0 ? undefined : await LISTENERS.all[0]?.load();
    const way = wayTo(spec, runtime.probe, session);
    const probes = await probeFromOutside(context, way.probe, facts, address, spec);
    if (context.probeContainers) line.phase('isolation');
    const isolation = context.probeContainers ? await gatherIsolation(session, facts, runtime.signal) : undefined;
    const found = auditHost(spec.name, facts, {
      ...{ probes, dialled: [address], now: runtime.now(), table: context.table },
      ourCas: known === undefined ? undefined : ours,
      isolation,
      listener: listenerAt(facts, `${address}:${spec.port}`, code),
    });
    const selected = selectResults(withHostKey(found, session.hostKey), context.selection, runtime.now());
    if (context.lynis) line.phase('lynis');
    const output = context.lynis ? await gatherLynis(session, runtime.signal) : undefined;
    const lynis = output === undefined ? undefined : parseLynis(output, selected.results, facts.distribution);
    const subject = lynis === undefined ? selected : { ...selected, lynis };
    line.done(scoreWords(subject.score));
    return known === undefined ? subject : withOurClients(subject, known, [...context.state.clients.values()]);
  });
}

function listenerAt(
  { listenerLists }: Pick<AuditFacts, 'listenerLists'>,
  at: string,
  code: ListenerCode | undefined,
): Outside['listener'] {
  return code && { at, acceptedOf: (commonName) => code.acceptedOf(listenerLists, commonName) };
}

/** Evidence names the key that this connection saw beside those that the host's files name. */
function withHostKey(host: AuditedHost, key: HostKey | undefined): AuditedHost {
  return host.evidence === undefined
    ? host
    : { ...host, evidence: { ...host.evidence, connectedKey: key?.fingerprint } };
}

/** Probes network access in parallel: untrusted clients, and the store's own client if it has one. */
async function probeFromOutside(
  { runtime, state }: AuditContext,
  probe: Probe,
  facts: AuditFacts,
  address: string,
  spec: HostSpec,
): Promise<AuditProbe[]> {
  const at = { address, timeoutMs: PROBE_TIMEOUT_MS, now: runtime.now(), signal: runtime.signal };
  const known = state.hosts.get(spec.name);
  const client = known && probeClientAt(state.clients.values(), known);
  const ask = async (what: AuditProbe['what'], port: number, ca?: string, credentials?: ProbeCredentials) => ({
    ...{ what, address, port },
    outcome: await probeAs(probe, what, { ...at, port, ca }, credentials),
  });
  return Promise.all([
    ...(client?.key && hasPort(spec)
      ? [ask('own-certificate', spec.port, client.ca, { cert: client.cert, key: client.key })]
      : []),
    ...wantedProbes(facts, address, facts.listenerLists.size > 0 && hasPort(spec) ? [spec.port] : []).map(
      ({ what, port }) => ask(what, port),
    ),
  ]);
}
