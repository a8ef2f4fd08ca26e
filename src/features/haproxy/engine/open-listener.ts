/** HAProxy as the listener of a connected host: what it needs there, and its files. */

import { X509Certificate } from 'node:crypto';
import { installHint } from '../../../core/domain/dockerd/install-hints.ts';
import { LISTENER_PACKAGE_LIST, LISTENER_SERVICE } from '../../../core/domain/dockerd/paths.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { viewDaemon } from '../../../core/domain/plan/daemon-view.ts';
import { fileText, type HostFacts } from '../../../core/domain/plan/facts.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import { rootCommand, shellAssignments, shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import { certificateIds } from '../../../core/domain/trust/ca-id.ts';
import { FULL_ROLE } from '../../../core/domain/trust/view.ts';
import { listWords } from '../../../core/domain/words.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { ListenerRequest, OpenedListener } from '../../../core/seams/listeners.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { ISSUING_CA } from '../domain/client-keys.ts';
import { type Cut, planCut } from '../domain/cut.ts';
import { renderConfig } from '../domain/haproxy-config.ts';
import { checkCommand, type HaproxyPlaces, RUNTIME_DIRECTORY, renderHaproxyService } from '../domain/haproxy-unit.ts';
import { isOlder, tooOld } from '../domain/haproxy-version.ts';
import { type HaproxyFacts, parseHaproxyFacts } from '../domain/listener-facts.ts';
import { allowDenied, allowedByProfile } from '../domain/listener-state.ts';
import { parseSockets, socketPath } from '../domain/role-sockets.ts';
import { BUILT_IN_ROLES, findRole, outsideRole, type Role, rolesOf } from '../domain/roles.ts';
import { CUT_SCRIPT, LISTENER_FACTS_SCRIPT, PACKAGE_CONFIG } from '../host/scripts.ts';

