/** Plan of the listener of a host, if it is not the daemon itself. */

import { renderProgramSocket, renderSocketUnit } from '../dockerd/drop-in.ts';
import { LISTENER_SERVICE, type Places, programUnit } from '../dockerd/paths.ts';
import { hasPort } from '../network-port.ts';
import { certificateTexts } from '../pki/pem.ts';
import { type CaId, certificateIds } from '../trust/ca-id.ts';
import { listWords } from '../words.ts';
import type { DesiredHost } from './desired.ts';
import { type HostFacts, installedCredentials } from './facts.ts';
import { type FileChange, link, textFile } from './file-change.ts';
import { kindOf } from './host-kind.ts';
import type { DesiredListener, ListenerPlan } from './listener.ts';
import { exemptSockets, inactiveSockets, startableSockets } from './program-sockets.ts';

/** Ends all connections from before a reload: an earlier state may give their clients less. */
const CUT_ALL = 'kill -s TERM $WORKERS';

export const NO_LISTENER: ListenerPlan = {
  service: LISTENER_SERVICE,
  action: 'none',
  reason: '',
  check: '',
  cut: '',
  packages: [],
  inactive: [],
};

export function listenerUnit({ units }: Places): string {
  return `${units}/${LISTENER_SERVICE}`;
}

/** A change of these paths concerns the listener, if the host has one. */
export function isListenerPath(path: string, { socket, socketWants, tls }: Places): boolean {
  return (
    path === socket ||
    path === socketWants ||
    isProgramSocket(path) ||
    path.endsWith(`/${LISTENER_SERVICE}`) ||
    path.startsWith(`${tls}/`)
  );
}

/** Unit of sockets for programs on the host, or the link that starts one of them at boot. */
function isProgramSocket(path: string): boolean {
  return /\/docker-tls-role@[^/]*\.socket$/.test(path);
}

/** Whether the host has a listener of docker-tls after the change. */
export function usesListener({ managed }: { readonly managed: readonly { readonly path: string }[] }): boolean {
  return managed.some(({ path }) => path.endsWith(`/${LISTENER_SERVICE}`));
}

/** Whether docker-tls has set up a listener of its own on the host. */
export function hasListener(facts: Pick<HostFacts, 'state' | 'files' | 'places'>): boolean {
  const isThere = facts.files.get(listenerUnit(facts.places))?.kind === 'file';
  return isThere && usesListener({ managed: facts.state?.managed ?? [] });
}

/** The units of its sockets in the network and on the host, its service, and its configuration. */
export function listenerFiles(
  { places, kind }: HostFacts,
  desired: DesiredHost,
  listener: DesiredListener,
): FileChange[] {
  const condition = listenerUnit(places);
  const { own, sockets } = kindOf({ kind, places });
  // A user's systemd has no multi-user.target.
  const target = own ? 'default.target' : 'multi-user.target';
  const ends = { service: LISTENER_SERVICE, condition };
  return [
    ...(hasPort(desired)
      ? [
          textFile(places.socket, renderSocketUnit(desired.listen, desired.port, ends)),
          link(places.socketWants, `../${sockets.tls}`),
        ]
      : []),
    ...programSockets(places, listener, ends),
    textFile(condition, listener.unit),
    link(`${places.units}/${target}.wants/${LISTENER_SERVICE}`, `../${LISTENER_SERVICE}`),
    ...[...listener.files].map(([path, text]) => textFile(path, text)),
  ];
}

function programSockets(
  places: Places,
  { local }: DesiredListener,
  ends: { readonly service: string; readonly condition: string },
): FileChange[] {
  if (local === undefined) return [];
  const { names, group } = local;
  return [
    textFile(places.programSocket, renderProgramSocket({ ...ends, directory: `${places.run}/docker-tls`, group })),
    ...names.map((name) => link(`${places.units}/sockets.target.wants/${programUnit(name)}`, `../${programUnit('')}`)),
  ];
}

