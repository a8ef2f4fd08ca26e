/** The listener of a host, if it is not the daemon itself. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { StoredClient } from '../adapters/store/records.ts';
import { LISTENER_SERVICE } from '../domain/dockerd/paths.ts';
import { hasPort } from '../domain/network-port.ts';
import { fileText, type HostFacts } from '../domain/plan/facts.ts';
import { hasListener, listenerUnit } from '../domain/plan/listener.ts';
import type { ProbeCheck } from '../domain/plan/outcome.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import { isLimited, listsClients } from '../domain/trust/trust.ts';
import type { HostSession, Runtime } from '../runtime.ts';
import {
  LISTENERS,
  type ListenerCode,
  type ListenerRequest,
  type ListenerState,
  type OpenedListener,
} from '../seams/listeners.ts';
import { ALL_FEATURES_HINT } from '../seams/seam.ts';
import type { PlannedHost } from './intent.ts';
import type { VerifyRequest } from './verify-host.ts';

/**
 * A build without the feature would read the host's settings as if dockerd itself accepted clients: every client would get everything. It
 * could not start or stop the listener either. Fails with E_NO_LISTENER (exit 4).
 */
export function requireListenerCode(host: string, facts: Parameters<typeof hasListener>[0]): void {
  if (LISTENERS.all.length === 0 && hasListener(facts)) throw noListenerCode(host);
}

function noListenerCode(host: string): DockerTlsError {
  return new DockerTlsError(
    'E_NO_LISTENER',
    `${LISTENER_SERVICE} accepts clients there and limits what they may do; this build of docker-tls has no such listener`,
    { where: host, hints: [ALL_FEATURES_HINT] },
  );
}

/** Undefined if the daemon itself accepts clients. */
export async function listenerOpened(
  request: ListenerRequest,
  runtime: Pick<Runtime, 'signal'>,
): Promise<OpenedListener | undefined> {
  return (await codeOf(request.spec))?.openListener(request, runtime);
}

/** A host needs a port or a socket, and dockerd has no sockets with a role. Fails with E_USAGE (exit 2). */
export async function requireOpening(
  spec: HostSpec,
  listener: OpenedListener | undefined,
  recorded: boolean,
): Promise<void> {
  const sockets = (spec.sockets ?? []).length > 0;
  if (listener === undefined ? hasPort(spec) && !sockets : hasPort(spec) || sockets) return;
  throw (
    (await LISTENERS.all[0]?.load())?.openingProblem(spec, recorded) ??
    new DockerTlsError('E_USAGE', 'dockerd itself accepts clients there: it needs a port, and has no sockets', {
      where: spec.name,
      hints: [ALL_FEATURES_HINT],
    })
  );
}

/** State of the service in front of the daemon; undefined if the daemon itself accepts clients. */
export async function listenerState(
  request: Pick<ListenerRequest, 'session' | 'spec' | 'facts'>,
  runtime: Pick<Runtime, 'signal'>,
): Promise<ListenerState | undefined> {
  return (await codeOf(request.spec))?.lookAtListener(request, runtime);
}

/** Verification of a host whose listener is not the daemon itself: one client of each role. `clients`: accepted ones with their keys here. */
export async function listenerChecks(
  spec: Pick<HostSpec, 'listener' | 'roles'>,
  clients: readonly StoredClient[],
): Promise<Pick<VerifyRequest, 'limited' | 'behind'>> {
  const code = await codeOf(spec);
  const limited = clients.filter(({ record }) => isLimited(record));
  const firsts = limited.filter(({ record: { role } }, index) => {
    return limited.findIndex(({ record }) => record.role === role) === index;
  });
  return {
    behind: listsClients(spec),
    limited: firsts.flatMap(({ record: { name, role = '' }, cert, key }) => {
      const path = code?.refusedPath(role, spec.roles ?? []);
      return path === undefined ? [] : [{ name, role, path, cert, key: key as Secret }];
    }),
  };
}

/** Without sockets and a port, nothing verifies the host: never a success. */
const NOTHING: ProbeCheck = {
  ...{ who: 'sockets', expected: 'accepted', ok: false, elapsedMs: 0 },
  outcome: 'the host has no port, and no socket either',
};

/** Checks of the sockets for programs on the host. Fails with E_NO_LISTENER (exit 4). */
export async function socketChecks(
  request: Parameters<ListenerCode['checkSockets']>[0],
  runtime: Pick<Runtime, 'signal'>,
): Promise<readonly ProbeCheck[]> {
  const { spec } = request;
  if ((spec.sockets ?? []).length === 0) return hasPort(spec) ? [] : [NOTHING];
  const code = await codeOf(spec);
  if (code === undefined) throw noListenerCode(spec.name);
  return code.checkSockets(request, runtime);
}

/** Installs what the plan's listener needs. */
export async function installPackages({
  session,
  facts,
  plan,
  spec,
}: Pick<PlannedHost, 'session' | 'facts' | 'plan' | 'spec'>): Promise<void> {
  await (await codeOf(spec))?.install(session, facts, plan.listener.packages);
}

/** Takes installed packages away again, from a host that does not use them. */
export async function purgeListener(session: HostSession, facts: HostFacts): Promise<readonly string[]> {
  return (await LISTENERS.all[0]?.load())?.purge(session, facts) ?? [];
}

/**
 * A rollback or removal, with what it does to the listener: a generation may have another one than now. Fails with E_NO_LISTENER (exit 4) in a
 * build that cannot start or stop it.
 */
export async function restoringListener(planned: PlannedHost): Promise<PlannedHost> {
  const { facts, spec, session, plan, problems } = planned;
  const path = listenerUnit(facts.places);
  const change = plan.files.find((one) => one.path === path);
  const unit = change === undefined ? fileText(facts, path) : change.after;
  if (unit === undefined && !hasListener(facts)) return planned;
  const code = await LISTENERS.all[0]?.load();
  if (code === undefined) throw noListenerCode(spec.name);
  const { plan: listener, problems: more } = code.planRestored({ session, facts, spec, files: plan.files, unit });
  const warnings = [...plan.warnings, ...listener.inactive.map(({ warning }) => warning)];
  return { ...planned, plan: { ...plan, listener, warnings }, problems: [...problems, ...more] };
}

async function codeOf({ listener }: Pick<HostSpec, 'listener'>): Promise<ListenerCode | undefined> {
  return LISTENERS.all.find(({ name }) => name === listener)?.load();
}