/** Errors: those of the session, E_FACTS (exit 4), E_ROLE_UNKNOWN (exit 2). */
export async function openListener(
  request: ListenerRequest,
  { signal }: Pick<Runtime, 'signal'>,
): Promise<OpenedListener> {
  const { spec, facts } = request;
  const socket = facts.docker.apiSocket || facts.places.localSocket;
  const haproxy = await gatherHaproxyFacts(request, socket, signal);
  const places = haproxyPlaces(facts);
  const ownCas = splitBundle(request.cas).map((pem) => inspectCertificate(pem).subject);
  const binds = Math.max(1, spec.listen.length);
  const local = parseSockets(spec.sockets);
  const sockets = binds + local.length;
  const { own, sockets: units } = kindOf(facts);
  const { config, clients } = renderConfig({
    binds,
    engineSocket: socket,
    ...(own ? {} : { user: { user: 'haproxy', group: haproxy.socketGroup ?? 'docker' } }),
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
    sockets,
    places,
    own,
  });
  return {
    desired: {
      title: `HAProxy ${haproxy.version || haproxy.offer?.version || ''}`.trimEnd(),
      unit,
      packages: haproxy.offer?.packages ?? [],
      files: new Map([
        [places.config, config],
        [places.clients, `# Written by docker-tls.\n${clients}`],
        ...(request.otherCas === '' ? [] : [[places.issuers, issuerList(request)] as const]),
      ]),
      local:
        local.length === 0
          ? undefined
          : {
              paths: local.map(({ name }) => socketPath(name, facts.places.run)),
              group: own ? undefined : haproxy.socketGroup,
            },
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
        return cut === undefined ? '' : cutScript(cut, places.clients, facts);
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
    config: `${places.tls}/haproxy.cfg`,
    clients: `${places.tls}/clients.map`,
    issuers: `${places.tls}/issuers.list`,
    credentials: places.current,
  };
}

/** Roles of the host's clients and sockets. Fails with E_ROLE_UNKNOWN (exit 2). */
function rolesIn({ spec, clients }: ListenerRequest): Role[] {
  const local = parseSockets(spec.sockets).map(({ role }) => role);
  const names = clients.map(({ role = FULL_ROLE }) => role);
  const roles = [...BUILT_IN_ROLES, ...rolesOf(spec.roles ?? [])];
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

function cutScript({ keys, servers }: Cut, map: string, { places }: Pick<HostFacts, 'places'>): string {
  const variables = {
    MASTER: `${places.run}/${RUNTIME_DIRECTORY}/master.sock`,
    MAP: map,
    KEYS: keys.join(' '),
    SERVERS: servers === '*' ? servers : servers.join(' '),
  };
  return `${shellAssignments(variables)}\n${CUT_SCRIPT}`;
}

/** Whether a policy lets HAProxy open the socket shows only in the verification. */
function notesOf(
  { enforcing, socketType, profile }: HaproxyFacts,
  socket: string,
  { session }: ListenerRequest,
): string[] {
  const then = 'then the daemon seems not to answer (503), and the host is rolled back';
  return [
    ...(enforcing
      ? [
          `SELinux is enforcing there, and its policy may keep HAProxy (haproxy_t) from ${socket}${socketType === '' ? '' : ` (${socketType})`}: ${then}. To allow what was denied: ${allowDenied(session.login)}`,
        ]
      : []),
    ...(profile === ''
      ? []
      : [
          `AppArmor confines HAProxy there (profile ${profile}), and may keep it from ${socket} and from the files of docker-tls: ${then}. To allow both: ${allowedByProfile(socket)}`,
        ]),
  ];
}

function problemsOf(request: ListenerRequest, haproxy: HaproxyFacts): DockerTlsError[] {
  const { session, spec, facts } = request;
  const found: DockerTlsError[] = [];
  const add = (code: ErrorCode, message: string, hints: readonly string[]) =>
    found.push(new DockerTlsError(code, message, { where: spec.name, hints }));
  const { login } = session;
  const { systemctl, engine } = kindOf(facts);
  if (systemctl.length === 0 || engine.apart)
    add(
      'E_LISTENER',
      engine.apart
        ? 'only root may open the socket of Podman, and HAProxy does not run as root'
        : 'HAProxy as the listener needs systemd, which holds its port',
      [`docker-tls setup ${shellQuote(spec.name)} --listener dockerd`],
    );
  const version = haproxy.version || haproxy.offer?.version || '';
  if (haproxy.program === '' && haproxy.offer === undefined) found.push(missing(request));
  else if (haproxy.offer !== undefined && haproxy.offer.obstacles.length > 0)
    add('E_HAPROXY_MISSING', `HAProxy is not installed there, and cannot be: ${haproxy.offer.obstacles.join('; ')}`, [
      ...(haproxy.offer.manager === 'apt' ? [rootCommand(login, 'apt-get', 'update')] : []),
      installHint(login, facts.distribution, ['haproxy']),
    ]);
  else if (isOlder(version)) found.push(tooOld(version, { where: spec.name, login, distribution: facts.distribution }));
  else if (haproxy.program !== '' && !kindOf(facts).own && !haproxy.hasAccount)
    add('E_HAPROXY_MISSING', 'the host has no account haproxy, as its package makes it', [
      sudoCommand(login, 'useradd', '--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'haproxy'),
    ]);
  if (haproxy.socketGroup === undefined && haproxy.hasSocket && !kindOf(facts).own)
    add(
      'E_LISTENER',
      `only root may open ${facts.docker.apiSocket || facts.places.localSocket}, and HAProxy does not run as root`,
      ['give the socket a group: "group" in daemon.json, or SocketGroup= of docker.socket'],
    );
  const others = otherCasOf(request);
  const alike = others.filter((one) => one.looksLikeOurs);
  const none = [`reject them: docker-tls setup ${shellQuote(spec.name)} --accept-ca none`];
  if (alike.length > 0)
    add(
      'E_LISTENER',
      `clients of the CA ${namesOf(alike)} could pass for ours: HAProxy knows a client by the name of its CA`,
      none,
    );
  else if (others.length > 0 && spec.otherClients === undefined)
    add('E_LISTENER', `the host accepts clients of the CA ${namesOf(others)}, and none of them has a role`, [
      `give them one: docker-tls setup ${shellQuote(spec.name)} --other-clients read`,
      ...none,
    ]);
  const view = viewDaemon(facts);
  for (const { kind, text, port } of view.listeners)
    if (kind === 'tcp' && port === spec.port)
      add('E_LISTENER', `dockerd itself listens on ${text}`, [
        'remove that listener from its configuration',
        `or let dockerd accept clients: docker-tls setup ${shellQuote(spec.name)} --listener dockerd`,
      ]);
  return found;
}

/**
 * Without root nothing can be installed, so a rootless host gets no `--install`. A host that is not set up gets it for the command as typed:
 * another one might open a port.
 */
function missing({ session, spec, facts }: ListenerRequest): DockerTlsError {
  const { own } = kindOf(facts);
  return new DockerTlsError('E_HAPROXY_MISSING', 'HAProxy is not installed there', {
    where: spec.name,
    hints: [
      ...(own
        ? []
        : facts.state === undefined
          ? ['--install']
          : [`install it with the change: docker-tls setup ${shellQuote(spec.name)} --listener haproxy --install`]),
      installHint(session.login, facts.distribution, ['haproxy']),
    ],
  });
}

type OtherCa = { readonly subject: string; readonly looksLikeOurs: boolean };

/** CAs of others. HAProxy reads the first common name of an issuer, so one of theirs must have a single one, unlike any of ours. */
function otherCasOf({ cas, otherCas }: ListenerRequest): OtherCa[] {
  const ours = splitBundle(cas).map(inspectCertificate);
  return splitBundle(otherCas).flatMap((pem) => {
    const { subject, fingerprint } = inspectCertificate(pem);
    if (ours.some((one) => one.fingerprint === fingerprint)) return [];
    const names = new X509Certificate(pem).subject.match(/^CN=/gm)?.length ?? 0;
    const isOurs = ours.some((one) => one.subject === subject) || new RegExp(ISSUING_CA).test(subject);
    return [{ subject, looksLikeOurs: isOurs || names > 1 }];
  });
}

function namesOf(cas: readonly OtherCa[]): string {
  return listWords(cas.map(({ subject }) => `"${printable(subject)}"`));
}
