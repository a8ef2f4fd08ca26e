/** Selection of the hosts of a run, from store records or from typed arguments. */

import { type Again, DockerTlsError } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { offeredLines } from '../../seams/seam.ts';
import { SETTING_PLACES } from '../../seams/setting-places.ts';
import { type Destination, daemonOf, destinationWords, nameOf, parseDestination, wayOf } from '../destination.ts';
import { given } from '../given.ts';
import { checkName, contextNameOf } from '../names.ts';
import { nearestNames } from '../nearest.ts';
import { uniqueSans } from '../pki/san.ts';
import { shellQuote } from '../quote.ts';
import { completeHost, type HostSettings, type HostSpec, type SshSpec } from '../settings.ts';
import { reachableHosts } from '../trust/reachable-hosts.ts';
import { knownWords, listWords } from '../words.ts';
import { keepingKey } from './recorded-key.ts';

/** Host settings given as flags; undefined: not given. */
export type HostFlags = Partial<HostSettings> & { readonly name?: string; readonly ssh: Partial<SshSpec> };

/** A host with the flags applied; flags apply to every selected host. */
export function withFlags(spec: HostSpec, flags: HostFlags = { ssh: {} }): HostSpec {
  // `--san` adds names.
  const sans = uniqueSans([...spec.sans, ...(flags.sans ?? [])]);
  // A jump host in place of the store's is this user's own.
  const { jumpFromStore, ...way } = spec.ssh;
  const ssh = { ...way, ...(flags.ssh.jump === undefined ? given({ jumpFromStore }) : {}), ...given(flags.ssh) };
  return { ...spec, ...given(flags), sans, name: spec.name, ssh: keepingKey(ssh, spec.ssh) };
}

/**
 * The host selected by HOST: a stored one (by name, or by ssh destination with any user) with the flags applied, or a new one.
 * Fails with E_HOST_NAME, E_NAME, E_HOST_EXTERNAL, E_HOST_KNOWN, E_HOST_TAKEN (exit 2).
 */
export function specFor(host: string, state: StoreState, flags: HostFlags): HostSpec {
  const stored = [...state.hosts.values()].map(({ record }) => completeHost(record));
  const known = knownHost(stored, host, flags);
  if (known !== undefined) return known;
  if (flags.name === undefined && reachableHosts(state).has(host)) throw external(host);
  const { ssh, ...more } = flags;
  const destination = parseDestination(host);
  return completeHost({ ...more, name: newName(host, flags), ssh: { ...destination, ...given(ssh) } });
}

/** Name of a new host. Fails with E_HOST_NAME, E_NAME (exit 2). */
function newName(host: string, flags: HostFlags): string {
  return checkName('host', flags.name ?? nameOf(parseDestination(host).destination));
}

/**
 * The host among `hosts` that HOST selects, with the flags applied: by name, by ssh destination, or by the name that a new host would get.
 * Fails as `sameHost` does, and with E_HOST_NAME, E_NAME (exit 2).
 */
export function knownHost(hosts: readonly HostSpec[], host: string, flags: HostFlags): HostSpec | undefined {
  const found =
    hosts.find(({ name }) => name === host) ??
    daemonAt(hosts, { ...parseDestination(host), ...given(flags.ssh) }) ??
    hosts.find(({ name }) => name === newName(host, flags));
  return found === undefined ? undefined : sameHost(found, host, flags);
}

/** The hosts that several HOSTs select; two hosts under one name are refused as in `specFor`. */
export function specsFor(hosts: readonly string[], state: StoreState, flags: HostFlags): HostSpec[] {
  const specs = new Map<string, HostSpec>();
  for (const host of hosts) {
    const spec = specFor(host, state, flags);
    const other = specs.get(spec.name);
    specs.set(spec.name, other === undefined ? spec : sameHost(other, host, flags));
  }
  return [...specs.values()];
}

/** Stored hosts by name, without duplicates, with the flags applied. Fails with E_HOST_UNKNOWN (exit 2). */
export function recordedSpecs(
  names: readonly string[],
  { hosts }: Pick<StoreState, 'hosts'>,
  flags: HostFlags,
): HostSpec[] {
  return [...new Set(names)].map((name) => {
    const known = hosts.get(name);
    if (known === undefined) throw notStored(name, hosts.keys());
    return withFlags(completeHost(known.record), flags);
  });
}

/**
 * A stored host with the typed values applied. HOST is its name, with or without a user for this run, or its ssh destination. Another host
 * under the same name would get its keys, and verification would check the stored one. `--name` with `--address` says that the host has
 * moved.
 * Fails with E_HOST_KNOWN, E_HOST_TAKEN (exit 2).
 */
