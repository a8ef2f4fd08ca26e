/** Owns the plan of one host: what would change, as data that prints and serialises as it is and holds no secret. */

import { dirname, resolve } from 'node:path/posix';
import { dropInName, renderDropIn, renderSocketUnit } from '../dockerd/drop-in.ts';
import {
  CURRENT_LINK,
  DROP_IN_DIRECTORY,
  SOCKET_PATH,
  SOCKET_UNIT,
  SOCKET_WANTS,
  STATE,
  TLS_DIRECTORY,
} from '../dockerd/paths.ts';
import { certificateIds, sameIds } from '../trust/ca-id.ts';
import { bridgeWarnings, type ContainerPlan, mountedSocketWarnings, planContainers } from './containers.ts';
import { placeSettings } from './daemon-settings.ts';
import { viewDaemon } from './daemon-view.ts';
import type { DesiredCredentials, DesiredHost } from './desired.ts';
import { fileText, type HostFacts, hasDocker, installedCredentials, type SnapshotEntry } from './facts.ts';
import { bySnapshot, type FileChange, foldAttributes, link, planFile, text, WITHOUT_FILE } from './file-change.ts';
import { judgeFirewall } from './firewall.ts';
import type { PathState } from './host-files.ts';
import { plainTcpAfter, plainTcpWarnings } from './plain-tcp.ts';
import { isDaemonPath, isTlsPath, planDaemon, planDaemonJson, planDropIn, planVariables } from './plan-daemon.ts';

export type HostPlan = {
  readonly host: string;
  readonly purpose: 'apply' | 'rollback' | 'remove';
  /** The generation that the change makes; `none` when the host is restored. */
  readonly generation: number | 'none';
  /** For a rollback: the generation whose state comes back. */
  readonly returnsTo?: number;
  readonly port: number;
  /** `systemd`: our socket unit holds the port, clients wait through a restart; `daemon`: dockerd opens it, clients are refused for a moment. */
  readonly listening: 'systemd' | 'daemon' | 'none';
  /** New credentials are put on the host. */
  readonly credentials?: DesiredCredentials & { readonly reason: string };
  readonly files: readonly FileChange[];
  /** Every path under our care afterwards, in order. */
  readonly managed: readonly { readonly kind: string; readonly path: string }[];
  /** `stop`: it was not running before the first setup, and nothing runs in it now. */
  readonly daemon: { readonly action: 'none' | 'reload' | 'restart' | 'stop'; readonly reason: string };
  readonly sshd: 'none' | 'reload';
  readonly audit: 'none' | 'load';
  readonly containers: ContainerPlan;
  /** The daemon's configuration file, and its text before and after. */
  readonly daemonJson: { readonly path: string; readonly before?: string; readonly after?: string };
  /** TCP addresses that accept every client without a certificate from then on. */
  readonly opens: readonly string[];
  /** What hardening costs whoever uses the host. */
  readonly costs: readonly string[];
  readonly warnings: readonly string[];
};

/** Files after which audit rules are loaded anew. */
const AUDIT_FILES = /^\/etc\/(audit|tmpfiles\.d)\//;

/** Whether there is anything to do. */
export function hasChanges(plan: HostPlan): boolean {
  return plan.files.length > 0 || plan.credentials !== undefined || plan.daemon.action !== 'none';
}

