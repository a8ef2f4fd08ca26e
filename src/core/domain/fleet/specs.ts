/** The question which hosts a run is about: from a host's record in the store, or from what was typed. */

import { type Again, DockerTlsError } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import type { HostKey } from '../../runtime.ts';
import { type Destination, daemonOf, destinationWords, nameOf, parseDestination, wayOf } from '../destination.ts';
import { given } from '../given.ts';
import { checkName, contextNameOf } from '../names.ts';
import { uniqueSans } from '../pki/names.ts';
import { shellQuote } from '../quote.ts';
import { completeHost, type HostSettings, type HostSpec, type SshSpec } from '../settings.ts';
import { reachableHosts } from '../trust/reachable-hosts.ts';
import { isRecordedHostKey } from '../values.ts';
import { knownWords, listWords } from '../words.ts';
import { nearestNames } from './nearest.ts';

/** What the flags of a command give for a host; undefined: not given. */
export type HostFlags = Partial<HostSettings> & { readonly name?: string; readonly ssh: Partial<SshSpec> };

/** A host with what the flags say on top: they hold for every host that was chosen. */
export function withFlags(spec: HostSpec, flags: HostFlags = { ssh: {} }): HostSpec {
  // `--san` names further ones.
  const sans = uniqueSans([...spec.sans, ...(flags.sans ?? [])]);
  const ssh = { ...spec.ssh, ...given(flags.ssh) };
  return { ...spec, ...given(flags), sans, name: spec.name, ssh: keepingKey(ssh, spec.ssh) };
}

/** `accept-new` is for a host whose key is not known yet: where a record or a file has the key, that one is meant. */
function keepingKey(ssh: SshSpec, { hostKey }: SshSpec): SshSpec {
  return ssh.hostKey === 'accept-new' && hostKey !== undefined && hostKey !== 'strict' ? { ...ssh, hostKey } : ssh;
}

/** A host of a file, which its record may know better: by the key that it showed. */
export function withRecordedKey(spec: HostSpec, { hosts }: Pick<StoreState, 'hosts'>): HostSpec {
  const known = hosts.get(spec.name)?.record.ssh;
  return known !== undefined && wayOf(known) === wayOf(spec.ssh) ? { ...spec, ssh: keepingKey(spec.ssh, known) } : spec;
}

/** With the key of the host that answered in place of `accept-new`, which holds for one run: nobody who shares the record takes any key later. */
export function withSeenKey(spec: HostSpec, seen: HostKey | undefined): HostSpec {
  if (spec.ssh.hostKey !== 'accept-new') return spec;
  // Under a certificate authority a host may get another key.
  const hostKey = seen === undefined || seen.certified ? undefined : recordedKey(seen);
  return { ...spec, ssh: { ...spec.ssh, hostKey } };
}

/** A key of a type that a record does not name is kept by its fingerprint. */
function recordedKey({ type, base64, fingerprint }: HostKey): string {
  const whole = `${type} ${base64}`;
  return isRecordedHostKey(whole) ? whole : fingerprint;
}

/**
 * The host that HOST means: one of the store (by name, or by where ssh goes, as whichever user), with what the flags say on top,
 * or a new one. Fails with E_HOST_NAME, E_NAME, E_HOST_EXTERNAL, E_HOST_KNOWN, E_HOST_TAKEN (exit 2).
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

/** The name of a host that is new. Fails with E_HOST_NAME, E_NAME (exit 2). */
function newName(host: string, flags: HostFlags): string {
  return checkName('host', flags.name ?? nameOf(parseDestination(host).destination));
}

/**
 * The one of some hosts that HOST means, with the flags on top: by its name, by where ssh goes, or by the name that it would get.
 * Fails as `sameHost` does, and with E_HOST_NAME, E_NAME (exit 2).
 */
export function knownHost(hosts: readonly HostSpec[], host: string, flags: HostFlags): HostSpec | undefined {
  const found =
    hosts.find(({ name }) => name === host) ??
    daemonAt(hosts, { ...parseDestination(host), ...given(flags.ssh) }) ??
    hosts.find(({ name }) => name === newName(host, flags));
  return found === undefined ? undefined : sameHost(found, host, flags);
}

/** The hosts that several HOSTs mean; two of them under one name are refused as in `specFor`. */
export function specsFor(hosts: readonly string[], state: StoreState, flags: HostFlags): HostSpec[] {
  const specs = new Map<string, HostSpec>();
  for (const host of hosts) {
    const spec = specFor(host, state, flags);
    const other = specs.get(spec.name);
    specs.set(spec.name, other === undefined ? spec : sameHost(other, host, flags));
  }
  return [...specs.values()];
}

