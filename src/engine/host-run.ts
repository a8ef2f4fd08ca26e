/** Owns the way of one host through a run: connect, facts, credentials, plan, problems; then change, verification, confirmation, store. */

import type { StoreChange, StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import { permittedNames } from '../domain/pki/authority.ts';
import { proposeSans, type San } from '../domain/pki/names.ts';
import type { Credentials, DesiredHost, KeySource } from '../domain/plan/desired.ts';
import { type HostFacts, installedCredentials } from '../domain/plan/facts.ts';
import {
  acceptedCa,
  acceptedNotes,
  otherClients,
  otherClientsLose,
  otherClientsNotes,
  trustNow,
} from '../domain/plan/other-clients.ts';
import { type KnownHosts, managedExternally, otherName, otherStore } from '../domain/plan/other-store.ts';
import { type HostPlan, hasChanges, planHost } from '../domain/plan/plan.ts';
import { preflight, swarmProblem } from '../domain/plan/preflight.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import { isAccepted, namesFor } from '../domain/trust/trust.ts';
import { DockerTlsError, DockerTlsErrors } from '../errors/errors.ts';
import type { HostProgress, HostSession, Runtime, SshOptions } from '../runtime.ts';
import { type ChangeOutcome, changeHost, sshOptions } from './change-host.ts';
import { asStored, droppedNotes, hardeningOf, latestOf, saveHost } from './host-records.ts';
import type { Keyring } from './keyring.ts';
import { wayProblem } from './reachability.ts';
import { type CheckResult, requireVerified, type VerifyRequest, verifyHost } from './verify-host.ts';

export type RunContext = {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly state: StoreState;
  readonly keyring: Keyring;
  /** Clients whose keys are here; the first that a host accepts verifies it. */
  readonly verifiers: readonly StoredClient[];
  readonly sudoPassword?: Secret;
  /** Passwords for sudo of single hosts, by name; they come before the common one. */
  readonly sudoPasswords?: ReadonlyMap<string, Secret>;
  readonly ask?: SshOptions['ask'];
  /** Hosts that another store manages may change hands. */
  readonly takeOver?: boolean;
  /** Clients of a CA that a host accepts now, and that nobody here knows, may lose it. */
  readonly rejectOthers?: boolean;
  /** The fixes of a spec are added to those that the host has, also by another run meanwhile: nobody asked to take any away. */
  readonly addHardening?: boolean;
  /** The hosts of the store, and those that this run has set up: a host is refused under a second name. */
  readonly known: KnownHosts;
  /** Clients that must not get in: tried beside the usual untrusted clients. */
  readonly mustRefuse?: VerifyRequest['revoked'];
  /** For the host's records, for instance `setup`. */
  readonly reason: string;
  /** Issue new server credentials whatever the old ones are; the words say why. */
  readonly forceCredentials?: string;
  /** Writes the CA and clients of this run once, before the first host that needs them. */
  readonly saveBase: () => Promise<void>;
};

export type PreparedHost = {
  readonly spec: HostSpec;
  readonly address: string;
  readonly session: HostSession;
  readonly facts: HostFacts;
  readonly skewMs: number;
  /** What the store said when the plan was made; of the hosts this one alone. */
  readonly latest: StoreState;
  readonly sans: readonly San[];
  readonly desired: DesiredHost;
  readonly plan: HostPlan;
  readonly credentialsWhy: string;
  /** Clients that are accepted. */
  readonly accepts: readonly string[];
  readonly problems: readonly DockerTlsError[];
};

export type HostOutcome = {
  readonly host: string;
  readonly changed: boolean;
  readonly plan: HostPlan;
  readonly address: string;
  readonly checks: readonly CheckResult[];
  /** What the host had to say while it was changed. */
  readonly warnings: readonly string[];
  readonly elapsedMs: number;
};

/** Interfaces whose addresses nobody dials: Docker's and other virtual bridges. */
const VIRTUAL = /^(docker\d*|br-|veth|virbr|cni|flannel|cali|lxc|podman)/;

export type OpenedHost = {
  readonly session: HostSession;
  readonly facts: HostFacts;
  readonly skewMs: number;
  /** Names that the host's own facts propose for its certificate, the dialled one first. */
  proposed(address: string): San[];
};

type Opening = Pick<RunContext, 'runtime' | 'sudoPassword' | 'sudoPasswords' | 'ask'>;

/** Connects and gathers facts; changes nothing. The session stays open. */
export async function openHost(spec: HostSpec, context: Opening, progress: HostProgress): Promise<OpenedHost> {
  progress.phase('connect');
  const session = await context.runtime.connect(sshOptions(spec, context));
  return closingOnError(session, spec.name, () => factsOf(session, context, progress));
}

/** Gathers facts over a session that is open. */
export async function factsOf(session: HostSession, context: Opening, progress: HostProgress): Promise<OpenedHost> {
  const { gather } = await import('../adapters/ssh/gather.ts');
  progress.phase('facts');
  const { facts, skewMs } = await gather(session, {
    now: context.runtime.now,
    signal: context.runtime.signal,
  });
  const proposed = (address: string): San[] =>
    proposeSans({
      dialled: address,
      hostname: facts.hostname,
      fqdn: facts.fqdn,
      addresses: facts.addresses.filter((entry) => !VIRTUAL.test(entry.interface)).map((entry) => entry.address),
    });
  return { session, facts, skewMs, proposed };
}

/** Makes the credentials and the plan for a host that is open; changes nothing there. */
export async function planOpened(
  opened: OpenedHost,
  wanted: HostSpec,
  context: RunContext,
  progress: HostProgress,
): Promise<PreparedHost> {
  const { session, skewMs } = opened;
  return closingOnError(session, wanted.name, async () => {
    progress.phase('plan');
    const latest = await latestOf(wanted.name, context);
    const twin = otherName(opened.facts, wanted, latest, session.dialled, context);
    if (twin !== undefined) throw twin;
    const known = latest.hosts.get(wanted.name);
    // Fixes that were made once stay with the host, whoever changes it next.
    const entries = hardeningOf(wanted, known?.record, context);
    const now = trustNow(opened.facts);
    const acceptCa = acceptedCa(wanted.acceptCa, known?.record.acceptCa, now);
    const spec: HostSpec = { ...wanted, acceptCa, ...(entries.length === 0 ? {} : { harden: entries }) };
    const hardened =
      entries.length === 0
        ? undefined
        : await (await import('../actions/harden.ts')).hardenOpened(
            session,
            spec,
            entries,
            known?.record.harden ?? [],
            context.runtime,
          );
    const facts = hardened?.facts ?? opened.facts;
    const address = spec.address ?? session.dialled;
    const before = known?.record.sans;
    const names = namesFor(spec.sans, known?.serverCert, opened.proposed(address), address, before);
    const sans = permittedNames(names, [address, ...spec.sans.map(({ value }) => value)], latest.ca?.cert);
    const { credentials, why } = await desiredCredentials(spec, context, latest, facts, sans);
    const other = otherStore(facts, spec.name, latest);
    const others = otherClients(
      now,
      credentials.ca,
      { ...latest, ...(known ? { host: known } : {}) },
      new Date(facts.clockMs),
    );
    const desired: DesiredHost = {
      name: spec.name,
      port: spec.port,
      listen: spec.listen,
      credentials,
      containers: spec.containers,
      ...(spec.liveRestore === undefined ? {} : { liveRestore: spec.liveRestore }),
      ...hardened?.desired,
      notes: [
        ...(other === undefined ? otherClientsNotes(others) : [other]),
        ...acceptedNotes(acceptCa, now),
        ...droppedNotes(known?.record, entries),
        ...(hardened?.desired.notes ?? []),
      ],
    };
    const plan = planHost(facts, desired);
    const found = preflight({
      host: spec.name,
      login: session.login,
      facts,
      skewMs,
      nowMs: context.runtime.now().getTime(),
      port: spec.port,
      plan,
    });
    // Of a firewall on the host itself the preflight knows more.
    const way =
      hasChanges(plan) && found.every(({ code }) => code !== 'E_FIREWALL')
        ? await wayProblem(
            context.runtime.probe,
            spec.name,
            { address, port: spec.port },
            {
              login: session.login,
              firewall: facts.firewall,
            },
          )
        : undefined;
    const problems = [
      ...(other === undefined || context.takeOver ? [] : [managedExternally(spec.name, other)]),
      ...(other !== undefined || context.rejectOthers || !others.needsYes
        ? []
        : [otherClientsLose(spec.name, others, now?.ours ? 'ours' : 'theirs')]),
      ...found,
      ...(way === undefined ? [] : [way]),
      ...swarmProblem(spec.name, facts, spec.containers, plan),
    ];
    return {
      spec,
      address,
      session,
      facts,
      skewMs,
      latest,
      sans,
      desired,
      plan,
      credentialsWhy: why,
      accepts: accepted(spec, context.keyring.clients(latest)),
      problems,
    };
  });
}

/** Clients that the host accepts once the change is made. */
function accepted(spec: HostSpec, clients: ReadonlyMap<string, StoredClient>): string[] {
  return [...clients.values()].flatMap(({ record }) =>
    record.reaches === undefined && isAccepted(record, spec) ? [record.name] : [],
  );
}

/** Both of the above: everything that is needed before anything changes. */
export async function prepareHost(spec: HostSpec, context: RunContext, progress: HostProgress): Promise<PreparedHost> {
  return planOpened(await openHost(spec, context, progress), spec, context, progress);
}

async function closingOnError<T>(session: HostSession, host: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await session.close();
    throw error instanceof DockerTlsError && error.where === undefined ? error.at(host) : error;
  }
}

