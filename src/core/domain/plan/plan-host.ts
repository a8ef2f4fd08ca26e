/** Plan of one host: the changes, as serializable data without secrets. */

import { certificateIds, sameIds } from '../trust/ca-id.ts';
import type { KindName } from './by-kind.ts';
import { partWarnings, reloadsFor } from './change-parts.ts';
import { bridgeWarnings, type ContainerPlan, mountedSocketWarnings, planContainers } from './container-effects.ts';
import { DAEMON_FILES } from './daemon-files.ts';
import { placeSettings } from './daemon-settings.ts';
import { type Listening, viewDaemon } from './daemon-view.ts';
import type { DesiredCredentials, DesiredHost } from './desired.ts';
import { fileText, type HostFacts, installedCredentials } from './facts.ts';
import {
  bySnapshot,
  differs,
  type FileChange,
  foldAttributes,
  isFileKind,
  link,
  type Reload,
  withBefore,
  withDrift,
} from './file-change.ts';
import { kindOf } from './host-kind.ts';
import { settingsNow } from './host-state.ts';
import { hasListener, type ListenerPlan, NO_LISTENER } from './listener.ts';
import { plainTcpAfter } from './plain-tcp.ts';
import {
  type DaemonChange,
  isTlsPath,
  listeningOf,
  planDaemon,
  planDaemonJson,
  replacedWarnings,
} from './plan-daemon.ts';
import { daemonWarnings, earlierChange, networkWarnings } from './plan-warnings.ts';

export type HostPlan = {
  readonly host: string;
  /** Service manager or engine on the host. */
  readonly kind: KindName;
  readonly purpose: 'apply' | 'rollback' | 'remove';
  /** Generation that the change creates; `none` if the host is restored. */
  readonly generation: number | 'none';
  /** Rollback only: the generation to restore. */
  readonly returnsTo?: number;
  readonly port: number;
  /** The port that the host's records have, if it is another one. */
  readonly formerPort?: number | undefined;
  readonly listening: Listening | 'none';
  /** New credentials for the host. */
  readonly credentials?: DesiredCredentials & { readonly reason: string };
  readonly files: readonly FileChange[];
  /** All managed paths after the change, in order. */
  readonly managed: readonly { readonly kind: string; readonly path: string }[];
  readonly daemon: DaemonChange;
  /** The service that accepts clients in front of the daemon. */
  readonly listener: ListenerPlan;
  /** Further services that get new settings. */
  readonly reloads: readonly Reload[];
  readonly containers: ContainerPlan;
  /** The daemon's configuration file, and its text before and after. */
  readonly daemonJson: { readonly path: string; readonly before?: string; readonly after?: string };
  /** TCP addresses that accept every client without a certificate after the change. */
  readonly opens: readonly string[];
  /** Side effects of hardening for users of the host. */
  readonly costs: readonly string[];
  /** Skipped fixes that would change the host. */
  readonly unmade?: readonly string[] | undefined;
  readonly warnings: readonly string[];
};

/** Whether the plan changes anything. */
export function hasChanges(plan: HostPlan): boolean {
  return (
    plan.files.length > 0 ||
    plan.credentials !== undefined ||
    plan.daemon.action !== 'none' ||
    plan.listener.action !== 'none'
  );
}

