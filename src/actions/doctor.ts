/** Owns the examination of one host: a probe as the client, this computer's settings, and, where SSH gets through, the host's clock and journal. */

import { cliApiVersion } from '../adapters/docker/cli-version.ts';
import { infos } from '../adapters/docker/clocks.ts';
import { currentContext } from '../adapters/docker/config-file.ts';
import { diagnose } from '../adapters/docker/diagnose.ts';
import type { Diagnosis, Inside } from '../adapters/docker/diagnosis.ts';
import type { HostRecord, StoreState } from '../adapters/store/records.ts';
import { dockerHost } from '../domain/destination.ts';
import { installedCredentials } from '../domain/plan/facts.ts';
import { judgeFirewall } from '../domain/plan/firewall.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { managedExternally, otherStore } from '../domain/plan/other-store.ts';
import { preflight } from '../domain/plan/preflight.ts';
import { type Login, sudoCommand } from '../domain/quote.ts';
import type { Secret } from '../domain/secret.ts';
import { completeHost } from '../domain/settings.ts';
import { type ReachableHost, reachableHosts, trustedCas } from '../domain/trust/reachable-hosts.ts';
import { anyClient, type KnownClient, resolveHost } from '../domain/trust/resolve.ts';
import { probeAs } from '../engine/probes.ts';
import { alongWay } from '../engine/through.ts';
import { DockerTlsError, type Hint, printableLines } from '../errors/errors.ts';
import type { Probe, ProbeOutcome, Runtime } from '../runtime.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { contextsTo } from './contexts-of-host.ts';
import { storeOf } from './store.ts';

/** What of the store is examined. */
type Subject = { readonly state: StoreState; readonly host: ReachableHost; readonly client: KnownClient };

export type Examination = Diagnosis & {
  readonly host: string;
  readonly endpoint: string;
  readonly client: string;
  /** The host's clock minus this computer's, where it was asked. */
  readonly clockSkewMs?: number;
  /** Last lines of the daemon's journal, clean; only where the daemon is at fault. */
  readonly journal: readonly string[];
  /** Why nothing was learnt over SSH, and what to do about that. */
  readonly sshProblem?: { readonly message: string; readonly hints: readonly Hint[] };
};

/** What only the host's own journal explains. */
const DAEMONS_FAULT: readonly string[] = [
  'connection-refused',
  'timed-out',
  'unreachable',
  'daemon-not-answering',
  'reset',
  'other',
  'protocol',
];
const SSH_DECIDES: readonly string[] = [
  'plain-http',
  'expired',
  'not-yet-valid',
  'client-refused',
  'unknown-authority',
];

/** What a bastion makes of a connection from here. */
const NOT_DIALLED: readonly string[] = ['timed-out', 'connection-refused', 'unreachable', 'name-not-found'];

export type DoctorOptions = {
  readonly client: string | undefined;
  readonly noSsh: boolean;
  /** Milliseconds. */
  readonly timeout: number | undefined;
};

/** Finds one cause for the host that is named, that the environment points to, or that is the only one. */
export async function doctor(
  context: ActionContext,
  named: string | undefined,
  options: DoctorOptions,
): Promise<Examination> {
  const { runtime } = context;
  const state = await storeOf(context).read();
  const host = resolveHost(state, named ?? hostOfEnvironment(state, runtime.env), 'docker-tls doctor');
  const client = anyClient(state, host, options, runtime, 'docker-tls doctor');
  const found = await examine(context, { state, host, client }, options);
  // Such a host is not dialled from here: that it does not answer is right.
  const { name } = host.record;
  const direct = options.noSsh || found.sshProblem !== undefined;
  const behind = state.hosts.get(name)?.record.reach === 'ssh' && direct && NOT_DIALLED.includes(found.cause);
  return behind ? { ...found, hints: [`docker-tls tunnel ${name} -- docker version`, ...found.hints] } : found;
}

/** The host that docker goes to by the environment, where none was named. */
function hostOfEnvironment(state: StoreState, { DOCKER_HOST: dialled }: Runtime['env']): string | undefined {
  if (!dialled) return undefined;
  const same = ({ record }: ReachableHost) => dockerHost(record.address, record.port) === dialled.replace(/\/+$/, '');
  return [...reachableHosts(state).values()].find(same)?.record.name;
}

/** Through ssh where that is a `way` to the host, and directly where there is none or it does not get there. */
async function askAsClient(
  { runtime, prompts }: ActionContext,
  way: HostRecord | undefined,
  probing: (probe: Probe) => Promise<ProbeOutcome>,
): Promise<{ readonly outcome: ProbeOutcome; readonly via?: string | undefined }> {
  if (way === undefined) return { outcome: await probing(runtime.probe) };
  try {
    return await alongWay(completeHost(way), { runtime, ask: prompts.ssh }, async ({ probe, via }) => ({
      outcome: await probing(probe),
      via,
    }));
  } catch (error) {
    if (error instanceof DockerTlsError && error.exit !== 130) return { outcome: await probing(runtime.probe) };
    throw error;
  }
}

