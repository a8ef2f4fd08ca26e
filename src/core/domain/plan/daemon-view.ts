/** Current configuration of a host's daemon, without the additions of docker-tls. */

import {
  type Flag,
  flagValues,
  type Listener,
  parseFlags,
  parseListener,
  variableOf,
} from '../dockerd/command-line.ts';
import { parseDaemonJson } from '../dockerd/daemon-json.ts';
import { tlsModeOf } from '../dockerd/daemon-options.ts';
import { environmentValue } from '../dockerd/environment-file.ts';
import { type Places, SERVER_FILES } from '../dockerd/paths.ts';
import { splitWords } from '../dockerd/unit.ts';
import { listAt } from '../json.ts';
import { type PlacedVariable, readStart } from './daemon-start.ts';
import { fileText, type HostFacts, realPath } from './facts.ts';

/** Flags from a variable such as `$DOCKER_OPTS`. */
export type VariableFlags = PlacedVariable & { readonly name: string; readonly flags: readonly Flag[] };

type PlacedListener = Listener & { readonly from: 'flag' | 'variable' | 'json' };

/**
 * Holder of the port during a restart. `systemd`: our socket unit, clients wait. `firewall`: dockerd opens it, and a rule delays new
 * connections until then. `daemon`: dockerd opens it, clients are refused for a moment.
 */
export type Listening = 'systemd' | 'firewall' | 'daemon';

export type DaemonView = ReturnType<typeof readView>;

/** Cache: plan, preflight and transaction of a host ask for the same view eight times. */
const views = new WeakMap<HostFacts, DaemonView>();

/** Parses the daemon's configuration from the facts; unparsable parts are undefined, and the preflight reports them. */
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
    /** Looks up any variable of the daemon's command line. */
    variable,
    flags,
    /** Real path of the daemon's configuration file, and the path that the daemon opens (possibly a link). */
    configFile,
    configName,
    /** Real paths of the unit's environment files. */
    environmentFiles: facts.docker.unit.environmentFiles.map((path) => realPath(facts, path)),
    json,
    /** Its TLS settings are ours. */
    ownJson,
    listeners: [
      ...listening('flag', flagValues(commandLine?.flags ?? [], '--host')),
      ...variables.flatMap((variable) => listening('variable', flagValues(variable.flags, '--host'))),
      ...listening('json', listAt(json.values, 'hosts').map(String)),
    ],
    /** Clients already need a certificate. */
    tlsVerified:
      tlsModeOf({ flags, json: ownJson ? parseDaemonJson(undefined) : json }) === 'verified' ||
      verifiedBefore(facts, configFile, variables),
  };
}

/** Whether the settings that our first change removed required client certificates; other TLS ports then stay open. */
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

/** TLS flags of dockerd; on a host that is set up, all of them are ours. */
export function isTlsFlag(flag: Flag): boolean {
  return flag.name.startsWith('--tls');
}

export const TLS_KEYS = ['tls', 'tlsverify', 'tlscacert', 'tlscert', 'tlskey'] as const;

/** Our TLS settings, by their names in daemon.json. */
export function tlsSettings({ current }: Places) {
  return {
    tlsverify: true,
    tlscacert: `${current}/${SERVER_FILES.ca}`,
    tlscert: `${current}/${SERVER_FILES.cert}`,
    tlskey: `${current}/${SERVER_FILES.key}`,
  };
}

/**
 * Whether our TLS settings go into daemon.json: if it names listeners, or has TLS settings already. As flags they would disappear with our
 * drop-in, and the listeners in daemon.json would be open to every client.
 */
export function hasTlsInJson({ listeners, json }: Pick<DaemonView, 'listeners' | 'json'>): boolean {
  return listeners.some(({ from }) => from === 'json') || TLS_KEYS.some((key) => key in json.values);
}

/**
 * Whether a socket unit or flags name the port while daemon.json has the TLS settings. dockerd must not get the port without those
 * settings, whatever happens to daemon.json.
 */
export function needsGuard(view: Pick<DaemonView, 'listeners' | 'json'>, listening: Listening): boolean {
  return hasTlsInJson(view) && (listening === 'systemd' || !view.listeners.some(({ from }) => from === 'json'));
}
