/** HAProxy as the listener of a connected host: what it needs there, and its files. */

import { LISTENER_CLIENTS, LISTENER_PACKAGE_LIST, LISTENER_SERVICE } from '../../../core/domain/dockerd/paths.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { fileText, type HostFacts } from '../../../core/domain/plan/facts.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import { shellAssignments } from '../../../core/domain/quote.ts';
import { certificateIds } from '../../../core/domain/trust/ca-id.ts';
import { FULL_ROLE } from '../../../core/domain/trust/view.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { ListenerCode, ListenerRequest, ListenerRestore, OpenedListener } from '../../../core/seams/listeners.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type Cut, planCut } from '../domain/cut.ts';
import { engineSocket } from '../domain/engine-socket.ts';
import { renderConfig } from '../domain/haproxy-config.ts';
import { checkCommand, type HaproxyPlaces, RUNTIME_DIRECTORY, renderHaproxyService } from '../domain/haproxy-unit.ts';
import { type HaproxyFacts, parseHaproxyFacts } from '../domain/listener-facts.ts';
import { desiredListener, type HaproxyListener, restoredListener } from '../domain/plan-listener.ts';
import { unstartableSockets } from '../domain/program-sockets.ts';
import { CONFIG_NAME } from '../domain/role-names.ts';
import { parseSockets } from '../domain/role-sockets.ts';
import { BUILT_IN_ROLES, findRole, outsideRole, PODMAN_ROLES, type Role, rolesOf } from '../domain/roles.ts';
import { CUT_SCRIPT, LISTENER_FACTS_SCRIPT, PACKAGE_CONFIG } from '../host/scripts.ts';
import { ACCOUNT, notesOf, problemsOf } from './listener-problems.ts';

type OpenedHaproxy = {
  readonly listener: HaproxyListener;
  readonly notes: readonly string[];
  readonly problems: readonly DockerTlsError[];
};

/** Fails as openHaproxy does. */
export async function openListener(
  request: ListenerRequest,
  runtime: Pick<Runtime, 'signal'>,
): Promise<OpenedListener> {
  const { spec, facts, session } = request;
  const { login } = session;
  const { listener, notes, problems } = await openHaproxy(request, runtime);
  return {
    desired: desiredListener({ ...request, login }, listener),
    notes,
    problems: (plan) => [...problems, ...unstartableSockets(plan, facts, spec, login)],
  };
}

/** What a rollback or removal does to it, and obstacles to that. */
export function planRestored(request: ListenerRestore): ReturnType<ListenerCode['planRestored']> {
  const { facts, spec, session } = request;
  const plan = restoredListener(request);
  return { plan, problems: unstartableSockets(plan, facts, spec, session.login) };
}

/** Errors: those of the session, E_FACTS (exit 4), E_ROLE_UNKNOWN (exit 2). */
export async function openHaproxy(
  request: ListenerRequest,
  { signal }: Pick<Runtime, 'signal'>,
): Promise<OpenedHaproxy> {
  const { spec, facts } = request;
  const socket = engineSocket(facts);
  const haproxy = await gatherHaproxyFacts(request, socket, signal);
  const places = haproxyPlaces(facts);
  const ownCas = splitBundle(request.cas).map((pem) => inspectCertificate(pem).subject);
  const binds = hasPort(spec) ? Math.max(1, spec.listen.length) : 0;
  const local = parseSockets(spec.sockets);
  const sockets = binds + local.length;
  const { own, engine, service, sockets: units } = kindOf(facts);
  // The socket of Podman's service is made for HAProxy alone.
  const group = own ? undefined : engine.apart ? ACCOUNT : (haproxy.socketGroup ?? 'docker');
  const { config, clients } = renderConfig({
    binds,
    engineSocket: socket,
    ...(group === undefined ? {} : { user: { user: ACCOUNT, group } }),
    // A client without an issuing CA may get one while its hosts do not change.
    clients: request.clients.map(({ name, role = FULL_ROLE, direct }) => ({
      name,
      role,
      by: direct ? ['issuer', 'subject'] : ['issuer'],
    })),
    rejected: request.rejected,
    ownCas,
    roles: rolesIn(request),
    ...(request.otherCas === '' ? {} : { others: { role: spec.otherClients } }),
    sockets: local,
    cli: `${facts.places.run}/${RUNTIME_DIRECTORY}/admin.sock`,
  });
  const program = haproxy.program || '/usr/sbin/haproxy';
  const unit = renderHaproxyService({
    program,
    socket: units.tls,
    binds,
    after: engine.apart ? service : units.local,
    pulled: engine.apart,
    names: local.map(({ name }) => name),
    places,
    own,
  });
  return {
    listener: {
      title: `HAProxy ${haproxy.version || haproxy.offer?.version || ''}`.trimEnd(),
      unit,
      packages: haproxy.offer?.packages ?? haproxy.unsettled,
      files: new Map([
        [places.config, config],
        [places.clients, `# Written by docker-tls.\n${clients}`],
        ...(request.otherCas === '' ? [] : [[places.issuers, issuerList(request)] as const]),
      ]),
      local:
        local.length === 0
          ? undefined
          : {
              names: local.map(({ name }) => name),
              group: own || engine.apart ? undefined : haproxy.socketGroup,
            },
      group,
      active: haproxy.active,
      check: (at, credentials) => {
        const { config: file, clients: map, issuers } = places;
        return checkCommand(
          program,
          { config: at(file), clients: at(map), issuers: at(issuers), credentials },
          sockets,
        );
      },
      cut: (removed) => {
        // A map that was edited by hand may be loaded or not.
        const loaded = facts.generations.get(facts.state?.generation ?? 0)?.get(places.clients)?.content ?? '';
        const clientsNow = `${fileText(facts, places.clients) ?? ''}\n${loaded}`;
        const now = { clients: clientsNow, config: fileText(facts, places.config) ?? '' };
        const cut = planCut(now, { clients, config }, removed, ownCas);
        return cut === undefined ? '' : cutScript(cut, places.clients);
      },
    },
    notes: notesOf(haproxy, socket, request),
    problems: problemsOf(request, haproxy),
  };
}