async function desiredCredentials(
  spec: HostSpec,
  context: RunContext,
  latest: StoreState,
  facts: HostFacts,
  sans: readonly San[],
): Promise<{ credentials: Credentials; why: string }> {
  const { keyring } = context;
  const ca = await keyring.trustFor(spec, latest);
  const installed = installedCredentials(facts);
  const known = latest.hosts.get(spec.name);
  const onHost =
    installed !== undefined &&
    known !== undefined &&
    installed.cert === known.serverCert &&
    facts.serverKey !== undefined;
  if (spec.keys === 'host') {
    const { hostKeyCredentials } = await import('./host-key.ts');
    return hostKeyCredentials({ spec, context, latest, sans, ca, onHost });
  }
  // A key that is only on the host cannot be sent again; as long as its certificate is in force there, it stays.
  const lost = known !== undefined && known.serverKey === undefined && !onHost;
  const server = await keyring.server(spec, sans, {
    latest,
    force: context.forceCredentials ?? (lost ? 'its key is gone' : undefined),
  });
  let key: KeySource;
  if (server.key !== undefined && !(onHost && !server.fresh)) key = { kind: 'send', key: server.key };
  else key = { kind: 'keep' };
  return { credentials: { ca, cert: server.cert, key }, why: server.why };
}

