/** Effect of a change on containers: whether they survive a daemon restart, and which lose a mounted socket. */

import { flagValues } from '../dockerd/command-line.ts';
import { parseDaemonJson } from '../dockerd/daemon-json.ts';
import { flagged } from '../dockerd/daemon-options.ts';
import { shellQuote } from '../quote.ts';
import type { DaemonView } from './daemon-view.ts';
import type { DesiredHost } from './desired.ts';
import type { HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';

/** Effect of the change on containers. */
export type ContainerPlan = {
  readonly running: readonly { readonly name: string; readonly restart: string }[];
  /**
   * `untouched`: no restart, or none that affects them; `live-restore`: already on; `temporary`: on for the restart; `switched-on`: on from
   * now on; `stop`: they stop.
   */
  readonly how: 'untouched' | 'live-restore' | 'temporary' | 'switched-on' | 'stop';
  /** Names of the containers that would stop. */
  readonly wouldStop: readonly string[];
  /** The daemon does not list running containers. */
  readonly unlisted?: true;
};

export function planContainers(
  facts: HostFacts,
  view: DaemonView,
  mode: 'keep' | 'may-stop',
  action: string,
  liveRestore: boolean | undefined,
  jsonAfter: string | undefined,
): ContainerPlan {
  const running = facts.docker.containers.map(({ name, restart }) => ({ name, restart }));
  if (facts.docker.unit.active !== 'active') return { running, how: 'untouched', wouldStop: [] };
  const unlisted = facts.docker.listsContainers ? {} : { unlisted: true as const };
  if (action !== 'restart' || kindOf(facts).engine.apart)
    return { running, how: 'untouched', wouldStop: [], ...unlisted };
  // A daemon that starts without live-restore stops the containers that the previous one left running.
  const staysOn =
    flagValues(view.flags, '--live-restore').length > 0 || parseDaemonJson(jsonAfter).values['live-restore'] === true;
  const { keepsContainers } = kindOf(facts);
  if (keepsContainers && facts.docker.liveRestore && staysOn)
    return { running, how: 'live-restore', wouldStop: [], ...unlisted };
  // Permission to stop applies only to a daemon that cannot keep containers, or that recreates its bridge: other hosts of the run keep
  // theirs.
  const stops =
    facts.docker.silent ||
    flagged(view, 'live-restore').length > 0 ||
    (running.length > 0 && parseDaemonJson(jsonAfter).values.icc !== view.json.values.icc);
  // Applies even without known containers: one may start while the plan is reviewed, and there is no second check before the restart.
  if (keepsContainers && !facts.docker.swarm && (mode === 'keep' || !stops))
    return { running, how: liveRestore === true ? 'switched-on' : 'temporary', wouldStop: [], ...unlisted };
  // A daemon that did not answer may have containers.
  const any = running.length > 0 || !facts.docker.listsContainers;
  return {
    running,
    how: any ? 'stop' : 'untouched',
    wouldStop: running.map((container) => container.name),
    ...unlisted,
  };
}

/** icc is a rule of the default bridge. dockerd recreates the bridge only if no container uses it. */
export function bridgeWarnings(settings: DesiredHost['daemonSettings'], { running, how }: ContainerPlan): string[] {
  if (settings?.icc !== false || running.length === 0 || how === 'stop') return [];
  return [
    'icc: dockerd does not change the default bridge while containers run; it takes effect at the first start of docker without any',
  ];
}

/**
 * dockerd creates a new file for its own unix socket at each start (a socket that systemd holds survives). A container that mounts the
 * file instead of its directory keeps the old one, and no daemon answers on it.
 */
export function mountedSocketWarnings(facts: HostFacts, view: DaemonView, action: string): string[] {
  if (action !== 'restart') return [];
  const { localSocket } = facts.places;
  const local = view.listeners.filter(({ kind }) => kind === 'unix' || kind === 'fd');
  const paths =
    local.length === 0
      ? [localSocket]
      : local.filter(({ kind }) => kind === 'unix').map(({ text }) => text.replace(/^unix:\/\//, '') || localSocket);
  return paths.flatMap((path) => {
    const names = facts.docker.containers
      .filter(({ mounts }) => mounts.some((mount) => runPath(mount) === runPath(path)))
      .map(({ name }) => name);
    if (names.length === 0) return [];
    return [
      `dockerd itself makes ${path} anew when it starts; ${names.join(', ')} ${has(names)} it mounted and can no longer reach the daemon until restarted there: docker restart ${names.map(shellQuote).join(' ')}`,
    ];
  });
}

export function has(names: readonly string[]): string {
  return names.length === 1 ? 'has' : 'have';
}

/** /var/run is a link to /run on all systems with systemd. */
export function runPath(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/');
}
