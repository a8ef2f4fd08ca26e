/** Plan of HAProxy as the listener of a host. */

import { renderSocketUnit } from '../../../core/domain/dockerd/drop-in.ts';
import { LISTENER_SERVICE } from '../../../core/domain/dockerd/paths.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import { certificateTexts } from '../../../core/domain/pki/pem.ts';
import { type HostFacts, installedCredentials } from '../../../core/domain/plan/facts.ts';
import { type FileChange, link, textFile } from '../../../core/domain/plan/file-change.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import {
  type DesiredListener,
  hasListener,
  isListenerPath,
  type ListenerChange,
  type ListenerPlan,
  listenerUnit,
  NO_LISTENER,
} from '../../../core/domain/plan/listener.ts';
import type { Login } from '../../../core/domain/quote.ts';
import { type CaId, certificateIds } from '../../../core/domain/trust/ca-id.ts';
import { listWords } from '../../../core/domain/words.ts';
import type { ListenerRequest, ListenerRestore } from '../../../core/seams/listeners.ts';
import { checkRestored } from './haproxy-unit.ts';
import { exemptSockets, inactiveOf, inactiveSockets, startableSockets } from './program-sockets.ts';
import {
  type LocalSockets,
  programTemplate,
  programUnit,
  renderProgramSocket,
  socketDirectory,
} from './socket-units.ts';

/** HAProxy as the host is to have it. Its files follow from the accepted clients. */
export type HaproxyListener = Pick<DesiredListener, 'title' | 'group'> & {
  /** Text of its unit, and of its other files by their path. */
  readonly unit: string;
  readonly files: ReadonlyMap<string, string>;
  /** Its sockets for programs on the host. */
  readonly local?: LocalSockets | undefined;
  /** It runs now. */
  readonly active: boolean;
  /** Packages that the host lacks, and that are installed before the change. */
  readonly packages: readonly string[];
  /** Shell command that checks its configuration, with files at other paths than those that they will have. */
  readonly check: (at: (path: string) => string, credentials: string) => string;
  /**
   * Shell text that ends the connections of clients that lose access, after a reload, which the host may prefer to a planned restart; empty:
   * none. `removed`: PEM of the CAs that the host no longer accepts. The text gets MASTER, the socket of a process, and WORKERS, its
   * children from before.
   */
  readonly cut: (removed: readonly string[]) => string;
};

/** What its plan needs of a host. */
export type ListenerHost = Pick<ListenerRequest, 'facts' | 'startSockets'> & {
  readonly spec: Pick<ListenerRequest['spec'], 'name' | 'port' | 'listen' | 'sockets'>;
  readonly login: Login;
};

export function desiredListener(host: ListenerHost, listener: HaproxyListener): DesiredListener {
  const { title, group } = listener;
  return {
    ...{ title, group },
    files: listenerFiles(host, listener),
    plan: (change) => planListener(host, listener, change),
  };
}

/** Ends all connections from before a reload: an earlier state may give their clients less. */
const CUT_ALL = 'kill -s TERM $WORKERS';

