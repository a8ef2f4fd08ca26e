/** The fixes of the daemon's own settings: which of them a host lacks. */

import { flagged, isOn } from '../../../../core/domain/dockerd/options.ts';
import { fieldsOf, isObject } from '../../../../core/domain/json.ts';
import { type DaemonSettings, settingNow } from '../../../../core/domain/plan/daemon-settings.ts';
import type { DaemonView } from '../../../../core/domain/plan/daemon-view.ts';
import type { FixName } from '../fix-names.ts';

export type HardenedDaemon = {
  /** Only what has to change: a setting that is right already stays as the host has it. */
  readonly settings: DaemonSettings;
  readonly liveRestore?: true;
  /** Notes for users. */
  readonly notes: readonly string[];
};

/** `name=value` of the default limits of containers: what most services need, and no host runs dry of. */
const OPEN_FILES = 64_000;

/** The fixes that are settings of dockerd. */
const DAEMON_FIXES: readonly FixName[] = [
  'icc',
  'log-level',
  'iptables',
  'no-new-privileges',
  'live-restore',
  'userland-proxy',
  'userns-remap',
  'log-limits',
  'default-ulimits',
  'experimental',
];

/** Where no dockerd serves the API. */
export function leaveDaemon(fixes: ReadonlySet<FixName>): HardenedDaemon {
  const left = DAEMON_FIXES.filter((name) => fixes.has(name));
  const notes =
    left.length === 0 ? [] : [`${left.join(', ')}: of dockerd, which does not serve the API here; left out`];
  return { settings: {}, notes };
}

/** What the fixes make of the settings. */
export function hardenDaemon(
  fixes: ReadonlySet<FixName>,
  view: DaemonView,
  host: {
    readonly swarm: boolean;
    /** What dockerd may have itself. */
    readonly openFiles: number | undefined;
    /** What containers are given now, which they may raise up to the other. */
    readonly softOpenFiles?: number | undefined;
  },
): HardenedDaemon {
  const settings: Record<string, unknown> = {};
  const notes: string[] = [];
  let liveRestore: true | undefined;
  if (fixes.has('icc') && isOn(view, 'icc', true)) settings.icc = false;
  if (fixes.has('log-level')) {
    if (isOn(view, 'debug', false)) settings.debug = undefined;
    const level = settingNow(view, 'log-level');
    if (level !== undefined && level !== 'info') settings['log-level'] = 'info';
  }
  if (fixes.has('iptables') && !isOn(view, 'iptables', true)) settings.iptables = undefined;
  if (fixes.has('no-new-privileges') && !isOn(view, 'no-new-privileges', false)) settings['no-new-privileges'] = true;
  if (fixes.has('userland-proxy') && isOn(view, 'userland-proxy', true)) settings['userland-proxy'] = false;
  if (fixes.has('userns-remap') && !settingNow(view, 'userns-remap')) {
    // By default dockerd leaves that store by itself, asked for by name it refuses to start (moby: setPlatformOptions).
    if (hasSnapshotter(view))
      notes.push('userns-remap: dockerd does not start with it while features.containerd-snapshotter is set to true');
    else settings['userns-remap'] = 'default';
  }
  if (fixes.has('experimental') && isOn(view, 'experimental', false)) settings.experimental = undefined;
  if (fixes.has('log-limits')) Object.assign(settings, logLimits(view));
  if (fixes.has('default-ulimits') && isEmpty(settingNow(view, 'default-ulimits'))) {
    // A daemon that may not raise limits (in a container itself) could start no container with more than it has.
    const most = Math.min(OPEN_FILES, host.openFiles ?? OPEN_FILES);
    // Docker 29 and what comes with it give containers 1024: a limit is no reason to raise that.
    const soft = Math.min(most, host.softOpenFiles ?? most);
    settings['default-ulimits'] = { nofile: { Name: 'nofile', Hard: most, Soft: soft } };
  }
  if (fixes.has('live-restore')) {
    if (host.swarm) notes.push('live-restore: not possible in swarm mode');
    else if (!isOn(view, 'live-restore', false)) {
      if (flagged(view, 'live-restore').length > 0) settings['live-restore'] = true;
      else liveRestore = true;
    }
  }
  return { settings, liveRestore, notes };
}

/** The image store of containerd is asked for by name. */
function hasSnapshotter(view: DaemonView): boolean {
  const features = settingNow(view, 'features');
  return isObject(features)
    ? features['containerd-snapshotter'] === true
    : /(^|,)containerd-snapshotter(=(1|t|true))?($|,)/i.test(String(features ?? ''));
}

/** json-file is the only driver that knows no limit by itself (Docker docs, "Configure logging drivers"). */
function logLimits(view: DaemonView): DaemonSettings {
  if ((settingNow(view, 'log-driver') ?? 'json-file') !== 'json-file') return {};
  const options = fieldsOf(settingNow(view, 'log-opts'));
  if (options['max-size'] !== undefined && options['max-size'] !== '-1') return {};
  return { 'log-opts': { ...options, 'max-size': '10m', 'max-file': options['max-file'] ?? '3' } };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