/** The plan that brings a host to the desired state. Pure; what stands against it is found by `preflight`. */
export function planHost(facts: HostFacts, desired: DesiredHost): HostPlan {
  const view = viewDaemon(facts);
  const generation = nextGeneration(facts);
  const warnings: string[] = [];
  const listening = view.listeners.some((listener) => listener.kind === 'fd') ? 'systemd' : 'daemon';
  const placed = placeSettings(view, desired.daemonSettings ?? {});
  const json = planDaemonJson(facts, view, desired, listening, placed);
  const dropInPath = `${DROP_IN_DIRECTORY}/${dropInName(view.otherDropIns)}`;
  const everything: FileChange[] = [
    link(CURRENT_LINK, `${generation}`),
    ...(listening === 'systemd'
      ? [
          text(SOCKET_PATH, renderSocketUnit(desired.listen, desired.port, dropInPath)),
          link(SOCKET_WANTS, `../${SOCKET_UNIT}`),
        ]
      : []),
    ...planVariables(facts, view, desired, placed, warnings),
    ...(json.change ? [json.change] : []),
    text(dropInPath, renderDropIn(planDropIn(facts, view, desired, placed, listening))),
    ...(desired.extras ?? []).map((extra) => planFile(extra, facts)),
  ];
  // Files that a plan may edit are kept whole, or `remove` would bring back only their attributes.
  const editable = new Set([view.configFile, ...view.variables.flatMap((variable) => variable.file ?? [])]);
  const wanted = foldAttributes(everything, editable, facts);
  const managedBefore = facts.state?.managed ?? [];
  const kept = new Set(wanted.map((change) => change.path));
  const hardening = ({ kind, path }: { kind: string; path: string }): boolean =>
    WITHOUT_FILE.includes(kind) || !isTlsPath(path, view);
  const returned = managedBefore
    .filter((item) => !kept.has(item.path) && item.path !== view.configFile && !hardening(item))
    .map(({ path }) => bySnapshot(facts.origin.get(path), path));
  const files = [...returned, ...wanted]
    .filter((change) => change.path !== CURRENT_LINK && differs(change, facts))
    .map((change) => withDrift(change, facts));
  const reason = whyCredentials(facts, desired.credentials);
  const credentials = reason === undefined ? undefined : { reason, ...desired.credentials };
  const daemon = planDaemon(facts, view, desired, files, credentials, json.after);
  const containers = planContainers(facts, view, desired.containers, daemon.action, desired.liveRestore, json.after);
  const busy = files.length > 0 || credentials !== undefined || daemon.action !== 'none';
  return {
    host: desired.name,
    purpose: 'apply',
    generation: busy ? generation : (facts.state?.generation ?? generation),
    port: desired.port,
    listening,
    ...(credentials ? { credentials } : {}),
    files: busy ? [link(CURRENT_LINK, `${generation}`), ...files].map((change) => withBefore(change, facts)) : [],
    managed: mergeManaged(
      managedBefore.filter((item) => hardening(item) || item.path === view.configFile),
      wanted,
    ),
    daemon,
    sshd: desired.reloadSshd && files.some((change) => change.path.startsWith('/etc/ssh/')) ? 'reload' : 'none',
    audit: desired.loadAuditRules && files.some((change) => AUDIT_FILES.test(change.path)) ? 'load' : 'none',
    containers,
    daemonJson: { path: view.configFile, before: fileText(facts, view.configFile), after: json.after },
    opens: [],
    costs: busy ? (desired.costs ?? []) : [],
    warnings: [
      ...warnings,
      ...daemonWarnings(facts, listening, daemon.action),
      ...mountedSocketWarnings(facts, view, daemon.action),
      ...bridgeWarnings(desired.daemonSettings, containers),
      ...rootlessWarnings(facts),
      ...firewallWarnings(facts, desired.port, daemon.action),
      ...listenWarnings(facts, desired.listen, daemon.action),
      ...placed.stuck.map((key) => `${key}: its flag stands in a variable of the unit itself; take it out there`),
      ...(desired.notes ?? []),
    ],
  };
}

