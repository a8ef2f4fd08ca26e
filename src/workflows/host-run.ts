/** Owns the way of one host through a run: connect, facts, papers, plan, problems; then change, proof, confirmation, store. */

import { randomBytes } from 'node:crypto';
import type { HostSpec } from '../config/spec.ts';
import { DockerTlsError, DockerTlsErrors, type ExitStatus } from '../errors.ts';
import { proposeSans, type SanName } from '../pki/names.ts';
import type { DesiredHost, KeySource, Papers } from '../plan/desired.ts';
import { type HostFacts, installedPapers } from '../plan/facts.ts';
import { type HostPlan, hasChanges, planHost } from '../plan/plan.ts';
import { preflight, swarmProblem } from '../plan/preflight.ts';
import { renderTransaction } from '../plan/transaction.ts';
import { namesFor } from '../plan/trust.ts';
import type { HostProgress, HostSession, Runtime, SshOptions } from '../runtime.ts';
import type { Secret } from '../secret.ts';
import type { HostRecord, StoreChange, StoredClient, StoreState } from '../store/records.ts';
import type { Store, UndoToken } from '../store/store.ts';
import type { Keyring } from './keyring.ts';
import { type Proof, proveHost } from './prove.ts';

export type RunContext = {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly state: StoreState;
  readonly keyring: Keyring;
  /** The client that proves the host from here. */
  readonly prover: StoredClient;
  readonly sudoPassword?: Secret;
  readonly ask?: SshOptions['ask'];
  /** For the host's books, for instance `setup`. */
  readonly reason: string;
  /** Issue new server papers whatever the old ones are; the words say why. */
  readonly forcePapers?: string;
  /** What hardening adds to the desired state. */
  readonly extend?: (facts: HostFacts, spec: HostSpec) => Partial<DesiredHost>;
  /** Paths whose state hardening needs. */
  readonly extraPaths?: readonly string[];
  /** Writes the CA and clients of this run once, before the first host that needs them. */
  readonly saveBase: () => Promise<void>;
};

export type PreparedHost = {
  readonly spec: HostSpec;
  readonly address: string;
  readonly session: HostSession;
  readonly facts: HostFacts;
  readonly skewMs: number;
  readonly sans: readonly SanName[];
  readonly desired: DesiredHost;
  readonly plan: HostPlan;
  readonly papersWhy: string;
  readonly problems: readonly DockerTlsError[];
};

export type HostOutcome = {
  readonly host: string;
  readonly changed: boolean;
  readonly plan: HostPlan;
  readonly address: string;
  readonly proofs: readonly Proof[];
  readonly elapsedMs: number;
};

/** Interfaces whose addresses nobody dials: Docker's and other virtual bridges. */
const VIRTUAL = /^(docker\d*|br-|veth|virbr|cni|flannel|cali|lxc|podman)/;

/** How a host of the spec is dialled. */
export function sshOptions(spec: HostSpec, context: Pick<RunContext, 'runtime' | 'sudoPassword' | 'ask'>): SshOptions {
  return {
    ...spec.ssh,
    host: spec.name,
    ...(context.sudoPassword ? { sudoPassword: context.sudoPassword } : {}),
    ...(context.ask ? { ask: context.ask } : {}),
    signal: context.runtime.signal,
  };
}

export type OpenedHost = {
  readonly session: HostSession;
  readonly facts: HostFacts;
  readonly skewMs: number;
  /** Names that the host's own facts propose for its certificate, the dialled one first. */
  proposed(address: string): SanName[];
};

/** Connects and gathers facts; changes nothing. The session stays open. */
export async function openHost(
  spec: HostSpec,
  context: Pick<RunContext, 'runtime' | 'sudoPassword' | 'ask' | 'extraPaths'>,
  progress: HostProgress,
): Promise<OpenedHost> {
  const { gather } = await import('../remote/gather.ts');
  progress.phase('connect');
  const session = await context.runtime.connect(sshOptions(spec, context));
  return closingOnError(session, spec.name, async () => {
    progress.phase('facts');
    const { facts, skewMs } = await gather(session, {
      port: spec.port,
      now: context.runtime.now,
      signal: context.runtime.signal,
      ...(context.extraPaths ? { paths: context.extraPaths } : {}),
    });
    const proposed = (address: string): SanName[] =>
      proposeSans({
        dialled: address,
        hostname: facts.hostname,
        fqdn: facts.fqdn,
        addresses: facts.addresses.filter((entry) => !VIRTUAL.test(entry.interface)).map((entry) => entry.address),
      });
    return { session, facts, skewMs, proposed };
  });
}