/** Everything that stands against the change, thrown together. */
export function refuseProblems(prepared: Pick<PreparedHost, 'problems'>): void {
  const { problems } = prepared;
  if (problems.length === 1 && problems[0]) throw problems[0];
  if (problems.length > 1) throw new DockerTlsErrors(problems);
}

/** What a host is verified with from here: the first client that it accepts; without one, only what it serves and whom it refuses. */
async function credentialsFor(
  spec: HostSpec,
  context: Pick<RunContext, 'verifiers' | 'keyring'>,
): Promise<Pick<VerifyRequest, 'ca' | 'client'>> {
  const verifier = context.verifiers.find((client) => client.key !== undefined && isAccepted(client.record, spec));
  if (verifier?.key !== undefined) {
    return { ca: verifier.ca, client: { name: verifier.record.name, cert: verifier.cert, key: verifier.key } };
  }
  return { ca: await context.keyring.trusted() };
}

/** Verifies a host with the credentials that it has to serve. */
export async function checksOf(prepared: PreparedHost, context: RunContext): Promise<CheckResult[]> {
  const { desired, address, latest } = prepared;
  const { key: source, cert } = desired.credentials;
  // A key that the host made itself is not here, and the one before does not belong to the new certificate.
  const kept = source.kind === 'keep' ? latest.hosts.get(desired.name)?.serverKey : undefined;
  const key = source.kind === 'send' ? source.key : kept;
  const verifiers = asStored(context.verifiers, context.keyring, latest);
  return verifyHost(context.runtime.probe, {
    address,
    port: desired.port,
    ...(await credentialsFor(prepared.spec, { keyring: context.keyring, verifiers })),
    ...(key ? { server: { cert, key } } : {}),
    serverCert: cert,
    ...(context.mustRefuse ? { revoked: context.mustRefuse } : {}),
    now: context.runtime.now(),
  });
}

