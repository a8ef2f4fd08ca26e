/** Plan of a host from its facts, the store and the intent: pure decisions, combined. Signs nothing, changes nothing. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { reachedThrough } from '../../domain/destination.ts';
import { hostKeyNotes, withSeenKey } from '../../domain/hosts/recorded-key.ts';
import { hasPort } from '../../domain/network-port.ts';
import { requireParts } from '../../domain/plan/change-parts.ts';
import { installedCredentials } from '../../domain/plan/facts.ts';
import {
  acceptedCa,
  acceptedNotes,
  otherClients,
  otherClientsLose,
  otherClientsNotes,
} from '../../domain/plan/other-clients.ts';
import { managedExternally, otherName, otherStore } from '../../domain/plan/other-store.ts';
import { plainTcpProblem } from '../../domain/plan/plain-tcp.ts';
import { hasChanges, planHost } from '../../domain/plan/plan-host.ts';
import { trustNow } from '../../domain/plan/trust-now.ts';
import type { HostSpec } from '../../domain/settings.ts';
import { type CaId, certificateIds, sameIds } from '../../domain/trust/ca-id.ts';
import { preview, specsOf, type Trust, type WantedHost } from '../../domain/trust/changes.ts';
import { otherCas, ourFingerprints } from '../../domain/trust/other-cas.ts';
import { desiredServer, namesFor } from '../../domain/trust/server.ts';
import { isAccepted, listsClients, trustFor } from '../../domain/trust/trust.ts';
import { type AccessView, bundleOf, resolveIds, viewOf } from '../../domain/trust/view.ts';
import type { HostProgress } from '../../runtime.ts';
import { hostCsr } from '../../seams/host-csr.ts';
import { HARDENING } from '../../seams/host-hardening.ts';
import type { AgreedHost, Base, OpenedHost, PlannedHost, Run } from '../intent.ts';
import { hardenOpened } from '../loaded-hardening.ts';
import { listenerOpened, requireListenerCode, requireOpening, restoringListener } from '../loaded-listener.ts';
import { wayProblem } from '../reachability.ts';
import { wayTo } from '../through.ts';
import { problemsOf, refuseProblems } from './check-host.ts';
import { currentState, droppedNotes, hardeningOf } from './record.ts';
import { planRestored } from './restore-generation.ts';
import { takesAnyStore } from './store-witnesses.ts';

/**
 * Plans the change of a connected host. Fails with all obstacles to the change, E_STORE_CHANGED (exit 4), and as Store.requireSeen, trustFor,
 * desiredServer and planRestored do.
 */