/** Hosts of the store by their names, each once, with what the flags say on top. Fails with E_HOST_UNKNOWN (exit 2). */
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
 * A host that is known by its name, with what was typed on top. HOST is that name, with a user for this run or without, or where ssh goes to it:
 * another host under the same name would get its keys, and be verified where the known one answers. `--name` with `--address` means that it has
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
        `a name of its own: ${again} NAME`,
        `if ${name} has moved: ${again} ${name} --address ${typed.destination}`,
        `if ${name} is no longer needed: docker-tls remove ${name}`,
      ],
    });
  }
  // Another host has another key.
  const hostKey = moved ? undefined : known.ssh.hostKey;
  return withFlags({ ...known, ssh: { ...known.ssh, hostKey, port: undefined, ...typed } as HostSpec['ssh'] }, flags);
}

/** Root's Docker and a user's own on one host are two daemons, each with a name and a port. */
function otherDaemon({ name, ssh, port }: HostSpec, typed: HostSpec['ssh'], flags: HostFlags): DockerTlsError {
  // root has none.
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
      hints: [`a name and a port of its own: docker-tls setup ${words.map(shellQuote).join(' ')}`],
    },
  );
}

/**
 * Every host of the store, or those that are named; `reached` counts those in that an imported client brought along, which docker-tls never logs
 * in to. `again` is for hints. Fails with E_HOST_UNKNOWN, E_HOST_EXTERNAL, E_NO_HOSTS (exit 2).
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
        hints: ['docker-tls setup root@HOST', 'or name a fleet file: -f fleet.yaml'],
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

/** Hosts that only an imported client knows. */
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

/** `ops@build-1`: the name stands for where ssh goes to the host of that name, so that no other host is meant; a port has to be the known one. */
function byName({ name, ssh }: HostSpec, typed: Destination): Destination {
  if (typed.destination !== name || ssh.destination === name) return typed;
  return { ...typed, destination: ssh.destination, ...given({ port: typed.port ?? ssh.port }) };
}

/**
 * Whether ssh ends at the same daemon; what was not typed is as it is known. For root's Docker the user does not matter; a rootless one is that of
 * its user, and is not meant by another.
 */
function leadsTo(known: HostSpec['ssh'], typed: HostSpec['ssh']): boolean {
  const { jump = known.jump, configFile = known.configFile } = typed;
  const user = known.user === undefined ? undefined : (typed.user ?? known.user);
  const rootless = typed.rootless ?? (user === known.user ? known.rootless : undefined);
  return daemonOf(known) === daemonOf({ ...typed, jump, configFile, user, rootless } as HostSpec['ssh']);
}

/** Of root's Docker and a rootless one on one host, a user who has one means that. */
function daemonAt(hosts: readonly HostSpec[], typed: Destination): HostSpec | undefined {
  const found = hosts.filter((one) => leadsTo(one.ssh, byName(one, typed)));
  return (
    found.find(({ ssh }) => ssh.rootless && ssh.user === typed.user) ??
    found.find(({ ssh }) => !ssh.rootless) ??
    found[0]
  );
}

/** The one of these hosts that was typed as `[user@]place[:port]`, with that user for this run. */
function byDestination(hosts: readonly HostSpec[], host: string): HostSpec | undefined {
  try {
    const typed = parseDestination(host);
    const known = daemonAt(hosts, typed);
    return known && withFlags(known, { ssh: { user: typed.user } });
  } catch {
    return undefined;
  }
}

/** The name of the host of the store that is meant by its name, or by where ssh goes. */
export function knownName({ hosts }: Pick<StoreState, 'hosts'>, host: string): string | undefined {
  if (hosts.has(host)) return host;
  return byDestination(
    [...hosts.values()].map(({ record }) => completeHost(record)),
    host,
  )?.name;
}

const NOT_THERE = ['E_SSH_NAME', 'E_SSH_HOST_KEY_UNKNOWN', 'E_SSH_TIMEOUT', 'E_SSH_UNREACHABLE', 'E_SSH_REFUSED'];

/**
 * A host that the store does not have, and that is not there, may be a slip of the hand: the error names those that there are. `leaves`: it is about
 * a host that was set up, and one that is removed already leads nowhere by its name alone (E_HOST_UNKNOWN).
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

/** The context that a host is to have here; `use` and `config-directory` mean one of the host's name. */
export function contextName({ name, context, use, configDirectory }: HostSpec): string | undefined {
  return context ?? (use || configDirectory ? contextNameOf(name) : undefined);
}