/** The plan that puts a host back to a generation that it keeps, or, with `none`, to what it was before the first setup. */
export function planRestore(
  facts: HostFacts,
  target: number | 'none',
  desired: Pick<DesiredHost, 'name' | 'port' | 'containers'>,
): HostPlan {
  const view = viewDaemon(facts);
  const snapshot =
    target === 'none' ? facts.origin : (facts.generations.get(target) ?? new Map<string, SnapshotEntry>());
  const managed = facts.state?.managed ?? [];
  const state = (path: string): SnapshotEntry | undefined => snapshot.get(path) ?? facts.origin.get(path);
  const files = managed
    .map(({ path }) => bySnapshot(state(path), path))
    .filter((change) => differs(change, facts))
    .map((change) => withBefore(withDrift(change, facts), facts));
  const opens = target === 'none' ? plainTcpAfter(facts, files) : [];
  const after = (path: string, links = 8): string | undefined => {
    const entry = managed.some((item) => item.path === path) ? state(path) : undefined;
    if (entry?.kind === 'link' && links > 0) return after(resolve(dirname(path), entry.to ?? ''), links - 1);
    return entry ? (entry.kind === 'file' ? entry.content : undefined) : fileText(facts, path);
  };
  // Where somebody has put a link in the place of a file of ours, it is that place which comes back.
  const configFile = managed.some(({ path }) => path === view.configName) ? view.configName : view.configFile;
  const daemon = restoredDaemon(
    facts,
    target,
    files.some((change) => isDaemonPath(change.path, view)),
  );
  return {
    host: desired.name,
    purpose: target === 'none' ? 'remove' : 'rollback',
    generation: target === 'none' ? 'none' : nextGeneration(facts),
    ...(target === 'none' ? {} : { returnsTo: target }),
    port: desired.port,
    listening: after(SOCKET_PATH) !== undefined ? 'systemd' : target === 'none' ? 'none' : 'daemon',
    files,
    managed: target === 'none' ? [] : managed,
    daemon,
    sshd: files.some((change) => change.path.startsWith('/etc/ssh/')) ? 'reload' : 'none',
    audit: files.some((change) => AUDIT_FILES.test(change.path)) ? 'load' : 'none',
    containers: planContainers(facts, view, desired.containers, daemon.action, undefined, after(configFile)),
    daemonJson: { path: configFile, before: fileText(facts, configFile), after: after(configFile) },
    opens,
    costs: [],
    warnings: [
      ...plainTcpWarnings(opens),
      ...mountedSocketWarnings(facts, view, daemon.action),
      ...(target === 'none' && wasStopped(facts) && daemon.action !== 'stop'
        ? ['docker.service was not running before the first setup; it stays up now, for the containers in it']
        : []),
    ],
  };
}

/** Before our first change nobody had started the daemon. */
function wasStopped(facts: HostFacts): boolean {
  return facts.origin.get('docker.service')?.mode === 'inactive';
}

function restoredDaemon(facts: HostFacts, target: number | 'none', touched: boolean): HostPlan['daemon'] {
  if (target !== 'none') return { action: touched ? 'restart' : 'none', reason: `generation ${target} comes back` };
  const { unit, answers, listsContainers, containers } = facts.docker;
  const idle = unit.active !== 'active' || (answers && listsContainers && containers.length === 0);
  if (wasStopped(facts) && idle) return { action: 'stop', reason: 'it was not running before the first setup' };
  // One that runs on all the same (its program deleted, or not where this login looks) has containers: that is not for us to stop.
  if (!hasDocker(facts) && unit.active !== 'active')
    return { action: 'stop', reason: 'Docker is not installed any more' };
  return { action: touched ? 'restart' : 'none', reason: 'the daemon goes back to its own configuration' };
}

/** One more than every generation that the host has had. */
export function nextGeneration(facts: HostFacts): number {
  const numbers = [facts.state?.generation ?? 0, ...facts.generations.keys()];
  for (const directory of facts.directories.keys()) {
    const number = new RegExp(`^${TLS_DIRECTORY}/(\\d+)$`).exec(directory)?.[1];
    if (number !== undefined) numbers.push(Number(number));
  }
  return Math.max(...numbers) + 1;
}

/** Why the host gets credentials; undefined: it has those that it should have. */
function whyCredentials(facts: HostFacts, { certificate, trust }: DesiredCredentials): string | undefined {
  const installed = installedCredentials(facts);
  if (installed === undefined) return 'the host has no certificate of ours yet';
  // Deleted by hand: without them nobody can give the host back.
  if (facts.state === undefined) return `the host's own records (${STATE}) are gone`;
  const [leaf, ...chain] = certificateIds(installed.cert);
  if (!('keep' in certificate) || certificate.keep[0] !== leaf) return 'a new server certificate';
  if (!sameIds(certificate.keep.slice(1), chain)) return 'another chain of the server certificate';
  if (!sameIds(trust, certificateIds(installed.ca))) return 'other clients are accepted';
  if (facts.serverKey !== '400 0:0') return "the key on the host is not root's alone";
  const link = facts.files.get(CURRENT_LINK);
  if (link?.kind === 'link' && facts.directories.get(`${TLS_DIRECTORY}/${link.to}`) !== '700 0:0')
    return 'the directory of the key is open to others';
  return undefined;
}