/** What the change does to the listener. `files`: the pending changes; `credentials`: the reason of new ones. */
export function planListener(
  facts: HostFacts,
  { listener, listen, sockets, startSockets }: Pick<DesiredHost, 'listener' | 'listen' | 'sockets' | 'startSockets'>,
  files: readonly FileChange[],
  credentials: { readonly reason: string } | undefined,
  trust: readonly CaId[],
  generation: number,
): ListenerPlan {
  const { places } = facts;
  if (listener === undefined)
    return hasListener(facts)
      ? { ...NO_LISTENER, action: 'stop', reason: 'the daemon itself accepts clients again' }
      : NO_LISTENER;
  const changed = files.filter(({ path }) => isListenerPath(path, places)).map(({ path }) => path);
  const pending = new Set(changed);
  const check = listener.check(
    (path) => (pending.has(path) ? `${path}.docker-tls-new` : path),
    credentials === undefined ? places.current : `${places.tls}/${generation}`,
  );
  const exempt = exemptSockets(facts, sockets);
  const required = inactiveSockets(facts, listener.local?.names ?? []).filter((name) => !exempt.includes(name));
  const plan = (
    action: ListenerPlan['action'],
    reason: string,
    inactive: readonly string[] = exempt,
  ): ListenerPlan => ({
    service: LISTENER_SERVICE,
    action,
    reason,
    check,
    // A service that counts as stopped may still be reloading.
    cut: hasListener(facts) ? listener.cut(removedCas(facts, trust)) : CUT_ALL,
    packages: listener.packages,
    inactive,
  });
  const restartFor = (names: readonly string[], inactive: readonly string[]) =>
    plan('restart', `not active: the socket ${listWords(names)}`, inactive);
  if (!hasListener(facts)) return plan('start', `${listener.title} accepts clients, in front of the daemon`);
  if (pending.has(places.socket) || pending.has(places.programSocket))
    return plan('restart', 'its socket unit changes');
  if (pending.has(listenerUnit(places))) return plan('restart', 'its unit changes');
  // It may still run from a file that is gone.
  if (listener.packages.length > 0) return plan('restart', 'its packages are not completely installed');
  const listens = !hasPort({ listen }) || facts.docker.tlsSocket.active === 'active';
  if (!listener.active || !listens) return plan('start', 'it does not run');
  if (required.length > 0) return restartFor(required, exempt);
  if (credentials !== undefined) return plan('reload', credentials.reason);
  if (changed.some((path) => path !== places.current)) return plan('reload', 'its configuration changes');
  // Streams end with the restart: only a change that brings the whole host in line makes it, and none that has more to do.
  const startable = startSockets && files.length === 0 ? startableSockets(facts, exempt) : [];
  const rest = exempt.filter((name) => !startable.includes(name));
  if (startable.length > 0) return restartFor(startable, rest);
  return { ...NO_LISTENER, reason: 'nothing changes for it', inactive: exempt };
}

/** PEM of the CAs that the host accepts now, and will not. */
function removedCas(facts: HostFacts, trust: readonly CaId[]): string[] {
  const installed = certificateTexts(installedCredentials(facts)?.ca ?? '');
  return installed.filter((pem) => !certificateIds(pem).some((id) => trust.includes(id)));
}

/** What a rollback or removal does to the listener. `isThere`: whether its unit is there afterwards. */
export function restoredListener(
  facts: HostFacts,
  files: readonly FileChange[],
  isThere: boolean,
  { sockets }: Pick<DesiredHost, 'sockets'>,
): ListenerPlan {
  const touched = files.filter(({ path }) => isListenerPath(path, facts.places));
  const inactive = isThere ? exemptSockets(facts, sockets) : [];
  if (touched.length === 0 || !(isThere || hasListener(facts))) return { ...NO_LISTENER, inactive };
  const action = !isThere
    ? 'stop'
    : touched.some(({ path }) => path.startsWith(`${facts.places.units}/`))
      ? 'restart'
      : 'reload';
  const reason = isThere ? 'its former configuration returns' : "it is docker-tls's own";
  return { ...NO_LISTENER, action, reason, cut: isThere ? CUT_ALL : '', inactive };
}
