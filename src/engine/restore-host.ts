/** Owns the rollbacks on purpose: to an earlier generation, or to what the host was before the first setup. */

import type { StoredClient } from '../adapters/store/records.ts';
import type { UndoToken } from '../adapters/store/store.ts';
import { CURRENT_LINK, STATE } from '../domain/dockerd/paths.ts';
import { type HostFacts, installedCredentials } from '../domain/plan/facts.ts';
import { plainTcpProblem } from '../domain/plan/plain-tcp.ts';
import { type HostPlan, hasChanges, planRestore } from '../domain/plan/plan.ts';
import { preflight, swarmProblem } from '../domain/plan/preflight.ts';
import { type HostSpec, keptOf } from '../domain/settings.ts';
import { type AccessChange, compareTrust, isFrom } from '../domain/trust/trust.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { HostProgress } from '../runtime.ts';
import { type ChangeOutcome, changeHost } from './change-host.ts';
import { factsOf, isStale, type OpenedHost, openHost, type RunContext, refuseProblems } from './host-run.ts';
import { type CheckResult, verifyHost } from './verify-host.ts';

export type PreparedReturn = {
  /** With what was asked for when the generation was made. */
  readonly spec: HostSpec;
  readonly opened: OpenedHost;
  readonly plan: HostPlan;
  readonly problems: readonly DockerTlsError[];
  readonly address: string;
  /** The credentials that come back; absent when the host is restored. */
  readonly credentials?: RestoreCredentials;
};

type RestoreCredentials = { readonly ca: string; readonly cert: string };

export type ReturnContext = Omit<RunContext, 'keyring' | 'known' | 'saveBase'> & {
  /** Go back also where a revoked client, or whoever has credentials of a dropped CA, gets in again. */
  readonly allowRevoked?: boolean;
  /** Remove also where a TCP port opens again that accepts every client. */
  readonly allowPlainTcp?: boolean;
};

/**
 * Plans the rollback of a host. `target`: a generation's number, `previous`, or `none` for the state before the first setup.
 * Fails with E_NOT_SET_UP, E_NO_GENERATION (exit 2), and what stands against the change.
 */
export async function prepareReturn(
  spec: HostSpec,
  target: number | 'previous' | 'none',
  context: ReturnContext,
  progress: HostProgress,
): Promise<PreparedReturn> {
  const opened = await openHost(spec, context, progress);
  try {
    return planReturnOf(opened, spec, target, context);
  } catch (error) {
    await opened.session.close();
    throw error;
  }
}

function planReturnOf(
  opened: OpenedHost,
  spec: HostSpec,
  target: number | 'previous' | 'none',
  context: ReturnContext,
): PreparedReturn {
  const { facts } = opened;
  if (facts.state === undefined && facts.files.get(CURRENT_LINK)?.kind === 'link') {
    throw new DockerTlsError({
      code: 'E_NOT_SET_UP',
      exit: 2,
      where: spec.name,
      message: `the host's own records (${STATE}) are gone, though files of docker-tls lie there`,
      hints: [`write new ones: docker-tls setup ${spec.name}`, 'then run the same command again'],
    });
  }
  if (facts.state === undefined) {
    throw new DockerTlsError({
      code: 'E_NOT_SET_UP',
      exit: 2,
      where: spec.name,
      message: 'docker-tls has not changed this host (or has given it back already)',
      hints: [`docker-tls setup ${spec.name}`],
    });
  }
  if (target === 'none') {
    const plan = planRestore(facts, 'none', spec);
    const prepared = plannedReturn(opened, plan, spec, context);
    return context.allowPlainTcp
      ? prepared
      : { ...prepared, problems: [...prepared.problems, ...plainTcpProblem(plan)] };
  }
  const chosen = resolveGeneration(spec.name, facts, target);
  const credentials = credentialsOf(spec.name, facts, chosen);
  const then: HostSpec = { ...spec, ...facts.state.generations.find(({ number }) => number === chosen)?.settings };
  const plan = planRestore(facts, chosen, then);
  const access = accessBy(credentials.ca, facts, context);
  const prepared = plannedReturn(opened, plan, then, context);
  return {
    ...prepared,
    credentials,
    plan: { ...plan, warnings: [...plan.warnings, ...accessWarnings(access)] },
    problems: [
      ...prepared.problems,
      ...(context.allowRevoked ? [] : revokedProblem(spec.name, chosen, access, facts, context)),
    ],
  };
}

