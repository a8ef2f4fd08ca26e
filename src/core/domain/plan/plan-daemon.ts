/** Planned changes to dockerd: command line, variables, daemon.json, and restart. */

import { type Flag, renderCommandLine } from '../dockerd/command-line.ts';
import { editDaemonJson, parseDaemonJson } from '../dockerd/daemon-json.ts';
import { bracketed, type DropIn } from '../dockerd/drop-in.ts';
import { replaceValue } from '../dockerd/environment-file.ts';
import { renderUnitGuard } from '../dockerd/json-guard.ts';
import { LOOPBACK_DROP_IN, SERVER_FILES } from '../dockerd/paths.ts';
import { listWords } from '../words.ts';
import type { PlacedSettings } from './daemon-settings.ts';
import {
  type DaemonView,
  hasTlsInJson,
  isTlsFlag,
  type Listening,
  needsGuard,
  TLS_KEYS,
  tlsSettings,
  type VariableFlags,
} from './daemon-view.ts';
import type { DesiredHost } from './desired.ts';
import { fileText, type HostFacts } from './facts.ts';
import { edited, type FileChange } from './file-change.ts';
import { kindOf } from './host-kind.ts';
import { isListenerPath } from './listener.ts';
import { socketPorts } from './plain-tcp.ts';

/** Keys of daemon.json that dockerd reloads on SIGHUP (dockerd(8), "Configuration reload behavior"); others need a restart. */
const RELOADABLE = new Set(
  `debug labels live-restore max-concurrent-downloads max-concurrent-uploads max-download-attempts default-runtime
    runtimes authorization-plugins insecure-registries registry-mirrors shutdown-timeout features
    allow-nondistributable-artifacts`.split(/\s+/),
);

/** Our units, including the links that start them at boot. */
const OWN_UNIT = /\/docker-tls[a-z-]*(@[a-z0-9-]*)?\.(socket|service)$/;

export function isTlsPath(path: string, { places }: Pick<HostFacts, 'places'>, view: DaemonView): boolean {
  return (
    path.startsWith(`${places.tls}/`) ||
    (path.startsWith(`${places.units}/`) && OWN_UNIT.test(path)) ||
    path === places.listen ||
    (path.startsWith(`${places.dropIns}/`) && path !== LOOPBACK_DROP_IN) ||
    path === view.configFile ||
    view.environmentFiles.includes(path) ||
    path.startsWith('/etc/default/') ||
    path.startsWith('/etc/sysconfig/') ||
    path.startsWith('/etc/conf.d/')
  );
}

/** `listener`: another service accepts clients, so certificates and socket unit do not concern the daemon. */
export function isDaemonPath(path: string, facts: HostFacts, view: DaemonView, listener = false): boolean {
  if (listener && isListenerPath(path, facts.places)) return false;
  return isTlsPath(path, facts, view) || path === view.configName || path.includes(`/${kindOf(facts).service}`);
}

/** Holder of the port during a daemon restart. */
export function listeningOf(facts: HostFacts, view: DaemonView): Listening {
  const { own, asks } = kindOf(facts);
  if (own || view.listeners.some((listener) => listener.kind === 'fd')) return 'systemd';
  return asks && facts.holds ? 'firewall' : 'daemon';
}

/** Planned action on the daemon. */
export type DaemonChange = {
  /** `stop`: the daemon did not run before the first setup, and runs no containers now. */
  readonly action: 'none' | 'reload' | 'restart' | 'stop';
  readonly reason: string;
  /** docker.socket stops too. */
  readonly socket?: 'stop';
};

/** Inputs of the daemon's part of a plan. */
export type DaemonInput = {
  readonly facts: HostFacts;
  readonly view: DaemonView;
  readonly desired: DesiredHost;
  readonly placed: PlacedSettings;
  readonly listening: Listening;
};

/** `start`: words before the command; `hosts`: additional listen flags. */
export type UnitInput = DaemonInput & { readonly start?: readonly string[]; readonly hosts?: readonly string[] };

export function planDropIn(input: UnitInput): DropIn {
  const { facts, view, listening, start = [], hosts = [] } = input;
  const line = view.commandLine;
  if (line === undefined) return { execStart: '', sockets: [] };
  const isDropped = droppedBy(input, closedListeners(view, input.desired));
  const command = renderCommandLine(line, isDropped, [...hosts, ...ownFlags(input)]);
  const execStart = [...start, command].join(' ');
  const trust = tlsSettings(facts.places).tlscacert;
  const check = needsGuard(view, listening) ? renderUnitGuard(view.configName, trust) : undefined;
  if (listening !== 'systemd') return { execStart, sockets: [], check };
  // An unused docker.socket must not be started if the administrator has another socket unit: it would take /run/docker.sock.
  const { load, enabled } = facts.docker.socket;
  const { local, tls } = kindOf(facts).sockets;
  return { execStart, sockets: [...(load === 'loaded' && enabled !== 'disabled' ? [local] : []), tls], check };
}