function daemonWarnings(facts: HostFacts, listening: 'systemd' | 'daemon', action: string): string[] {
  if (facts.docker.unit.active !== 'active') return ['docker.service is not running now and will be started'];
  if (action !== 'restart') return [];
  const managed = new Set((facts.state?.managed ?? []).map(({ path }) => path));
  return [
    ...(listening === 'daemon'
      ? [
          'the daemon opens its port itself (its unit has no `-H fd://`): during its restart new connections are refused for about a second',
        ]
      : []),
    ...facts.docker.edited
      .filter((path) => !managed.has(path))
      .map((path) => `${path} was edited after the daemon had started: what it says comes into force with the restart`),
  ];
}

/** An address that comes later, a VPN's, is what FreeBind is for; a slip of the hand looks the same, and nobody would get in. */
function listenWarnings(facts: HostFacts, listen: readonly string[], action: string): string[] {
  if (action !== 'restart') return [];
  const has = new Set(facts.addresses.map(({ address }) => address.toLowerCase()));
  return listen
    .filter((address) => !has.has(address.toLowerCase()) && !/^(0\.0\.0\.0|::|127\..*|::1|fe80:.*)$/i.test(address))
    .map((address) => `no interface of the host has the address ${address} now: nobody gets in there until one has`);
}

function firewallWarnings(facts: HostFacts, port: number, action: string): string[] {
  const { doubt } = judgeFirewall(facts.firewall, port);
  return action === 'restart' && doubt !== undefined
    ? [`${doubt.words}; if it does not answer: ${doubt.hints.join(', then ')}`]
    : [];
}

/** Rootless daemons of users are none of ours: found, named, left alone. */
function rootlessWarnings(facts: HostFacts): string[] {
  return facts.docker.rootless.map(
    ({ user, path }) =>
      `${user} has a rootless Docker of their own (${path}): it is not changed, and not protected by TLS`,
  );
}

function differs(change: FileChange, facts: HostFacts): boolean {
  const now = facts.files.get(change.path);
  switch (change.kind) {
    case 'absent':
      return now !== undefined && now.kind !== 'absent';
    case 'link':
      return !(now?.kind === 'link' && now.to === change.to);
    case 'file':
      return !(
        now?.kind === 'file' &&
        now.content === change.after &&
        now.mode === change.mode.replace(/^0+/, '') &&
        now.owner === change.owner
      );
    default:
      return change.pending;
  }
}

/** Marks a change of a file that is no longer what we had put there. */
function withDrift(change: FileChange, facts: HostFacts): FileChange {
  const generation = facts.state ? facts.generations.get(facts.state.generation) : undefined;
  const ours = generation?.get(change.path);
  const now: PathState | undefined = facts.files.get(change.path);
  if (ours === undefined || now === undefined) return change;
  const same =
    (ours.kind === 'absent' && now.kind === 'absent') ||
    (ours.kind === 'link' && now.kind === 'link' && now.to === ours.to) ||
    (ours.kind === 'file' && now.kind === 'file' && now.content === ours.content && now.mode === ours.mode);
  return same || WITHOUT_FILE.includes(change.kind) ? change : { ...change, drift: true };
}

function withBefore(change: FileChange, facts: HostFacts): FileChange {
  const now = facts.files.get(change.path);
  if (now?.kind === 'file') return { ...change, before: now.content };
  if (now?.kind === 'link') return { ...change, before: `-> ${now.to}` };
  return change;
}

function mergeManaged(
  before: readonly { kind: string; path: string }[],
  wanted: readonly FileChange[],
): { kind: string; path: string }[] {
  const all = new Map(before.map((item) => [item.path, item.kind]));
  for (const change of wanted) {
    // What is kept whole already stays so.
    if (change.kind === 'attributes' && all.get(change.path) === 'file') continue;
    all.set(change.path, change.kind);
  }
  return [...all].map(([path, kind]) => ({ kind, path }));
}