function sameHost(known: HostSpec, host: string, flags: HostFlags): HostSpec {
  const { name } = known;
  if (flags.name !== undefined && flags.name !== name) {
    throw new DockerTlsError('E_HOST_KNOWN', `this host is known already, by the name ${name}`, {
      where: host,
      hints: [`docker-tls setup ${name}`, `another name for it: docker-tls rename ${name} ${shellQuote(flags.name)}`],
    });
  }
  if (host === name && !flags.ssh.rootless) return withFlags(known, flags);
  const moved = flags.name !== undefined && flags.address !== undefined;
  const typed = host === name ? known.ssh : moved ? parseDestination(host) : byName(known, parseDestination(host));
  if (!moved && !leadsTo(known.ssh, { ...typed, ...given(flags.ssh) })) {
    if (wayOf(known.ssh) === wayOf({ ...known.ssh, ...typed, ...given(flags.ssh) }))
      throw otherDaemon(known, typed, flags);
    const again = `docker-tls setup ${shellQuote(host)} --name`;
    throw new DockerTlsError('E_HOST_TAKEN', `${name} is the name of another host, ${destinationWords(known.ssh)}`, {
      where: host,
      hints: [
        `another name: ${again} NAME`,
        `if ${name} has moved: ${again} ${name} --address ${typed.destination}`,
        `if ${name} is no longer needed: docker-tls remove ${name}`,
      ],
    });
  }
  // A moved host has another key.
  const hostKey = moved ? undefined : known.ssh.hostKey;
  const ssh = {
    ...known.ssh,
    hostKey,
    port: undefined,
    ...typed,
    placeFromStore: moved ? undefined : fromStore(known, host),
  };
  return withFlags({ ...known, ssh: ssh as HostSpec['ssh'] }, flags);
}

/** Whoever types the place, and not the name, has no need to be asked about it. */
function fromStore({ name, ssh: { placeFromStore: from } }: HostSpec, host: string): SshSpec['placeFromStore'] {
  return from === undefined || host === name || parseDestination(host).destination === name
    ? from
    : { place: from.place, last: from.place };
}

/** Root's Docker and a user's rootless one on the same host are two daemons, each with its name and port. */
function otherDaemon({ name, ssh, port }: HostSpec, typed: HostSpec['ssh'], flags: HostFlags): DockerTlsError {
  // root has no rootless Docker.
  const user = typed.user === undefined || (flags.ssh.rootless && typed.user === 'root') ? 'USER' : typed.user;
  const words = [
    ...[destinationWords({ ...typed, user }), ...(flags.ssh.rootless ? ['--rootless'] : [])],
    ...['--name', `${name}-${user}`, '--port', `${flags.port ?? (port < 65_535 ? port + 1 : port - 1)}`],
  ];
  return new DockerTlsError(
    'E_HOST_TAKEN',
    `${name} is the name of another daemon of this host: ${ssh.rootless ? `the rootless Docker of ${ssh.user ?? 'a user'}` : "root's Docker"}`,
    {
      where: destinationWords(typed),
      hints: [`another name and port: docker-tls setup ${words.map(shellQuote).join(' ')}`],
    },
  );
}

/**
 * All stored hosts, or those named. `reached` includes hosts that came with an imported client; docker-tls never logs in to them.
 * `again` builds hints. Fails with E_HOST_UNKNOWN, E_HOST_EXTERNAL, E_NO_HOSTS (exit 2).
 */
export function storedSpecs(
  hosts: readonly string[],
  state: StoreState,
  again: Again,
  { reached = false }: { readonly reached?: boolean } = {},
): HostSpec[] {
  const foreign = new Map(reachedSpecs(state).map((spec) => [spec.name, spec]));
  const own = [...state.hosts.values()].map((host) => completeHost(host.record));
  if (hosts.length === 0) {
    if (state.hosts.size === 0 && !(reached && foreign.size > 0)) {
      throw new DockerTlsError('E_NO_HOSTS', 'no host has been set up yet', {
        hints: ['docker-tls setup root@HOST', ...offeredLines(SETTING_PLACES, 'or name a fleet file: -f fleet.yaml')],
      });
    }
    return reached ? [...own, ...foreign.values()] : own;
  }
  return hosts.map((host) => {
    const known = own.find(({ name }) => name === host) ?? byDestination(own, host);
    if (known !== undefined) return known;
    const other = foreign.get(host);
    if (other !== undefined && reached) return other;
    if (other !== undefined) throw external(host);
    const all = [...state.hosts.keys(), ...foreign.keys()];
    const near = nearestNames(host, all);
    const meant = near.length > 0 || all.length > 3 ? near : all;
    const ways = meant.map((name) =>
      reached || state.hosts.has(name) ? again({ host: name, instead: host }) : `docker-tls verify ${name}`,
    );
    throw notStored(host, all, ways);
  });
}