/** Flags for mutual TLS; includes listen addresses unless systemd listens. */
export function ownFlags({ facts: { places }, view, desired, placed, listening }: DaemonInput): string[] {
  const ownHosts =
    listening !== 'systemd' && !view.listeners.some((listener) => listener.from === 'json')
      ? [
          // dockerd without -H listens on its unix socket; with any -H it needs that one too.
          ...(view.listeners.some((listener) => listener.kind === 'unix' || listener.kind === 'fd')
            ? []
            : ['-H', `unix://${places.localSocket}`]),
          ...tcpHosts(desired).flatMap((host) => ['-H', host]),
        ]
      : [];
  const { tlscacert, tlscert, tlskey } = tlsSettings(places);
  const tls = hasTlsInJson(view)
    ? []
    : ['--tlsverify', `--tlscacert=${tlscacert}`, `--tlscert=${tlscert}`, `--tlskey=${tlskey}`];
  return [...placed.added, ...ownHosts, ...tls];
}

function tcpHosts(desired: DesiredHost): string[] {
  return (desired.listen.length === 0 ? ['0.0.0.0'] : desired.listen).map(
    (address) => `tcp://${bracketed(address)}:${desired.port}`,
  );
}

/** TCP listeners to close: our own port, and every port that does not require a certificate. */
function closedListeners(view: DaemonView, desired: DesiredHost): DaemonView['listeners'] {
  return view.listeners.filter(
    (listener) => listener.kind === 'tcp' && (listener.port === desired.port || !view.tlsVerified),
  );
}

/** Warnings for TCP ports of other socket units that are open to every client: `--tlsverify` applies to every socket from systemd. */
function socketWarnings(facts: HostFacts, view: DaemonView): string[] {
  if (!view.listeners.some((listener) => listener.kind === 'fd') || isVerified(facts, view)) return [];
  return socketPorts(facts).map(
    ({ address, unit }) =>
      `${address} of ${unit} rejects connections without a certificate: clients that use it without TLS no longer work`,
  );
}

/** Client certificates are already required, by the administrator's settings or ours. */
function isVerified(facts: HostFacts, view: DaemonView): boolean {
  return view.tlsVerified || view.ownJson || facts.docker.cmdline.includes('--tlsverify');
}

/** Warnings about current settings that the new ones replace. */
export function replacedWarnings(facts: HostFacts, view: DaemonView, desired: DesiredHost): string[] {
  const warnings: string[] = [];
  const closed = closedListeners(view, desired);
  for (const listener of closed) {
    if (view.tlsVerified) warnings.push(`${listener.text} is replaced by port ${desired.port} of docker-tls`);
    else
      warnings.push(
        `${listener.text} is closed: it answers every client, without TLS; clients that still use it need the new address`,
      );
  }
  warnings.push(...socketWarnings(facts, view));
  if (view.flags.some(isTlsFlag) || (!view.ownJson && TLS_KEYS.some((key) => key in view.json.values))) {
    warnings.push('the TLS settings that the daemon has now are replaced; `remove` brings them back');
  }
  return warnings;
}

/** Flags to remove from a variable. */
export function droppedFlags(input: DaemonInput, variable: VariableFlags): readonly Flag[] {
  const closed = closedListeners(input.view, input.desired).filter((listener) => listener.from === 'variable');
  return variable.flags.filter(droppedBy(input, closed));
}

/** Matches flags that ours replace, and those that name a closed listener. */
function droppedBy({ placed }: DaemonInput, closed: DaemonView['listeners']): (flag: Flag) => boolean {
  const texts = new Set(closed.map((listener) => listener.text));
  return (flag) =>
    isTlsFlag(flag) || placed.dropped.has(flag.name) || (flag.name === '--host' && texts.has(flag.value ?? ''));
}

/** The remaining flags, unchanged. */
export function keptWords(variable: VariableFlags, dropped: readonly Flag[]): string {
  const kept = variable.flags.filter((flag) => !dropped.includes(flag));
  return kept.flatMap((flag) => flag.words.map((word) => word.raw)).join(' ');
}

export function planVariables(input: DaemonInput): FileChange[] {
  const { facts, view } = input;
  const managed = new Set((facts.state?.managed ?? []).map((item) => item.path));
  return view.variables.flatMap((variable) => {
    const bad = droppedFlags(input, variable);
    const before = variable.file === undefined ? undefined : fileText(facts, variable.file);
    if (variable.file === undefined || before === undefined) return [];
    if (bad.length === 0) {
      // Keeps flags removed that an earlier change removed.
      return managed.has(variable.file) ? [edited(facts, variable.file, before)] : [];
    }
    const after = replaceValue(before, variable, keptWords(variable, bad));
    return [edited(facts, variable.file, after)];
  });
}

