/** Owns the examination of one host: a probe as the client, this computer's settings, and, where SSH gets through, the host's clock and journal. */

import { cliApiVersion } from '../adapters/docker/cli-version.ts';
import { haveExpired } from '../adapters/docker/clocks.ts';
import { currentContext } from '../adapters/docker/config-file.ts';
import { contextsTo } from '../adapters/docker/contexts.ts';
import { diagnose } from '../adapters/docker/diagnose.ts';
import { asksHost, behindBastion, type Diagnosis, firstCause, journalTells } from '../adapters/docker/diagnosis.ts';
import { dockerHost } from '../domain/destination.ts';
import type { Secret } from '../domain/secret.ts';
import { completeHost } from '../domain/settings.ts';
import { hostAt, trustedCas } from '../domain/trust/reachable-hosts.ts';
import { anyClient, type KnownClient, resolveHost } from '../domain/trust/resolve.ts';
import { lookInside, type Seen } from '../engine/inside.ts';
import { probeAs } from '../engine/probes.ts';
import { alongAnyWay } from '../engine/through.ts';
import type { Hint } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './store.ts';

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

export type DoctorOptions = {
  readonly client: string | undefined;
  readonly noSsh: boolean;
  /** Milliseconds. */
  readonly timeout: number | undefined;
};

/**
 * Finds one cause for the host that is named, that the environment points to, or that is the only one. Fails only as the store and the docker
 * contexts do; a host that is not there is a finding.
 */
export async function doctor(
  context: ActionContext,
  named: string | undefined,
  options: DoctorOptions,
): Promise<Examination> {
  const { runtime, prompts } = context;
  const { env, signal } = runtime;
  const state = await storeOf(context).read();
  const host = resolveHost(state, named ?? hostAt(state, env.DOCKER_HOST), 'docker-tls doctor');
  const client = anyClient(state, host, options, runtime, 'docker-tls doctor');
  const { address, port, name } = host.record;
  const record = state.hosts.get(name)?.record;
  const reach = { runtime, ask: prompts.ssh };
  const overSsh = options.noSsh ? undefined : record;
  const at = { address, port, ca: client.ca, timeoutMs: options.timeout ?? 5000, now: runtime.now(), signal };
  const credentials = { cert: client.cert, key: client.key as Secret };
  const { outcome, via } = await alongAnyWay(overSsh && completeHost(overSsh), reach, async (way) => ({
    outcome: await probeAs(way.probe, 'own-certificate', at, credentials),
    via: way.via,
  }));
  const inside = overSsh !== undefined && asksHost(firstCause(outcome));
  const seen: Seen = inside ? await lookInside(reach, state, overSsh) : {};
  const endpoint = dockerHost(address, port);
  const external = host.serverCert === undefined;
  const here = await dockerHere(runtime, endpoint, client);
  const diagnosis = diagnose({
    ...{ outcome, env, clientCert: client.cert, storedCert: host.serverCert, currentContext: here.current },
    now: runtime.now(),
    remoteClockSkewMs: seen.skewMs,
    inside: seen.inside,
    cas: host.serverCert && trustedCas(state),
    cliApiVersion: outcome.kind === 'accepted' ? await cliApiVersion(env) : undefined,
    expected: {
      ...{ name, external, via, host: endpoint, context: here.context },
      certPath: client.directory,
      client: client.record.name,
      named: options.client !== undefined,
      ownKey: client.record.ownKey ?? false,
      caExpired: haveExpired(external ? client.ca : (state.ca?.cert ?? ''), runtime.now()),
      ssh: seen.login ?? record?.ssh,
    },
  });
  const direct = overSsh === undefined || seen.problem !== undefined;
  return {
    ...(record?.reach === 'ssh' && direct ? behindBastion(diagnosis, name) : diagnosis),
    ...{ host: name, endpoint, client: client.record.name, clockSkewMs: seen.skewMs },
    journal: journalTells(diagnosis.cause, seen.inside) ? (seen.journal ?? []) : [],
    sshProblem: seen.problem && { message: seen.problem.message, hints: seen.problem.hints },
  };
}

/** Docker's own context here, and the client's that leads to the host; of several, the one in use is as good as any. */
async function dockerHere(runtime: Runtime, endpoint: string, { record }: KnownClient) {
  const dockerConfig = dockerConfigDirectory(runtime);
  const current = await currentContext(dockerConfig);
  const copies = (record.copies ?? []).filter((one) => one.dockerConfig === dockerConfig);
  const own = (await contextsTo(endpoint, copies)).map(({ name }) => name);
  const inUse = runtime.env.DOCKER_CONTEXT || current;
  return { current, context: own.find((one) => one === inUse) ?? own[0] };
}