/** Hosts known only through an imported client. */
export function reachedSpecs(state: StoreState): HostSpec[] {
  return [...reachableHosts(state).values()]
    .filter(({ record }) => !state.hosts.has(record.name))
    .map(({ record }) => completeHost({ ...record, clients: undefined, ssh: { destination: record.address } }));
}

function notStored(host: string, known: Iterable<string>, ways: readonly string[] = []): DockerTlsError {
  return new DockerTlsError('E_HOST_UNKNOWN', `no host ${host} in the store${knownWords(known)}`, {
    hints: [
      ...ways,
      ...(ways.length > 0 ? [] : ['see which there are: docker-tls status']),
      `docker-tls setup ${shellQuote(host)}`,
    ],
  });
}

function external(host: string): DockerTlsError {
  return new DockerTlsError(
    'E_HOST_EXTERNAL',
    'this host was set up from another store; here it is known only to a client that was imported',
    { where: host, hints: [`docker-tls verify ${host}`, `docker-tls env ${host}`] },
  );
}

/** `ops@build-1`: a host name in place of the destination means that host's ssh destination. A typed port must match the stored one. */
function byName({ name, ssh }: HostSpec, typed: Destination): Destination {
  if (typed.destination !== name || ssh.destination === name) return typed;
  return { ...typed, destination: ssh.destination, ...given({ port: typed.port ?? ssh.port }) };
}

/**
 * Whether ssh reaches the same daemon; the stored values fill in for untyped ones. The user does not matter for root's Docker; a rootless
 * daemon belongs to its user.
 */
function leadsTo(known: HostSpec['ssh'], typed: HostSpec['ssh']): boolean {
  const { jump = known.jump, configFile = known.configFile } = typed;
  const user = known.user === undefined ? undefined : (typed.user ?? known.user);
  const rootless = typed.rootless ?? (user === known.user ? known.rootless : undefined);
  return daemonOf(known) === daemonOf({ ...typed, jump, configFile, user, rootless } as HostSpec['ssh']);
}

/** Prefers the typed user's rootless daemon, then root's Docker. */
function daemonAt(hosts: readonly HostSpec[], typed: Destination): HostSpec | undefined {
  const found = hosts.filter((one) => leadsTo(one.ssh, byName(one, typed)));
  return (
    found.find(({ ssh }) => ssh.rootless && ssh.user === typed.user) ??
    found.find(({ ssh }) => !ssh.rootless) ??
    found[0]
  );
}

/** The host typed as `[user@]place[:port]`, with that user for this run. */
function byDestination(hosts: readonly HostSpec[], host: string): HostSpec | undefined {
  try {
    const typed = parseDestination(host);
    const known = daemonAt(hosts, typed);
    return known && withFlags(known, { ssh: { user: typed.user } });
  } catch {
    return undefined;
  }
}

/** Name of the stored host that `host` selects by name or by ssh destination. */
export function knownName({ hosts }: Pick<StoreState, 'hosts'>, host: string): string | undefined {
  if (hosts.has(host)) return host;
  return byDestination(
    [...hosts.values()].map(({ record }) => completeHost(record)),
    host,
  )?.name;
}

const NOT_THERE = ['E_SSH_NAME', 'E_SSH_HOST_KEY_UNKNOWN', 'E_SSH_TIMEOUT', 'E_SSH_UNREACHABLE', 'E_SSH_REFUSED'];

/**
 * Adds the stored hosts to the error for an unknown host that does not answer: the name may be misspelt. `leaves`: the command needs a host
 * that was set up; an unresolvable name was then removed already or is misspelt (E_HOST_UNKNOWN).
 */
export function namingKnown(error: unknown, host: string, { hosts }: StoreState, leaves: boolean): unknown {
  if (!(error instanceof DockerTlsError) || !NOT_THERE.includes(error.code) || hosts.has(host)) return error;
  if (leaves && error.code === 'E_SSH_NAME')
    return new DockerTlsError(
      'E_HOST_UNKNOWN',
      `not in the store: removed already, or misspelt (${error.message})${knownWords(hosts.keys())}`,
      {
        where: host,
        hints: [
          'see which there are: docker-tls status',
          'one that is in no store of yours: docker-tls remove USER@ADDRESS',
        ],
        cause: error,
      },
    );
  if (hosts.size === 0) return error;
  return error.hinting([...error.hints, `hosts of the store: ${listWords([...hosts.keys()], 8)}`]);
}

/** Name of the local docker context of a host; `use` and `config-directory` default to the host's name. */
export function hostContextName({ name, context, use, configDirectory }: HostSpec): string | undefined {
  return context ?? (use || configDirectory ? contextNameOf(name) : undefined);
}