export async function planOpened(
  opened: OpenedHost,
  { spec: requested, trust: decided }: WantedHost,
  base: Base,
  { runtime, store, asks, dryRun }: Pick<Run, 'runtime' | 'store' | 'asks' | 'dryRun'>,
  progress: HostProgress,
): Promise<PlannedHost> {
  progress.phase('plan');
  const latest = await currentState(requested.name, base.state, base, store);
  const { target } = base.wanted;
  if (!takesAnyStore(base.wanted)) await store.requireSeen(requested.name, opened.facts.state);
  const mark = await store.mark();
  const { session } = opened;
  const known = latest.hosts.get(requested.name);
  const seen = withSeenKey(requested, session.hostKey, known?.record.ssh).ssh;
  const ssh = session.login.rootless ? { ...seen, rootless: true as const } : seen;
  const now = runtime.now();
  requireParts(requested.name, opened.facts, HARDENING.all.length > 0);
  requireListenerCode(requested.name, opened.facts);
  if (target.kind === 'generation') {
    const restored = planRestored(opened, requested, { ...target, latest, now, shown: asks || dryRun === true });
    if (target.to !== 'none' && restored.spec.keys === 'host') await hostCsr(requested.name);
    return refuseProblems({ ...(await restoringListener(restored)), mark });
  }
  const { takeOver = false } = target;
  const twin = otherName(opened.facts, requested, latest, session.dialled, { known: base.known, takeOver });
  if (twin !== undefined) throw twin;
  const stored = viewOf(latest, now);
  const view = base.issued ? stored : preview(stored, base.wanted.credentials);
  // Applied fixes stay with the host, whichever store changes it next.
  const entries = hardeningOf(requested, known?.record, target);
  const trusted = trustNow(opened.facts);
  const acceptCa = acceptedCa(requested.acceptCa, known?.record.acceptCa, trusted);
  const spec: HostSpec = { ...requested, ssh, acceptCa, harden: entries.length === 0 ? requested.harden : entries };
  const hardened = await hardenOpened(
    opened,
    spec,
    { entries, known: known?.record.harden ?? [], leadsTo: hostsBehind(spec, base) },
    runtime,
  );
  const facts = hardened?.facts ?? opened.facts;
  const address = spec.address ?? session.dialled;
  const proposed = opened.proposed(address);
  const names = namesFor(spec.sans, known, { proposed, address, ca: latest.ca?.cert });
  const installed = installedCredentials(facts);
  const onHost =
    installed !== undefined &&
    known !== undefined &&
    sameIds(certificateIds(installed.cert), certificateIds(known.serverCert)) &&
    facts.serverKey !== undefined;
  const { force, noOverlap } = target;
  // Writes of other runs, and the CA that a host accepts now, count as well.
  const moved = latest !== base.state || acceptCa !== acceptedCa(requested.acceptCa, known?.record.acceptCa, undefined);
  const trust = moved || decided === undefined ? trustFor(spec, view) : resolved(decided, view);
  const server = desiredServer({ spec, names, view, state: latest, onHost, force, noOverlap, now });
  if (server.key === 'host') await hostCsr(spec.name);
  const credentials = { trust, ...server };
  const other = otherStore(facts, spec.name, latest);
  const next = bundleOf(
    trust.filter((id) => typeof id === 'string'),
    latest,
    acceptCa,
  );
  // A listener that lists clients accepts none of the store's CA that are unknown here.
  const stays = listsClients(spec) && !listsClients(known?.record ?? {}) ? (acceptCa ?? '') : next;
  const others = otherClients(trusted, stays, { ...latest, host: known }, new Date(facts.clockMs));
  // By name, as in the store: those that are still to be issued are the last of the view, and not those of the next plan.
  const accepted = [...view.clients.values()]
    .filter((client) => isAccepted(client, spec))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const listener = await listenerOpened(
    {
      session,
      spec,
      facts,
      recorded: listsClients(spec) && known?.record.listener === spec.listener,
      clients: accepted.map(({ name, role }) => ({ name, role, direct: !view.issuers.has(name) || view.direct(name) })),
      rejected: [...view.clients.values()].filter((client) => !accepted.includes(client)).map(({ name }) => name),
      cas: [latest.ca, ...latest.oldCas].map((one) => one?.cert ?? '').join(''),
      issuers: accepted.map(({ name }) => view.issuers.get(name)?.pem ?? '').join(''),
      otherCas: acceptCa ?? '',
      startSockets: target.startSockets === true,
    },
    runtime,
  );
  await requireOpening(spec, listener, known !== undefined);
  const plan = planHost(facts, {
    ...spec,
    ...hardened?.desired,
    listener: listener?.desired,
    credentials,
    liveRestore: hardened?.desired.liveRestore ?? spec.liveRestore,
    notes: [
      ...(other === undefined ? otherClientsNotes(others) : [other]),
      ...hostKeyNotes(known?.record.ssh.hostKey, ssh.hostKey, runtime.operator),
      ...acceptedNotes(acceptCa, trusted, requested.acceptCa),
      ...droppedNotes(known?.record, entries),
      ...(hardened?.desired.notes ?? []),
      ...(listener?.notes ?? []),
      ...(requested.install && listener === undefined
        ? ['--install installs nothing: dockerd itself listens here']
        : []),
    ],
  });
  const problems = problemsOf({ ...opened, facts }, spec, now, plan);
  // The preflight knows more about a firewall on the host itself.
  const way =
    hasChanges(plan) && hasPort(spec) && problems.every(({ code }) => code !== 'E_FIREWALL')
      ? await wayProblem(
          wayTo(spec, runtime.probe, session).probe,
          spec.name,
          { address, port: spec.port },
          { facts, login: session.login },
        )
      : undefined;
  return refuseProblems({
    spec,
    address,
    session,
    opened,
    facts,
    latest,
    mark,
    plan,
    credentials,
    // Without acceptCa, all CAs in the bundle are from the store.
    otherCas: acceptCa === undefined ? [] : otherCas(next, ourFingerprints(latest), now),
    accepts: accepted.map(({ name }) => name),
    problems: [
      ...(other === undefined || target.takeOver ? [] : [managedExternally(spec.name, other)]),
      ...(other !== undefined || target.rejectOthers || !others.needsYes
        ? []
        : [otherClientsLose(spec.name, others, trusted?.ours ? 'ours' : 'theirs')]),
      ...(listener?.problems(plan.listener) ?? []),
      ...plainTcpProblem(plan),
      ...problems,
      ...(way === undefined ? [] : [way]),
    ],
  });
}

/** The trust as decided with the intent. CAs that were still to be made have their current IDs. */
function resolved(decided: Trust, view: AccessView): readonly CaId[] {
  if (decided instanceof DockerTlsError) throw decided;
  return resolveIds(decided, view);
}

/** Hosts of the store and of this run reached through this host. */
function hostsBehind(spec: HostSpec, { state, wanted }: Base): readonly string[] {
  const stored = [...state.hosts.values()].map(({ record }) => record);
  return [...new Set(reachedThrough(spec, [...stored, ...specsOf(wanted)]))].filter((name) => name !== spec.name);
}

/**
 * The approved part of a plan, for comparison: everything except which containers happen to run. CAs that were still to be made have their
 * current IDs.
 */
export function agreedPart({ plan, address, accepts, otherCas }: AgreedHost, view: AccessView): string {
  const { containers, credentials, ...rest } = plan;
  const trust = credentials === undefined ? undefined : resolveIds(credentials.trust, view);
  const { how, wouldStop } = containers;
  return JSON.stringify({
    rest,
    credentials: { ...credentials, trust },
    how,
    wouldStop,
    address,
    accepts,
    otherCas,
  });
}