function plannedReturn(opened: OpenedHost, plan: HostPlan, spec: HostSpec, context: ReturnContext): PreparedReturn {
  const { facts, skewMs, session } = opened;
  const problems = [
    ...preflight({
      host: spec.name,
      login: opened.session.login,
      facts,
      skewMs,
      nowMs: context.runtime.now().getTime(),
      port: spec.port,
      plan,
    }).filter(
      ({ code }) =>
        code !== 'E_FIREWALL' &&
        code !== 'E_CLOCK' &&
        // Whoever took Docker away first has our files left.
        (code !== 'E_NO_DOCKER' || plan.daemon.action !== 'stop'),
    ),
    ...swarmProblem(spec.name, facts, spec.containers, plan),
  ];
  return { spec, opened, plan, problems, address: spec.address ?? session.dialled };
}

/** The directory of credentials that a generation points to; undefined where it is not on the host. */
function directoryOf(facts: HostFacts, generation: number): number | undefined {
  const to = facts.generations.get(generation)?.get(CURRENT_LINK)?.to;
  return to !== undefined && /^\d+$/.test(to) ? Number(to) : undefined;
}

function credentialsOf(host: string, facts: HostFacts, generation: number): RestoreCredentials {
  const directory = directoryOf(facts, generation);
  const credentials = directory === undefined ? undefined : installedCredentials(facts, directory);
  if (credentials !== undefined) return credentials;
  throw new DockerTlsError({
    code: 'E_NO_GENERATION',
    exit: 2,
    where: host,
    message: `the credentials of generation ${generation} are no longer on the host`,
    hints: [
      `new ones: docker-tls setup ${host}`,
      `or to what it was before the first setup: docker-tls remove ${host}`,
    ],
  });
}

/** Who gets in by another trust file than the one in force, by the clients that this store has issued. */
function accessBy(ca: string, facts: HostFacts, { state, runtime }: ReturnContext): AccessChange {
  return compareTrust(
    installedCredentials(facts)?.ca ?? '',
    ca,
    ownClients(state.clients.values()).map(({ record, cert }) => ({ ...record, cert })),
    [state.ca, ...state.oldCas, ...state.issuers.values()].flatMap((ca) => ca?.cert ?? []),
    runtime.now(),
  );
}

/** Clients that were issued elsewhere and imported here are none of this host's. */
function ownClients(clients: Iterable<StoredClient>): StoredClient[] {
  return [...clients].filter(({ record }) => record.reaches === undefined);
}

function accessWarnings({ again, noLonger, revoked, untrusted }: AccessChange): string[] {
  return [
    ...revoked.map((name) => `${name}, which was revoked, gets in with that generation`),
    ...again.map((name) => `${name} gets in again`),
    ...noLonger.map((name) => `${name} does not get in any more`),
    ...untrusted.map(
      (name) => `the CA ${name} is trusted again, which is not of this store: whoever has a certificate of it gets in`,
    ),
  ];
}

/** A rollback must not give access back by the way: to a revoked client, or to whoever has credentials of a CA that was dropped. */
function revokedProblem(
  host: string,
  generation: number,
  access: AccessChange,
  facts: HostFacts,
  context: ReturnContext,
): DockerTlsError[] {
  const { revoked, untrusted } = access;
  if (!acceptsMore(access)) return [];
  const better = [...facts.generations.keys()]
    .filter((number) => number !== facts.state?.generation)
    .sort((a, b) => b - a)
    .find((number) => {
      const directory = directoryOf(facts, number);
      const credentials = directory === undefined ? undefined : installedCredentials(facts, directory);
      return credentials !== undefined && !acceptsMore(accessBy(credentials.ca, facts, context));
    });
  return [
    new DockerTlsError({
      code: 'E_ACCEPTS_REVOKED',
      exit: 4,
      where: host,
      message:
        revoked.length > 0
          ? `generation ${generation} is from before ${revoked.join(', ')} ${revoked.length === 1 ? 'was' : 'were'} revoked and would let ${revoked.length === 1 ? 'it' : 'them'} in`
          : `generation ${generation} trusts the CA ${untrusted.join(', ')}, which this store does not have (any more), and would accept whoever has a certificate of it`,
      hints: [
        ...(better === undefined ? [] : [`a generation that does not: docker-tls rollback ${host} --to ${better}`]),
        `if it has to be: docker-tls rollback ${host} --to ${generation} --allow-revoked && docker-tls ${revoked.length > 0 ? `client revoke ${revoked[0]}` : `setup ${host}`}`,
      ],
    }),
  ];
}

function acceptsMore({ revoked, untrusted }: AccessChange): boolean {
  return revoked.length + untrusted.length > 0;
}