/** Makes the papers and the plan for a host that is open; a host-made key is the only thing that this may leave there. */
export async function planOpened(
  opened: OpenedHost,
  spec: HostSpec,
  context: RunContext,
  progress: HostProgress,
): Promise<PreparedHost> {
  const { session, facts, skewMs } = opened;
  return closingOnError(session, spec.name, async () => {
    progress.phase('plan');
    const known = context.state.hosts.get(spec.name);
    const address = spec.address ?? known?.record.address ?? session.dialled;
    const sans = namesFor(spec.sans, known?.serverCert, opened.proposed(address), address);
    const { papers, why } = await desiredPapers(spec, context, session, facts, sans);
    const desired: DesiredHost = {
      name: spec.name,
      port: spec.port,
      listen: spec.listen,
      papers,
      containers: spec.containers,
      ...(spec.liveRestore === undefined ? {} : { liveRestore: spec.liveRestore }),
      ...context.extend?.(facts, spec),
    };
    const plan = planHost(facts, desired);
    const problems = [
      ...preflight({ host: spec.name, facts, skewMs, nowMs: context.runtime.now().getTime(), port: spec.port, plan }),
      ...swarmProblem(spec.name, facts, spec.containers, plan),
    ];
    return { spec, address, session, facts, skewMs, sans, desired, plan, papersWhy: why, problems };
  });
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

async function desiredPapers(
  spec: HostSpec,
  context: RunContext,
  session: HostSession,
  facts: HostFacts,
  sans: readonly SanName[],
): Promise<{ papers: Papers; why: string }> {
  const { keyring, state } = context;
  const ca = await keyring.trustFor(spec);
  const installed = installedPapers(facts);
  const known = state.hosts.get(spec.name);
  const onHost =
    installed !== undefined &&
    known !== undefined &&
    installed.cert === known.serverCert &&
    facts.serverKey !== undefined;
  if (spec.keys === 'host') {
    const { hostKey } = await import('./host-key.ts');
    return hostKey({ spec, context, session, sans, ca, onHost });
  }
  // A key that is only on the host can not be sent again; as long as its certificate is in force there, it stays.
  const lost = known !== undefined && known.serverKey === undefined && !onHost;
  const server = await keyring.server(spec, sans, {
    force: context.forcePapers ?? (lost ? 'its key is gone' : undefined),
  });
  let key: KeySource;
  if (server.key !== undefined && !(onHost && !server.fresh)) key = { kind: 'send', key: server.key };
  else key = { kind: 'keep' };
  return { papers: { ca, cert: server.cert, key }, why: server.why };
}

/** Everything that stands against the change, thrown together. */
export function refuseProblems(prepared: Pick<PreparedHost, 'problems'>): void {
  const { problems } = prepared;
  if (problems.length === 1 && problems[0]) throw problems[0];
  if (problems.length > 1) throw new DockerTlsErrors(problems);
}

/** Proves a host with the papers that it has to serve. */
export function proofsOf(prepared: PreparedHost, context: RunContext): Promise<Proof[]> {
  const { desired, address } = prepared;
  const key =
    desired.papers.key.kind === 'send' ? desired.papers.key.key : context.state.hosts.get(desired.name)?.serverKey;
  return proveHost(context.runtime.probe, {
    address,
    port: desired.port,
    ca: context.prover.ca,
    client: { name: context.prover.record.name, cert: context.prover.cert, key: context.prover.key as Secret },
    ...(key ? { server: { cert: desired.papers.cert, key } } : {}),
    serverCert: desired.papers.cert,
    now: context.runtime.now(),
  });
}

/** Makes the change, or finds that there is none to make; proves it either way. The session is closed at the end. */
export async function applyHost(
  prepared: PreparedHost,
  context: RunContext,
  progress: HostProgress,
): Promise<HostOutcome> {
  const { spec, plan, session } = prepared;
  const began = context.runtime.now().getTime();
  const outcome = (changed: boolean, proofs: readonly Proof[]): HostOutcome => ({
    host: spec.name,
    changed,
    plan,
    address: prepared.address,
    proofs,
    elapsedMs: context.runtime.now().getTime() - began,
  });
  try {
    refuseProblems(prepared);
    if (!hasChanges(plan)) {
      progress.phase('verify');
      const proofs = await proofsOf(prepared, context);
      requireProofs(spec.name, proofs, 'the host was not changed');
      await saveHost(prepared, context);
      return outcome(false, proofs);
    }
    let saved: UndoToken | undefined;
    const proofs = await changeHost({
      plan,
      facts: prepared.facts,
      papers: prepared.desired.papers,
      spec,
      session,
      context,
      progress,
      prove: () => proofsOf(prepared, context),
      save: async () => {
        saved = await saveHost(prepared, context);
      },
      unsave: async () => {
        await saved?.undo();
      },
    });
    return outcome(true, proofs);
  } finally {
    await session.close();
  }
}

export type HostChange = {
  readonly plan: HostPlan;
  readonly facts: HostFacts;
  readonly papers: Papers | undefined;
  readonly spec: HostSpec;
  readonly session: HostSession;
  readonly context: Pick<RunContext, 'runtime' | 'sudoPassword' | 'ask' | 'reason'>;
  readonly progress: HostProgress;
  /** Real connections after the change; empty when there is nothing to prove over TLS. */
  readonly prove: () => Promise<Proof[]>;
  /** Writes our own books, just before the host is told to keep the change. */
  readonly save: () => Promise<void>;
  readonly unsave: () => Promise<void>;
};

/**
 * One transaction (docs/how-it-works.md): start, prove over new connections, write the store, confirm over a new ssh connection.
 * Whatever goes wrong leads to the way back that lies on the host; the error says whether it was taken.
 */
export async function changeHost(change: HostChange): Promise<Proof[]> {
  const { plan, spec, session, context, progress } = change;
  const { runtime } = context;
  const { startTransaction, endTransaction } = await import('../remote/transaction.ts');
  const id = randomBytes(6).toString('hex');
  const transaction = renderTransaction(plan, change.facts, change.papers, {
    id,
    who: runtime.operator,
    now: runtime.now(),
    confirmWithin: spec.confirmWithin,
    keep: spec.keep,
    reason: context.reason,
  });
  try {
    runtime.signal.throwIfAborted();
    await startTransaction(session, transaction, {
      timeoutMs: (spec.confirmWithin + 60) * 1000,
      signal: runtime.signal,
      onStep: (step) => progress.phase(step),
    });
  } catch (error) {
    // The host itself said how it ended: nothing is left to take back.
    if (
      error instanceof DockerTlsError &&
      ['E_HOST_LOCKED', 'E_DISK_FULL', 'E_DAEMON_CONFIG', 'E_DAEMON_START', 'E_APPLY', 'E_ROLLBACK'].includes(
        error.code,
      )
    )
      throw error;
    throw await takeBack(change, id, error, endTransaction);
  }
  let confirmation: HostSession | undefined;
  try {
    runtime.signal.throwIfAborted();
    progress.phase('verify');
    const opening = runtime.connect(sshOptions(spec, context));
    // Both are needed; whichever fails first must not leave the other unwatched.
    const [proofs, fresh] = await Promise.all([change.prove(), opening.then((value) => (confirmation = value))]);
    requireProofs(spec.name, proofs, 'the host was rolled back');
    runtime.signal.throwIfAborted();
    await change.save();
    progress.phase('confirm');
    const ending = await endTransaction(fresh, id, 'commit').catch((error: unknown) =>
      settle(change, id, error, endTransaction),
    );
    if (ending !== 'committed') {
      await change.unsave();
      throw new DockerTlsError({
        code: 'E_NOT_CONFIRMED',
        exit: 5,
        where: spec.name,
        message:
          ending === 'nothing'
            ? `the host had already gone back: the change was not confirmed within ${spec.confirmWithin} s`
            : 'the host could not keep the change',
        hints: ['run the same command again', `give it more time: --confirm-within ${spec.confirmWithin * 2}`],
      });
    }
    return proofs;
  } catch (error) {
    if (
      error instanceof DockerTlsError &&
      error.code === 'E_NOT_CONFIRMED' &&
      !error.message.includes('could not keep')
    )
      throw error;
    throw await takeBack(change, id, error, endTransaction);
  } finally {
    await confirmation?.close();
  }
}

/** The connection broke while the host was being told to keep the change: ask again, over another one, how it ended. */
async function settle(
  change: HostChange,
  id: string,
  cause: unknown,
  endTransaction: typeof import('../remote/transaction.ts').endTransaction,
): Promise<'committed' | 'nothing' | 'undone' | 'stuck'> {
  const session = await change.context.runtime.connect(sshOptions(change.spec, change.context)).catch(() => undefined);
  if (session === undefined) throw cause;
  try {
    const ending = await endTransaction(session, id, 'commit');
    if (ending !== 'nothing') return ending;
    // Nothing under way: either it was kept, or it went back. The host's books know.
    const { gather } = await import('../remote/gather.ts');
    const { facts } = await gather(session, { port: change.spec.port, now: change.context.runtime.now });
    const kept =
      change.plan.generation === 'none'
        ? facts.state === undefined
        : facts.state?.generation === change.plan.generation;
    return kept ? 'committed' : 'nothing';
  } finally {
    await session.close();
  }
}

/** Takes the change back at once, over the old connection or a new one; says what came of it. */
async function takeBack(
  change: HostChange,
  id: string,
  cause: unknown,
  endTransaction: typeof import('../remote/transaction.ts').endTransaction,
): Promise<unknown> {
  const { spec, session, context, progress } = change;
  progress.phase('roll back');
  await change.unsave();
  let ending: 'committed' | 'undone' | 'nothing' | 'stuck' | 'unreachable' = 'unreachable';
  for (const open of [
    async () => session,
    async () => context.runtime.connect({ ...sshOptions(spec, context), signal: new AbortController().signal }),
  ]) {
    try {
      const other = await open();
      ending = await endTransaction(other, id, 'undo');
      if (other !== session) await other.close();
      break;
    } catch {
      // The next way, or the host's own timer.
    }
  }
  const interrupted = context.runtime.signal.aborted;
  const why = cause instanceof Error ? cause.message : String(cause);
  const original = cause instanceof DockerTlsError ? cause : undefined;
  if (ending === 'stuck') {
    return new DockerTlsError({
      code: 'E_ROLLBACK',
      exit: 6,
      where: spec.name,
      message: `${why}; rolling back failed as well`,
      hints: [`ssh ${spec.name} sudo sh /var/lib/docker-tls/txn/way-back.sh undo asked`],
      details: original?.details ?? [],
      cause,
    });
  }
  const back =
    ending === 'unreachable'
      ? `the host can't be reached; it goes back on its own within ${spec.confirmWithin} s`
      : 'the host is as it was before';
  if (interrupted) {
    return new DockerTlsError({
      code: 'E_INTERRUPTED',
      exit: 130,
      where: spec.name,
      message: `interrupted; ${back}`,
      cause,
    });
  }
  const exit: ExitStatus = original?.code === 'E_VERIFY' ? 7 : 5;
  return new DockerTlsError({
    code: original?.code ?? 'E_APPLY',
    exit,
    where: spec.name,
    message: `${why.replace(/; the host was rolled back$/, '')}; ${back}`,
    hints: original?.hints ?? [],
    details: original?.details ?? [],
    cause,
  });
}

/** Fails with E_VERIFY (exit 7) unless every proof went as it must. */
export function requireProofs(host: string, proofs: readonly Proof[], ending: string): void {
  const bad = proofs.filter((proof) => !proof.ok);
  if (bad.length === 0) return;
  const client = bad.find((proof) => proof.expected === 'accepted');
  throw new DockerTlsError({
    code: 'E_VERIFY',
    exit: 7,
    where: host,
    message: client
      ? `${client.who} was not let in (${client.outcome}); ${ending}`
      : `${bad.map((proof) => proof.who).join(', ')} got further than they may; ${ending}`,
    hints: [`docker-tls doctor ${host}`],
    details: bad.map((proof) => `${proof.who}: expected ${proof.expected}, ${proof.outcome}`),
  });
}

async function saveHost(prepared: PreparedHost, context: RunContext): Promise<UndoToken | undefined> {
  const { spec, plan, desired } = prepared;
  const known = context.state.hosts.get(spec.name);
  const time = context.runtime.now().toISOString();
  const record: HostRecord = {
    ...known?.record,
    name: spec.name,
    address: prepared.address,
    port: spec.port,
    ssh: spec.ssh,
    listen: spec.listen.length > 0 ? spec.listen.join(',') : undefined,
    sans: prepared.sans.map((san) => san.value),
    keyType: spec.keyType,
    days: spec.days,
    containers: spec.containers,
    keys: spec.keys,
    clients: spec.clients,
    createdAt: known?.record.createdAt ?? time,
    updatedAt: known?.record.updatedAt ?? time,
    generation: plan.generation === 'none' ? undefined : plan.generation,
    liveRestore: spec.liveRestore,
    keep: spec.keep,
    confirmWithin: spec.confirmWithin,
    harden: spec.harden,
  };
  const key =
    desired.papers.key.kind === 'send'
      ? desired.papers.key.key
      : desired.papers.key.kind === 'keep'
        ? known?.serverKey
        : undefined;
  const same =
    known !== undefined &&
    known.ca === desired.papers.ca &&
    known.serverCert === desired.papers.cert &&
    JSON.stringify(known.record) === JSON.stringify(record);
  await context.saveBase();
  if (same) return undefined;
  const change: StoreChange = {
    hosts: {
      [spec.name]: {
        record: { ...record, updatedAt: time },
        ca: desired.papers.ca,
        serverCert: desired.papers.cert,
        ...(key ? { serverKey: key } : {}),
      },
    },
  };
  return context.store.write(change);
}
