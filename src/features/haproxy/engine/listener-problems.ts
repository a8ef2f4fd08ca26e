/** What stands against HAProxy as the listener of a host, and what a plan notes about it. */

import { X509Certificate } from 'node:crypto';
import { installHint } from '../../../core/domain/dockerd/install-hints.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { viewDaemon } from '../../../core/domain/plan/daemon-view.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import { rootCommand, shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import { listWords } from '../../../core/domain/words.ts';
import type { ListenerRequest } from '../../../core/seams/listeners.ts';
import { offeredWords } from '../../../core/seams/seam.ts';
import { SETTING_PLACES } from '../../../core/seams/setting-places.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { ISSUING_CA } from '../domain/client-keys.ts';
import { engineSocket } from '../domain/engine-socket.ts';
import { isOlder, tooOld } from '../domain/haproxy-version.ts';
import type { HaproxyFacts } from '../domain/listener-facts.ts';
import { allowDenied, allowedByProfile, onlyLogDenied } from '../domain/listener-state.ts';
import { parseSockets } from '../domain/role-sockets.ts';

/** User and group of HAProxy's package. */
export const ACCOUNT = 'haproxy';

/** Whether a policy lets HAProxy open the socket shows only in the verification. */
export function notesOf(
  { enforcing, socketType, profile }: HaproxyFacts,
  socket: string,
  { session, facts }: ListenerRequest,
): string[] {
  return [
    ...(kindOf(facts).engine.apart
      ? [
          `the group ${ACCOUNT} may open ${socket}: a HAProxy of the host's own runs as that group too, so whoever breaks into it is root on the host`,
        ]
      : []),
    ...(enforcing
      ? [
          `SELinux is enforcing there, and its policy may keep HAProxy (haproxy_t) from its files and from ${socket}${socketType === '' ? '' : ` (${socketType})`}: then HAProxy does not start, or the daemon seems not to answer (503), and the host is rolled back. Before, let SELinux only log what it would deny: ${onlyLogDenied(session.login)}. Afterwards, allow that: ${allowDenied(session.login)}`,
        ]
      : []),
    ...(profile === ''
      ? []
      : [
          `AppArmor confines HAProxy there (profile ${profile}), and may keep it from ${socket} and from the files of docker-tls: then HAProxy does not start, or the daemon seems not to answer (503), and the host is rolled back. To allow both: ${allowedByProfile(socket)}`,
        ]),
  ];
}

/** Obstacles on the host. */
export function problemsOf(request: ListenerRequest, haproxy: HaproxyFacts): DockerTlsError[] {
  const { session, spec, facts } = request;
  const found: DockerTlsError[] = [];
  const add = (code: ErrorCode, message: string, hints: readonly string[]) =>
    found.push(new DockerTlsError(code, message, { where: spec.name, hints }));
  const { login } = session;
  const { systemctl, engine, own } = kindOf(facts);
  if (systemctl.length === 0)
    add('E_LISTENER', 'HAProxy as the listener needs systemd, which holds its port', [
      `docker-tls setup ${shellQuote(spec.name)} --listener dockerd`,
    ]);
  const version = haproxy.version || haproxy.offer?.version || '';
  if (haproxy.program === '' && haproxy.offer === undefined) found.push(missing(request));
  else if (haproxy.offer !== undefined && haproxy.offer.obstacles.length > 0)
    add('E_HAPROXY_MISSING', `HAProxy is not installed there, and cannot be: ${haproxy.offer.obstacles.join('; ')}`, [
      ...(haproxy.offer.manager === 'apt' ? [rootCommand(login, 'apt-get', 'update')] : []),
      installHint(login, facts.distribution, ['haproxy']),
    ]);
  else if (isOlder(version)) found.push(tooOld(version, { where: spec.name, login, distribution: facts.distribution }));
  else if (haproxy.program !== '' && !own && !haproxy.hasAccount && haproxy.unsettled.length === 0)
    add('E_HAPROXY_MISSING', 'the host has no account haproxy, as its package makes it', [
      sudoCommand(login, 'useradd', '--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'haproxy'),
    ]);
  if (haproxy.socketGroup === undefined && haproxy.hasSocket && !own && !engine.apart)
    add('E_LISTENER', `only root may open ${engineSocket(facts)}, and HAProxy does not run as root`, [
      'give the socket a group: "group" in daemon.json, or SocketGroup= of docker.socket',
    ]);
  const names = parseSockets(spec.sockets).map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined)
    add('E_LISTENER', `two sockets there have the name ${twice}`, [
      `leave one of them out of ${offeredWords(SETTING_PLACES, '"sockets" in the fleet file, or of')}: docker-tls setup ${shellQuote(spec.name)} --socket 'NAME ROLE'`,
    ]);
  if (haproxy.noPatterns)
    add(
      'E_LISTENER',
      'SELinux denies every program there memory that it writes and runs (allow_execmem is off), and HAProxy compiles its patterns into such memory',
      [
        rootCommand(login, 'setsebool', '-P', 'allow_execmem', 'on'),
        `or let dockerd accept clients: docker-tls setup ${shellQuote(spec.name)} --listener dockerd`,
      ],
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
    if (hasPort(spec) && kind === 'tcp' && port === spec.port)
      add('E_LISTENER', `dockerd itself listens on ${text}`, [
        'remove that listener from its configuration',
        `or let dockerd accept clients: docker-tls setup ${shellQuote(spec.name)} --listener dockerd`,
      ]);
  return found;
}

/**
 * Without root nothing can be installed, so a rootless host gets no `--install`. A host that has no such listener on record gets it for the
 * command as typed: another one might open a port.
 */
function missing({ session, spec, facts, recorded }: ListenerRequest): DockerTlsError {
  const { own } = kindOf(facts);
  return new DockerTlsError('E_HAPROXY_MISSING', 'HAProxy is not installed there', {
    where: spec.name,
    hints: [
      ...(own ? [] : recorded ? [`docker-tls apply ${shellQuote(spec.name)} --install`] : ['--install']),
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
