/** Plan of a rollback or removal: to a generation stored on the host, or to the state before the first setup. */

import { dirname, resolve } from 'node:path/posix';
import { listWords } from '../words.ts';
import { partWarnings, reloadsFor } from './change-parts.ts';
import { mountedSocketWarnings, planContainers } from './container-effects.ts';
import { withoutOurLines } from './daemon-files.ts';
import { viewDaemon } from './daemon-view.ts';
import type { DesiredHost } from './desired.ts';
import { fileText, type HostFacts, hasDocker } from './facts.ts';
import { bySnapshot, differs, withBefore, withDrift } from './file-change.ts';
import { kindOf } from './host-kind.ts';
import type { SnapshotEntry } from './host-state.ts';
import { installedPackages, listenerPackages } from './installed-packages.ts';
import { hasListener, NO_LISTENER } from './listener.ts';
import { plainTcpAfter, plainTcpWarnings } from './plain-tcp.ts';
import { isDaemonPath, listeningOf } from './plan-daemon.ts';
import { type HostPlan, nextGeneration } from './plan-host.ts';
import { earlierChange, restartWarnings } from './plan-warnings.ts';

/** Plan that restores a stored generation, or, with `none`, the state before the first setup: all but the listener's part. */
export function planRestore(
  facts: HostFacts,
  target: number | 'none',
  desired: Pick<DesiredHost, 'name' | 'port' | 'containers'>,
): HostPlan {
  const view = viewDaemon(facts);
  const snapshot =
    target === 'none' ? facts.origin : (facts.generations.get(target) ?? new Map<string, SnapshotEntry>());
  // Paths that only the target has, such as those of another listener, come back as well.
  const known = facts.state?.managed ?? [];
  const more = target === 'none' ? [] : [...snapshot].filter(([path]) => known.every((item) => item.path !== path));
  const managed = [...known, ...more.map(([path, { kind }]) => ({ kind, path }))];
  const state = (path: string): SnapshotEntry | undefined => snapshot.get(path) ?? facts.origin.get(path);
  const files = managed
    .map(({ path }) => bySnapshot(state(path), path))
    // Every generation needs a lingering user.
    .filter(({ kind }) => target === 'none' || kind !== 'linger')
    .map((change) => (target === 'none' ? withoutOurLines(change) : change))
    .filter((change) => differs(change, facts))
    .map((change) => withBefore(withDrift(change, facts), facts));
  const opens = target === 'none' ? plainTcpAfter(facts, files) : [];
  const after = (path: string, links = 8): string | undefined => {
    const entry = managed.some((item) => item.path === path) ? state(path) : undefined;
    if (entry?.kind === 'link' && links > 0) return after(resolve(dirname(path), entry.to ?? ''), links - 1);
    return entry ? (entry.kind === 'file' ? entry.content : undefined) : fileText(facts, path);
  };
  // If an administrator replaced our file by a link, the path of the link is restored.
  const configFile = managed.some(({ path }) => path === view.configName) ? view.configName : view.configFile;
  const daemon = restoredDaemon(
    facts,
    target,
    files.some((change) => isDaemonPath(change.path, facts, view, hasListener(facts))),
  );
  return {
    host: desired.name,
    kind: kindOf(facts).name,
    purpose: target === 'none' ? 'remove' : 'rollback',
    generation: target === 'none' ? 'none' : nextGeneration(facts),
    returnsTo: target === 'none' ? undefined : target,
    port: desired.port,
    listening:
      after(facts.places.socket) !== undefined ? 'systemd' : target === 'none' ? 'none' : listeningOf(facts, view),
    files,
    managed: target === 'none' ? [] : managed,
    daemon,
    listener: NO_LISTENER,
    reloads: reloadsFor(files),
    containers: planContainers(facts, view, desired.containers, daemon.action, undefined, after(configFile)),
    daemonJson: { path: configFile, before: fileText(facts, configFile), after: after(configFile) },
    opens,
    costs: [],
    warnings: [
      ...earlierChange(facts),
      ...plainTcpWarnings(opens),
      ...restartWarnings(facts, daemon.action),
      ...mountedSocketWarnings(facts, view, daemon.action),
      ...(target === 'none' ? [] : partWarnings(facts, files)),
      ...(target === 'none' ? packageWarnings(facts) : []),
      ...(target === 'none' && wasStopped(facts) && daemon.action !== 'stop'
        ? [`${kindOf(facts).service} was not running before the first setup; it stays up now, for the containers in it`]
        : []),
    ],
  };
}

function packageWarnings(facts: HostFacts): string[] {
  const [packages, listeners] = [installedPackages(facts), listenerPackages(facts)];
  const purged = (who: string, names: readonly string[]) =>
    `packages that ${who} installed are purged afterwards, except those that something else needs by now: ${listWords(names, 20)}`;
  return [
    ...(packages.length === 0 ? [] : [`${purged('harden', packages)}; users that they made stay`]),
    ...(listeners.length === 0 ? [] : [purged('setup --install', listeners)]),
  ];
}

/** The daemon did not run before our first change. */
function wasStopped(facts: HostFacts): boolean {
  return facts.origin.get('docker.service')?.mode === 'inactive';
}

/** Origin of a generation, from the host's records. */
function madeBy(facts: HostFacts, number: number): string {
  const made = facts.state?.generations.find((one) => one.number === number);
  return made === undefined ? '' : ` (${made.reason}, ${made.at}, by ${made.by})`;
}

function restoredDaemon(facts: HostFacts, target: number | 'none', touched: boolean): HostPlan['daemon'] {
  if (target !== 'none')
    return { action: touched ? 'restart' : 'none', reason: `generation ${target} comes back${madeBy(facts, target)}` };
  const { engine, service } = kindOf(facts);
  if (engine.apart) return { action: 'stop', reason: `${service} is docker-tls's own` };
  const { unit, answers, listsContainers, containers } = facts.docker;
  const idle = unit.active !== 'active' || (answers && listsContainers && containers.length === 0);
  if (wasStopped(facts) && idle)
    return {
      action: 'stop',
      reason: 'it was not running before the first setup',
      socket: facts.origin.get('docker.socket')?.mode === 'inactive' ? 'stop' : undefined,
    };
  // A daemon that still runs (its program deleted, or outside this login's PATH) has containers: docker-tls must not stop it.
  if (!hasDocker(facts) && unit.active !== 'active') return { action: 'stop', reason: 'Docker is no longer installed' };
  return { action: touched ? 'restart' : 'none', reason: 'the daemon returns to its original configuration' };
}