/** Finds one cause. Fails only as the store and the docker contexts do; a host that is not there is a finding. */
async function examine(
  context: ActionContext,
  { state, host, client }: Subject,
  options: DoctorOptions,
): Promise<Examination> {
  const { runtime } = context;
  const dockerConfig = dockerConfigDirectory(runtime);
  const { address, port, name } = host.record;
  const record = state.hosts.get(name)?.record;
  const endpoint = dockerHost(address, port);
  const { signal } = runtime;
  const at = { address, port, ca: client.ca, timeoutMs: options.timeout ?? 5000, now: runtime.now(), signal };
  const credentials = { cert: client.cert, key: client.key as Secret };
  const way = record?.reach === 'ssh' && !options.noSsh ? record : undefined;
  const { outcome, via } = await askAsClient(context, way, (probe) =>
    probeAs(probe, 'own-certificate', at, credentials),
  );
  const cause = outcome.kind === 'refused' ? outcome.cause : outcome.status >= 500 ? 'daemon-not-answering' : 'none';
  const wanted = [...DAEMONS_FAULT, ...SSH_DECIDES].includes(cause);
  const seen: Seen = wanted && !options.noSsh && record !== undefined ? await lookInside(context, state, record) : {};
  const current = await currentContext(dockerConfig);
  const cli = outcome.kind === 'accepted' ? await cliApiVersion(runtime.env) : undefined;
  const copies = (client.record.copies ?? []).filter((one) => one.dockerConfig === dockerConfig);
  const own = (await contextsTo(endpoint, copies)).map(({ name }) => name);
  // Of several contexts that lead there, the one in use is as good as any.
  const inUse = runtime.env.DOCKER_CONTEXT || current;
  const diagnosis = diagnose({
    outcome,
    now: runtime.now(),
    remoteClockSkewMs: seen.skewMs,
    inside: seen.inside,
    clientCert: client.cert,
    storedCert: host.serverCert,
    cas: host.serverCert && trustedCas(state),
    env: runtime.env,
    cliApiVersion: cli,
    currentContext: current,
    expected: {
      name,
      host: endpoint,
      certPath: client.directory,
      client: client.record.name,
      named: options.client !== undefined,
      external: host.serverCert === undefined,
      ownKey: client.record.ownKey ?? false,
      caExpired: isOver(host.serverCert === undefined ? client.ca : (state.ca?.cert ?? ''), runtime.now()),
      ssh: seen.login ?? record?.ssh,
      via,
      context: own.find((one) => one === inUse) ?? own[0],
    },
  });
  return {
    ...diagnosis,
    host: name,
    endpoint,
    client: client.record.name,
    clockSkewMs: seen.skewMs,
    journal: DAEMONS_FAULT.includes(diagnosis.cause) && !onTheWay(diagnosis, seen) ? (seen.journal ?? []) : [],
    sshProblem: seen.problem && { message: seen.problem.message, hints: seen.problem.hints },
  };
}

/** What listens there and is not reached has nothing to say of it. */
function onTheWay({ cause }: Diagnosis, { inside }: Seen): boolean {
  return (
    cause === 'timed-out' || cause === 'unreachable' || (cause === 'connection-refused' && inside?.listens === true)
  );
}

/** Whether all CAs of a text have expired. */
function isOver(cas: string, now: Date): boolean {
  const found = infos(cas);
  return found.length > 0 && found.every(({ notAfter }) => notAfter <= now);
}

type Seen = {
  readonly skewMs?: number;
  readonly inside?: Inside;
  readonly journal?: readonly string[];
  readonly problem?: DockerTlsError;
  readonly login?: Login;
};

/** What setup knows of a host, and the journal; that SSH is not to be had is no failure. */
async function lookInside({ runtime, prompts }: ActionContext, state: StoreState, record: HostRecord): Promise<Seen> {
  try {
    await using session = await runtime.connect({
      ...record.ssh,
      host: record.name,
      hostKeyFlag: false,
      connectTimeoutMs: 5000,
      ask: prompts.ssh,
      signal: runtime.signal,
    });
    const { gather } = await import('../engine/gather.ts');
    const { facts, skewMs } = await gather(session, { now: runtime.now, signal: runtime.signal });
    const kind = kindOf(facts);
    const { stdout } = await session.run({
      phase: 'journal',
      script: kind.lastWords,
      asRoot: true,
      timeoutMs: 10_000,
      signal: runtime.signal,
    });
    const { login } = session;
    const { doubt } = judgeFirewall(facts.firewall, record.port);
    const nowMs = runtime.now().getTime();
    const other = otherStore(facts, record.name, state);
    const installed = installedCredentials(facts);
    return {
      skewMs,
      login,
      inside: {
        kind,
        docker: facts.docker.unit.active,
        tlsSocket: facts.docker.tlsSocket.active,
        listens: facts.listeners.some((line) => line.trim().split(/\s+/)[3]?.endsWith(`:${record.port}`)),
        problems: [
          ...(other === undefined ? [] : [managedExternally(record.name, other)]),
          ...preflight({ host: record.name, login, facts, skewMs, nowMs, port: record.port }),
        ],
        doubt: doubt && {
          words: doubt.words,
          commands: doubt.hints.map((hint) => sudoCommand(login, ...hint.split(' '))),
        },
        serverCert: installed?.cert,
        trust: installed?.ca,
      },
      journal: printableLines(stdout.toString('utf8'), 8),
    };
  } catch (error) {
    if (error instanceof DockerTlsError && error.exit !== 130) return { problem: error };
    throw error;
  }
}
