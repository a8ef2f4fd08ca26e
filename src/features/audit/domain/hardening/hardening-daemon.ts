/** Fixes of the daemon's settings that a host lacks. */

import { flagged, isOn } from '../../../../core/domain/dockerd/daemon-options.ts';
import { fieldsOf, isObject } from '../../../../core/domain/json.ts';
import type { DaemonSettings } from '../../../../core/domain/plan/daemon-settings.ts';
import type { DaemonView } from '../../../../core/domain/plan/daemon-view.ts';
import type { FixName } from '../fix-names.ts';

export type HardenedDaemon = {
  /** Changed settings only: a correct one stays as written on the host. */
  readonly settings: DaemonSettings;
  readonly liveRestore?: true;
  /** Notes for users. */
  readonly notes: readonly string[];
};

/** Default limit of open files for containers: enough for most services, and safe for every host. */
const OPEN_FILES = 64_000;

/** Fixes that are dockerd settings. */
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

/** Result for hosts whose API is not served by dockerd. */
export function leaveDaemon(fixes: ReadonlySet<FixName>): HardenedDaemon {
  const left = DAEMON_FIXES.filter((name) => fixes.has(name));
  const notes =
    left.length === 0 ? [] : [`${left.join(', ')}: of dockerd, which does not serve the API here; left out`];
  return { settings: {}, notes };
}

/** Changes to the settings by these fixes. */
export function hardenDaemon(
  fixes: ReadonlySet<FixName>,
  view: DaemonView,
  host: {
    readonly swarm: boolean;
    /** dockerd's own limit. */
    readonly openFiles: number | undefined;
    /** Current soft limit of containers; they may raise it to the hard one. */
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
    // By default dockerd switches that store off itself; if configured, it refuses to start (moby: setPlatformOptions).
    if (hasSnapshotter(view))
      notes.push('userns-remap: dockerd does not start with it while features.containerd-snapshotter is set to true');
    else settings['userns-remap'] = 'default';
  }
  if (fixes.has('experimental') && isOn(view, 'experimental', false)) settings.experimental = undefined;
  if (fixes.has('log-limits')) Object.assign(settings, logLimits(view));
  if (fixes.has('default-ulimits') && isEmpty(settingNow(view, 'default-ulimits'))) {
    // A daemon that cannot raise limits (inside a container) could not start containers with more than its own.
    const most = Math.min(OPEN_FILES, host.openFiles ?? OPEN_FILES);
    // Docker 29 and its containerd give containers 1024: the fix must not raise it.
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

/** True if the configuration requests containerd's image store. */
function hasSnapshotter(view: DaemonView): boolean {
  const features = settingNow(view, 'features');
  return isObject(features)
    ? features['containerd-snapshotter'] === true
    : /(^|,)containerd-snapshotter(=(1|t|true))?($|,)/i.test(String(features ?? ''));
}

/** json-file is the only driver without a default limit (Docker docs, "Configure logging drivers"). */
function logLimits(view: DaemonView): DaemonSettings {
  if ((settingNow(view, 'log-driver') ?? 'json-file') !== 'json-file') return {};
  const options = fieldsOf(settingNow(view, 'log-opts'));
  if (options['max-size'] !== undefined && options['max-size'] !== '-1') return {};
  return { 'log-opts': { ...options, 'max-size': '10m', 'max-file': options['max-file'] ?? '3' } };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

/** The daemon's current setting, without our drop-in; lists of `key=value` become an object. Undefined: not set. */
function settingNow(view: DaemonView, key: string): unknown {
  const values = flagged(view, key);
  if (values.length === 0) return view.json.values[key];
  if (key === 'log-opts' || key === 'default-ulimits') {
    return Object.fromEntries(
      values.map((value) => [value.split('=')[0] ?? '', value.split('=').slice(1).join('=')] as const),
    );
  }
  return values.at(-1);
}
