/** The understanding of how a host's daemon is configured now, without what docker-tls itself has added. */

import {
  type Flag,
  flagValues,
  type Listener,
  parseFlags,
  parseListener,
  variableOf,
} from '../dockerd/command-line.ts';
import { parseDaemonJson } from '../dockerd/daemon-json.ts';
import { environmentValue } from '../dockerd/environment-file.ts';
import { tlsModeOf } from '../dockerd/options.ts';
import { type Places, SERVER_FILES } from '../dockerd/paths.ts';
import { splitWords } from '../dockerd/unit.ts';
import { listAt } from '../json.ts';
import { type PlacedVariable, readStart } from './daemon-start.ts';
import { fileText, type HostFacts, realPath } from './facts.ts';

/** Flags that come in through a variable such as `$DOCKER_OPTS`. */
export type VariableFlags = PlacedVariable & { readonly name: string; readonly flags: readonly Flag[] };

export type PlacedListener = Listener & { readonly from: 'flag' | 'variable' | 'json' };

/**
 * Who holds the port over a restart. `systemd`: our socket unit, clients wait; `firewall`: dockerd opens it, and a rule delays new connections
 * until it does so again; `daemon`: dockerd opens it, clients are refused for a moment.
 */
export type Listening = 'systemd' | 'firewall' | 'daemon';

export type DaemonView = ReturnType<typeof readView>;

/** Plan, preflight and transaction of a host ask for the same eight times. */
const views = new WeakMap<HostFacts, DaemonView>();

/** Reads the daemon's configuration from the facts; what could not be understood is undefined and found by the preflight. */
export function viewDaemon(facts: HostFacts): DaemonView {
  const view = views.get(facts) ?? readView(facts);
  views.set(facts, view);
  return view;
}

function readView(facts: HostFacts) {
  const { execStart, commandLine, otherDropIns, variable } = readStart(facts);
  const variables = (commandLine?.flags ?? []).flatMap((flag): VariableFlags[] => {
    const name = variableOf(flag);
    const found = name === undefined ? undefined : variable(name);
    return name !== undefined && found ? [{ name, ...found, flags: parseFlags(splitWords(found.value)) }] : [];
  });
  const flags = [
    ...(commandLine?.flags ?? []).filter((flag) => flag.name !== ''),
    ...variables.flatMap((variable) => variable.flags),
  ];
  const configName = flagValues(flags, '--config-file').at(-1) ?? facts.places.daemonJson;
  const configFile = realPath(facts, configName);
  const json = parseDaemonJson(fileText(facts, configFile), configFile);
  const ownJson = json.values.tlscacert === tlsSettings(facts.places).tlscacert;
  const listening = (from: PlacedListener['from'], hosts: readonly string[]) =>
    hosts.map((text): PlacedListener => ({ ...parseListener(text), from }));
  return {
    execStart,
    commandLine,
    /** Names of the other drop-ins, without directory. */
    otherDropIns,
    variables,
    /** Any variable that the daemon's command line may use. */
    variable,
    flags,
    /** Where the daemon's configuration file really is, and the path that the daemon itself opens: a link's, where it is one. */
    configFile,
    configName,
    /** Real paths of the unit's environment files. */
    environmentFiles: facts.docker.unit.environmentFiles.map((path) => realPath(facts, path)),
    json,
    /** The TLS settings in it are ours. */
    ownJson,
    listeners: [
      ...listening('flag', flagValues(commandLine?.flags ?? [], '--host')),
      ...variables.flatMap((variable) => listening('variable', flagValues(variable.flags, '--host'))),
      ...listening('json', listAt(json.values, 'hosts').map(String)),
    ],
    /** Clients have to show a certificate already now. */
    tlsVerified:
      tlsModeOf({ flags, json: ownJson ? parseDaemonJson(undefined) : json }) === 'verified' ||
      verifiedBefore(facts, configFile, variables),
  };
}

/** Whether clients had to show a certificate by settings that our first change took out: other TLS ports stay open because of it. */
function verifiedBefore(facts: HostFacts, configFile: string, variables: readonly VariableFlags[]): boolean {
  const isVerified = (flags: readonly Flag[], json?: string): boolean =>
    tlsModeOf({ flags, json: parseDaemonJson(json) }) === 'verified';
  if (isVerified([], facts.origin.get(configFile)?.content)) return true;
  return variables.some(({ name, file }) => {
    const text = file === undefined ? undefined : facts.origin.get(file)?.content;
    const value = text === undefined ? undefined : environmentValue(text, name)?.value;
    return value !== undefined && isVerified(parseFlags(splitWords(value)));
  });
}

/** Flags of dockerd that say how TLS is done; all of them are ours once a host is set up. */
export function isTlsFlag(flag: Flag): boolean {
  return flag.name.startsWith('--tls');
}

export const TLS_KEYS = ['tls', 'tlsverify', 'tlscacert', 'tlscert', 'tlskey'] as const;

/** Our own, by their names in daemon.json. */
export function tlsSettings({ current }: Places) {
  return {
    tlsverify: true,
    tlscacert: `${current}/${SERVER_FILES.ca}`,
    tlscert: `${current}/${SERVER_FILES.cert}`,
    tlskey: `${current}/${SERVER_FILES.key}`,
  };
}

/**
 * Whether our TLS settings go into daemon.json: where it names listeners, or has TLS settings already. As flags they would be gone with our
 * drop-in, and what daemon.json names would be open to every client.
 */
export function hasTlsInJson({ listeners, json }: Pick<DaemonView, 'listeners' | 'json'>): boolean {
  return listeners.some(({ from }) => from === 'json') || TLS_KEYS.some((key) => key in json.values);
}

/**
 * Whether the port is named elsewhere than those settings are: by a socket unit, or by flags. Without them dockerd must not get it, whatever has become of
 * daemon.json.
 */
export function needsGuard(view: Pick<DaemonView, 'listeners' | 'json'>, listening: Listening): boolean {
  return hasTlsInJson(view) && (listening === 'systemd' || !view.listeners.some(({ from }) => from === 'json'));
}