function resolveGeneration(host: string, facts: HostFacts, target: number | 'previous'): number {
  const current = facts.state?.generation ?? 0;
  const kept = [...facts.generations.keys()].filter((number) => number !== current).sort((a, b) => b - a);
  const chosen =
    target === 'previous' ? kept.find((number) => number < current) : kept.find((number) => number === target);
  if (chosen !== undefined) return chosen;
  throw new DockerTlsError({
    code: 'E_NO_GENERATION',
    exit: 2,
    where: host,
    message:
      target === 'previous'
        ? `there is no generation before ${current} on the host`
        : `generation ${target} is not kept on the host`,
    hints: [
      kept.length > 0
        ? `docker-tls rollback ${host} --to ${kept[0]}`
        : `to what it was before the first setup: docker-tls remove ${host}`,
    ],
  });
}

export type ReturnOutcome = { readonly host: string; readonly plan: HostPlan } & ChangeOutcome;

/** Makes the change. After a rollback the host is verified over TLS. The session is closed at the end. */
export async function returnHost(
  prepared: PreparedReturn,
  context: ReturnContext,
  progress: HostProgress,
): Promise<ReturnOutcome> {
  const { spec, opened } = prepared;
  try {
    return await makeReturn(prepared, context, progress).catch(async (error: unknown) => {
      if (!isStale(error)) throw error;
      const again = await factsOf(opened.session, context, progress);
      const target = prepared.plan.returnsTo ?? 'none';
      return makeReturn(planReturnOf(again, spec, target, context), context, progress);
    });
  } finally {
    await opened.session.close();
  }
}

async function makeReturn(
  prepared: PreparedReturn,
  context: ReturnContext,
  progress: HostProgress,
): Promise<ReturnOutcome> {
  const { spec, opened, plan, credentials } = prepared;
  refuseProblems(prepared);
  let saved: UndoToken | undefined;
  const known = context.state.hosts.get(spec.name);
  const verify = async (): Promise<CheckResult[]> =>
    credentials === undefined ? [] : verifyRestored(prepared, credentials, context);
  const save = async (): Promise<void> => {
    if (credentials === undefined) {
      saved = await context.store.write({ removeHosts: [spec.name] });
      return;
    }
    if (known === undefined) return;
    // Our records follow: the certificate that is in force again; its key is on the host, and here only if it is the same.
    const same = credentials.cert === known.serverCert;
    saved = await context.store.write({
      hosts: {
        [spec.name]: {
          record: {
            ...known.record,
            ...keptOf(spec),
            generation: plan.generation as number,
            updatedAt: context.runtime.now().toISOString(),
          },
          ca: credentials.ca,
          serverCert: credentials.cert,
          ...(same && known.serverKey ? { serverKey: known.serverKey } : {}),
        },
      },
    });
  };
  if (!hasChanges(plan) && plan.purpose !== 'remove')
    return { host: spec.name, plan, checks: await verify(), warnings: [] };
  const ending = await changeHost({
    plan,
    facts: opened.facts,
    credentials: undefined,
    spec,
    session: opened.session,
    context,
    progress,
    verify,
    save,
    unsave: async () => {
      await saved?.undo();
      saved = undefined;
    },
  });
  return { host: spec.name, plan, ...ending };
}

/** Real connections to the host as the generation has it: its port, its certificate, and whom it accepts. */
async function verifyRestored(
  { spec, address }: PreparedReturn,
  credentials: RestoreCredentials,
  { runtime, verifiers, state }: ReturnContext,
): Promise<CheckResult[]> {
  const now = runtime.now();
  const comesIn = ({ cert }: StoredClient): boolean => isFrom(cert, credentials.ca, 'client', now);
  const verifier = verifiers.find((client) => client.key !== undefined && comesIn(client));
  const known = state.hosts.get(spec.name);
  const serverKey = known?.serverCert === credentials.cert ? known.serverKey : undefined;
  return verifyHost(runtime.probe, {
    address,
    port: spec.port,
    // Where nobody here gets in, exactly this certificate has to be served.
    ca: verifier?.ca ?? credentials.cert,
    ...(verifier?.key ? { client: { name: verifier.record.name, cert: verifier.cert, key: verifier.key } } : {}),
    ...(serverKey ? { server: { cert: credentials.cert, key: serverKey } } : {}),
    serverCert: credentials.cert,
    revoked: ownClients(state.clients.values()).flatMap((client) =>
      client.record.revokedAt !== undefined && client.key !== undefined && !comesIn(client)
        ? [{ name: client.record.name, cert: client.cert, key: client.key }]
        : [],
    ),
    now,
  });
}