export function planDaemonJson({ facts, view, desired, placed, listening }: DaemonInput): {
  readonly change?: FileChange;
  readonly after: string | undefined;
} {
  const path = view.configFile;
  const before = fileText(facts, path);
  if (!kindOf(facts).engine.configurable) return { after: before };
  const changes: Record<string, unknown> = {};
  const listener = desired.listener !== undefined;
  // With another listener, the administrator's own TLS settings and hosts come back.
  const origin = parseDaemonJson(facts.origin.get(path)?.content).values;
  const tls: Readonly<Record<string, unknown>> = listener
    ? origin
    : hasTlsInJson(view)
      ? tlsSettings(facts.places)
      : {};
  const restored = listener ? (view.ownJson ? [...TLS_KEYS, 'hosts'] : []) : TLS_KEYS;
  for (const key of restored)
    if (JSON.stringify(view.json.values[key]) !== JSON.stringify(tls[key])) changes[key] = tls[key];
  if (!listener && view.listeners.some((one) => one.from === 'json')) {
    const closed = new Set(closedListeners(view, desired).map((listener) => listener.text));
    const hosts = view.listeners
      .filter((listener) => listener.from === 'json' && !closed.has(listener.text))
      .map((listener) => listener.text);
    const wanted =
      listening !== 'systemd'
        ? [...hosts.filter((host) => !tcpHosts(desired).includes(host)), ...tcpHosts(desired)]
        : hosts;
    // Without a unix socket, or with an empty list, `docker ps` on the host would fail.
    const local = wanted.some((host) => host.startsWith('fd://') || host.startsWith('unix://'))
      ? []
      : [`unix://${facts.places.localSocket}`];
    const next = [...local, ...wanted];
    if (JSON.stringify(next) !== JSON.stringify(view.json.values.hosts)) changes.hosts = next;
  }
  if (desired.liveRestore !== undefined && view.json.values['live-restore'] !== desired.liveRestore)
    changes['live-restore'] = desired.liveRestore;
  for (const [key, value] of Object.entries(placed.json)) {
    if (JSON.stringify(view.json.values[key]) !== JSON.stringify(value)) changes[key] = value;
  }
  if (Object.keys(changes).length === 0) return { after: before };
  const after = editDaemonJson(before, changes);
  return { change: edited(facts, path, after), after };
}

export function planDaemon(
  { facts, view, desired }: DaemonInput,
  files: readonly FileChange[],
  credentials: { reason: string } | undefined,
  jsonAfter: string | undefined,
): DaemonChange {
  const { engine, sockets, start } = kindOf(facts);
  const restart = (reason: string) => ({ action: 'restart', reason }) as const;
  const listener = desired.listener !== undefined;
  if (credentials && !listener)
    return restart(`${credentials.reason} (${engine.program} reads TLS files only when it starts)`);
  const touched = files.filter(
    (change) =>
      isDaemonPath(change.path, facts, view, listener) &&
      change.kind !== 'attributes' &&
      !isSameText(change, fileText(facts, change.path)),
  );
  const others = touched.filter((change) => change.path !== view.configFile);
  if (others.length > 0) return restart(start);
  if (facts.docker.unit.active !== 'active') return restart('it is not running');
  if (touched.length > 0) {
    const keys = changedKeys(fileText(facts, view.configFile), jsonAfter);
    if (keys.every((key) => RELOADABLE.has(key)))
      return { action: 'reload', reason: `${keys.join(', ')} take effect without a restart` };
    const fixed = keys.filter((key) => !RELOADABLE.has(key));
    return restart(`${listWords(fixed)} ${fixed.length > 1 ? 'are' : 'is'} read only when it starts`);
  }
  const { cmdline, edited: editedSince } = facts.docker;
  const trust = `${engine.trust}=${facts.places.current}/${SERVER_FILES.ca}`;
  // The command line does not show settings of daemon.json. The daemon that a change starts is newer than the daemon.json of that change.
  if (listener)
    return cmdline.includes(trust)
      ? restart('it still accepts TLS clients itself')
      : { action: 'none', reason: 'nothing changes for it' };
  if (hasTlsInJson(view) ? editedSince?.includes(view.configName) : cmdline.length > 1 && !cmdline.includes(trust))
    return restart('it runs without the configuration that is on the host');
  if (listeningOf(facts, view) === 'systemd' && facts.docker.tlsSocket.active !== 'active')
    return restart(`${sockets.tls} does not listen on port ${desired.port}`);
  return { action: 'none', reason: 'nothing changes for it' };
}

function changedKeys(before: string | undefined, after: string | undefined): string[] {
  const [old, next] = [parseDaemonJson(before).values, parseDaemonJson(after).values];
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].filter(
    (key) => JSON.stringify(old[key]) !== JSON.stringify(next[key]),
  );
}

/** Only mode or owner changes. */
function isSameText(change: FileChange, now: string | undefined): boolean {
  return change.kind === 'file' && change.after === now;
}