/** Fails with E_ROLE_UNKNOWN, E_ROLE (exit 2). */
export function refusedPath(role: string, rules: readonly string[]): string | undefined {
  return outsideRole(findRole([...BUILT_IN_ROLES, ...rolesOf(rules)], role));
}

async function gatherHaproxyFacts(
  { session, spec, facts }: ListenerRequest,
  socket: string,
  signal: AbortSignal | undefined,
): Promise<HaproxyFacts> {
  const { systemctl, own } = kindOf(facts);
  const variables = {
    SERVICE: LISTENER_SERVICE,
    SOCKET: socket,
    WHOSE: systemctl.slice(1).join(' '),
    INSTALL: spec.install === true && !own ? 'yes' : 'no',
    CONFIG: PACKAGE_CONFIG,
    LIST: LISTENER_PACKAGE_LIST,
  };
  const { stdout } = await session.run({
    phase: 'listener facts',
    script: `${shellAssignments(variables)}\n${LISTENER_FACTS_SCRIPT}`,
    asRoot: true,
    timeoutMs: 60_000,
    signal,
  });
  const found = parseHaproxyFacts(stdout);
  if (found === undefined)
    throw new DockerTlsError('E_FACTS', 'the host did not send all facts about HAProxy', {
      where: session.host,
      hints: ['try again'],
    });
  return found;
}

function haproxyPlaces({ places }: Pick<HostFacts, 'places'>): HaproxyPlaces {
  return {
    config: `${places.tls}/${CONFIG_NAME}`,
    clients: `${places.tls}/${LISTENER_CLIENTS}`,
    issuers: `${places.tls}/issuers.list`,
    credentials: places.current,
  };
}

/** Roles of the host's clients and sockets. Fails with E_ROLE_UNKNOWN (exit 2). */
function rolesIn({ spec, clients, facts }: ListenerRequest): Role[] {
  const local = parseSockets(spec.sockets).map(({ role }) => role);
  const names = clients.map(({ role = FULL_ROLE }) => role);
  const roles = [...(kindOf(facts).engine.apart ? PODMAN_ROLES : BUILT_IN_ROLES), ...rolesOf(spec.roles ?? [])];
  return [...new Set([...names, ...(spec.otherClients ? [spec.otherClients] : []), ...local])]
    .sort()
    .map((name) => findRole(roles, name));
}

/**
 * SHA-256 of every chain that clients of our CAs may send with their own certificate, for HAProxy's `hex` converter: their issuing CA, or the
 * one of our CAs that signed them directly.
 */
function issuerList({ issuers, cas }: ListenerRequest): string {
  const sums = certificateIds(`${issuers}${cas}`).map((id) => id.replaceAll(':', ''));
  return ['# Written by docker-tls.', ...[...new Set(sums)].sort(), ''].join('\n');
}

function cutScript({ keys, servers }: Cut, map: string): string {
  const variables = {
    MAP: map,
    KEYS: keys.join(' '),
    SERVERS: servers === '*' ? servers : servers.join(' '),
  };
  return `${shellAssignments(variables)}\n${CUT_SCRIPT}`;
}