/** Plan to bring a host to the desired state. Pure; `preflight` finds obstacles. */
export function planHost(facts: HostFacts, wantedHost: DesiredHost): HostPlan {
  const desired = forEngine(facts, wantedHost);
  const view = viewDaemon(facts);
  const { current } = facts.places;
  const generation = nextGeneration(facts);
  const { listener } = desired;
  const listening = listener === undefined ? listeningOf(facts, view) : 'systemd';
  const placed = placeSettings(view, desired.daemonSettings ?? {});
  const input = { facts, view, desired, placed, listening };
  const json = planDaemonJson(input);
  const ofKind = DAEMON_FILES.of(kindOf(facts).name);
  const everything: FileChange[] = [
    ...(ofKind.always?.(facts) ?? []),
    link(current, `${generation}`),
    ...(listener === undefined
      ? ofKind.of({ ...input, json })
      : [...listener.files, ...(ofKind.behind?.(facts, listener) ?? []), ...(json.change ? [json.change] : [])]),
    ...(desired.extras ?? []),
  ];
  // Snapshot files that a plan may edit as a whole; otherwise `remove` would restore only their attributes.
  const editable = new Set([view.configFile, ...view.variables.flatMap((variable) => variable.file ?? [])]);
  const wanted = foldAttributes(everything, editable, facts);
  const managedBefore = facts.state?.managed ?? [];
  const kept = new Set(wanted.map((change) => change.path));
  const hardening = ({ kind, path }: { kind: string; path: string }): boolean =>
    !isFileKind(kind) || !isTlsPath(path, facts, view);
  const returned = managedBefore
    .filter((item) => !kept.has(item.path) && item.path !== view.configFile && !hardening(item))
    .map(({ path }) => bySnapshot(facts.origin.get(path), path));
  const files = [...returned, ...wanted]
    .filter((change) => change.path !== current && differs(change, facts))
    .map((change) => withDrift(change, facts));
  // Once the files of docker-tls are active, nothing is left to replace.
  const replaces = listener === undefined && (facts.state === undefined || files.length > 0);
  const warnings = replaces ? replacedWarnings(facts, view, desired) : [];
  const reason =
    whyCredentials(facts, desired.credentials) ??
    (listener !== undefined && !hasListener(facts) ? `${listener.title} needs them in a form of its own` : undefined);
  const credentials = reason === undefined ? undefined : { reason, ...desired.credentials };
  const daemon = planDaemon(input, files, credentials, json.after);
  const { trust } = desired.credentials;
  const front = listener?.plan({ files, credentials, trust, generation }) ?? withoutListener(facts);
  const containers = planContainers(facts, view, desired.containers, daemon.action, desired.liveRestore, json.after);
  const busy = files.length > 0 || credentials !== undefined || daemon.action !== 'none' || front.action !== 'none';
  return {
    host: desired.name,
    kind: kindOf(facts).name,
    purpose: 'apply',
    generation: busy ? generation : (facts.state?.generation ?? generation),
    port: desired.port,
    formerPort: formerPort(facts, desired.port),
    listening,
    credentials,
    files: busy ? [link(current, `${generation}`), ...files].map((change) => withBefore(change, facts)) : [],
    managed: mergeManaged(
      managedBefore.filter((item) => hardening(item) || item.path === view.configFile),
      wanted,
    ),
    daemon,
    listener: front,
    reloads: reloadsFor(files).filter((title) => desired.reloads?.includes(title)),
    containers,
    daemonJson: { path: view.configFile, before: fileText(facts, view.configFile), after: json.after },
    // Without TLS of dockerd, ports that it had before may accept every client.
    opens: listener === undefined ? [] : plainTcpAfter(facts, files),
    costs: busy ? (desired.costs ?? []) : [],
    unmade: desired.unmade,
    warnings: [
      ...earlierChange(facts),
      ...warnings,
      ...daemonWarnings(facts, listening, daemon.action),
      ...mountedSocketWarnings(facts, view, daemon.action),
      ...partWarnings(facts, files),
      ...bridgeWarnings(desired.daemonSettings, containers),
      ...networkWarnings(facts, desired, daemon.action),
      ...(listener === undefined ? [] : [...placed.dropped]).map(
        (flag) => `${flag}: a flag of dockerd, and this listener leaves those alone; change it yourself`,
      ),
      ...placed.stuck.map((key) => `${key}: its flag is in a variable of the unit itself; take it out there`),
      ...(desired.notes ?? []),
      ...front.inactive.map(({ warning }) => warning),
    ],
  };
}

function withoutListener(facts: HostFacts): ListenerPlan {
  if (!hasListener(facts)) return NO_LISTENER;
  return { ...NO_LISTENER, action: 'stop', reason: 'the daemon itself accepts clients again' };
}

function formerPort({ state }: HostFacts, port: number): number | undefined {
  const before = settingsNow(state)?.port;
  return before === port ? undefined : before;
}

/** Without dockerd's own settings if another program serves the API. */
function forEngine(facts: HostFacts, desired: DesiredHost): DesiredHost {
  if (kindOf(facts).engine.configurable) return desired;
  const { liveRestore, daemonSettings, notes = [], ...rest } = desired;
  const left = liveRestore === true ? ['live-restore: of dockerd, which does not serve the API here; left out'] : [];
  return { ...rest, notes: [...notes, ...left] };
}

/** One more than the highest generation that the host has had. */
export function nextGeneration(facts: HostFacts): number {
  const numbers = [facts.state?.generation ?? 0, ...facts.generations.keys()];
  for (const directory of facts.directories.keys()) {
    const number = directory.startsWith(`${facts.places.tls}/`) ? directory.slice(facts.places.tls.length + 1) : '';
    if (/^\d+$/.test(number)) numbers.push(Number(number));
  }
  return Math.max(...numbers) + 1;
}

/** Reason to send credentials; undefined: the host has the desired ones. */
function whyCredentials(facts: HostFacts, { certificate, trust }: DesiredCredentials): string | undefined {
  const installed = installedCredentials(facts);
  if (installed === undefined) return 'the host has no certificate of docker-tls yet';
  // Deleted by hand: without the records the host cannot be restored.
  if (facts.state === undefined) return `the host's own records (${facts.places.state}) are gone`;
  const [leaf, ...chain] = certificateIds(installed.cert);
  if (!('keep' in certificate) || certificate.keep[0] !== leaf) return 'a new server certificate';
  if (!sameIds(certificate.keep.slice(1), chain)) return 'another chain of the server certificate';
  if (!sameIds(trust, certificateIds(installed.ca))) return 'the accepted clients change';
  if (facts.serverKey !== '400 0:0') return "the key on the host is not root's alone";
  const link = facts.files.get(facts.places.current);
  if (link?.kind === 'link' && facts.directories.get(`${facts.places.tls}/${link.to}`) !== '700 0:0')
    return 'the directory of the key is open to others';
  return undefined;
}

function mergeManaged(
  before: readonly { kind: string; path: string }[],
  wanted: readonly FileChange[],
): { kind: string; path: string }[] {
  const all = new Map(before.map((item) => [item.path, item.kind]));
  for (const change of wanted) {
    // A whole-file entry stays one.
    if (change.kind === 'attributes' && all.get(change.path) === 'file') continue;
    all.set(change.path, change.kind);
  }
  return [...all].map(([path, kind]) => ({ kind, path }));
}