/** The units of its sockets in the network and on the host, its service, and its configuration. */
function listenerFiles({ facts: { places, kind }, spec }: ListenerHost, listener: HaproxyListener): FileChange[] {
  const condition = listenerUnit(places);
  const { own, sockets } = kindOf({ kind, places });
  // A user's systemd has no multi-user.target.
  const target = own ? 'default.target' : 'multi-user.target';
  const ends = { service: LISTENER_SERVICE, condition };
  return [
    ...(hasPort(spec)
      ? [
          textFile(places.socket, renderSocketUnit(spec.listen, spec.port, ends)),
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
  places: HostFacts['places'],
  { local }: HaproxyListener,
  ends: { readonly service: string; readonly condition: string },
): FileChange[] {
  if (local === undefined) return [];
  const { names, group } = local;
  return [
    textFile(programTemplate(places), renderProgramSocket({ ...ends, directory: socketDirectory(places), group })),
    ...names.map((name) => link(`${places.units}/sockets.target.wants/${programUnit(name)}`, `../${programUnit('')}`)),
  ];
}

/** What a change does to it. */
function planListener(
  { facts, spec, login, startSockets }: ListenerHost,
  listener: HaproxyListener,
  { files, credentials, trust, generation }: ListenerChange,
): ListenerPlan {
  const { places } = facts;
  const changed = files.filter(({ path }) => isListenerPath(path, places)).map(({ path }) => path);
  const pending = new Set(changed);
  const check = listener.check(
    (path) => (pending.has(path) ? `${path}.docker-tls-new` : path),
    credentials === undefined ? places.current : `${places.tls}/${generation}`,
  );
  const exempt = exemptSockets(facts, spec.sockets);
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
    inactive: inactiveOf(inactive, facts, spec.name, login),
  });
  const restartFor = (names: readonly string[], inactive: readonly string[]) =>
    plan('restart', `not active: the socket ${listWords(names)}`, inactive);
  if (!hasListener(facts)) return plan('start', `${listener.title} accepts clients, in front of the daemon`);
  if (pending.has(places.socket) || pending.has(programTemplate(places)))
    return plan('restart', 'its socket unit changes');
  if (pending.has(listenerUnit(places))) return plan('restart', 'its unit changes');
  // It may still run from a file that is gone.
  if (listener.packages.length > 0) return plan('restart', 'its packages are not completely installed');
  const listens = !hasPort(spec) || facts.docker.tlsSocket.active === 'active';
  if (!listener.active || !listens) return plan('start', 'it does not run');
  if (required.length > 0) return restartFor(required, exempt);
  if (credentials !== undefined) return plan('reload', credentials.reason);
  if (changed.some((path) => path !== places.current)) return plan('reload', 'its configuration changes');
  // Streams end with the restart: only a change that brings the whole host in line makes it, and none that has more to do.
  const startable = startSockets && files.length === 0 ? startableSockets(facts, exempt) : [];
  const rest = exempt.filter((name) => !startable.includes(name));
  if (startable.length > 0) return restartFor(startable, rest);
  return {
    ...NO_LISTENER,
    reason: 'nothing changes for it',
    inactive: inactiveOf(exempt, facts, spec.name, login),
  };
}

/** PEM of the CAs that the host accepts now, and will not. */
function removedCas(facts: HostFacts, trust: readonly CaId[]): string[] {
  const installed = certificateTexts(installedCredentials(facts)?.ca ?? '');
  return installed.filter((pem) => !certificateIds(pem).some((id) => trust.includes(id)));
}

/** What a rollback or removal does to it. Its former configuration is checked first: it may be from before another version. */
export function restoredListener({ facts, spec, session, files, unit }: ListenerRestore): ListenerPlan {
  const isThere = unit !== undefined;
  const touched = files.filter(({ path }) => isListenerPath(path, facts.places));
  const inactive = isThere ? inactiveOf(exemptSockets(facts, spec.sockets), facts, spec.name, session.login) : [];
  if (touched.length === 0) return { ...NO_LISTENER, inactive };
  if (!isThere) return { ...NO_LISTENER, action: 'stop', reason: "it is docker-tls's own" };
  const action = touched.some(({ path }) => path.startsWith(`${facts.places.units}/`)) ? 'restart' : 'reload';
  const pending = new Map(files.map((change) => [change.path, change]));
  const { tls, current } = facts.places;
  const to = pending.get(current)?.to;
  const check = checkRestored(
    unit,
    (path) => (pending.get(path)?.kind === 'file' ? `${path}.docker-tls-new` : path),
    to === undefined ? current : `${tls}/${to}`,
  );
  return {
    ...NO_LISTENER,
    ...{ action, reason: 'its former configuration returns', check: check ?? '', cut: CUT_ALL, inactive },
  };
}