/**
 * Makes the change, or finds that there is none to make; verifies it either way. The session is closed at the end.
 * A change that somebody else left unconfirmed goes back first; then the plan is made again, once.
 */
export async function applyHost(
  prepared: PreparedHost,
  context: RunContext,
  progress: HostProgress,
): Promise<HostOutcome> {
  const { spec, session } = prepared;
  try {
    return await applyPlan(prepared, context, progress).catch(async (error: unknown) => {
      if (!isStale(error)) throw error;
      const opened = await factsOf(session, context, progress);
      return applyPlan(await planOpened(opened, spec, context, progress), context, progress);
    });
  } finally {
    await session.close();
  }
}

/** Whether the host took an older change back instead of making the new one. */
export function isStale(error: unknown): boolean {
  return error instanceof DockerTlsError && error.code === 'E_STALE_CHANGE';
}

async function applyPlan(planned: PreparedHost, context: RunContext, progress: HostProgress): Promise<HostOutcome> {
  refuseProblems(planned);
  if (planned.desired.credentials.key.kind !== 'host' || !hasChanges(planned.plan))
    return carryOut(planned, context, progress);
  const { withHostKey } = await import('./host-key.ts');
  return withHostKey(planned, context, progress, (prepared) => carryOut(prepared, context, progress));
}

async function carryOut(prepared: PreparedHost, context: RunContext, progress: HostProgress): Promise<HostOutcome> {
  const { spec, plan, session } = prepared;
  const began = context.runtime.now().getTime();
  const outcome = (changed: boolean, { checks, warnings }: ChangeOutcome): HostOutcome => ({
    host: spec.name,
    changed,
    warnings: warnings,
    plan,
    address: prepared.address,
    checks,
    elapsedMs: context.runtime.now().getTime() - began,
  });
  const first = context.state.hosts.has(spec.name) ? undefined : { address: prepared.address, port: spec.port };
  if (!hasChanges(plan)) {
    progress.phase('verify');
    const checks = await checksOf(prepared, context);
    requireVerified(spec.name, checks, 'the host was not changed', first);
    await saveHost(prepared, context);
    return outcome(false, { checks, warnings: [] });
  }
  let saved: StoreChange | undefined;
  const ending = await changeHost({
    plan,
    facts: prepared.facts,
    credentials: prepared.desired.credentials,
    spec,
    session,
    context,
    progress,
    verify: () => checksOf(prepared, context),
    ...(first ? { first } : {}),
    save: async () => {
      saved = await saveHost(prepared, context);
    },
    unsave: async () => {
      const before = saved;
      saved = undefined;
      if (before !== undefined)
        await context.store.withLock(`docker-tls ${context.reason}`, () => context.store.write(before));
    },
  });
  return outcome(true, ending);
}
