/** Resolution of the stored host and client of a command, named or implied. */

import { type Again, DockerTlsError } from '../../../errors/errors.ts';
import type { StoredClient, StoredHost, StoreState } from '../../adapters/store/records.ts';
import type { Runtime } from '../../runtime.ts';
import { LISTENERS } from '../../seams/listeners.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { offeredLines } from '../../seams/seam.ts';
import { knownName } from '../hosts/specs.ts';
import { nearestNames } from '../nearest.ts';
import { hasPort } from '../network-port.ts';
import { shellQuote } from '../quote.ts';
import { knownWords } from '../words.ts';
import { clientRevoked, noKeyHere, unknownClient } from './client-refusals.ts';
import { accepts, meantClient, probeClientAt, type ReachableHost, reachableHosts } from './reachable-hosts.ts';

export type KnownClient = StoredClient & { readonly directory: string };

/** Fails with E_CLIENT_UNKNOWN (exit 2). */
export function clientOf(state: StoreState, name: string): KnownClient {
  const client = state.clients.get(name);
  if (client === undefined) throw unknownClient(name);
  return client;
}

/** The client named by --client or DOCKER_TLS_CLIENT. */
export function clientName(
  { client }: { readonly client: string | undefined },
  { env }: Pick<Runtime, 'env'>,
): string | undefined {
  return client ?? (env.DOCKER_TLS_CLIENT || undefined);
}

/**
 * The named host, or the only one. `again` is for hints.
 * Errors, exit 2: E_NO_HOSTS (nothing set up yet), E_HOST_UNKNOWN, E_HOST_AMBIGUOUS.
 */
export function resolveHost(state: StoreState, name: string | undefined, again: Again): ReachableHost {
  const hosts = reachableHosts(state);
  const names = [...hosts.keys()];
  if (name !== undefined) {
    const host = hosts.get(knownName(state, name) ?? name);
    if (host) return host;
    if (names.length > 0) throw unknownName('host', name, names, again);
  }
  const [only, ...others] = hosts.values();
  if (!only) {
    throw new DockerTlsError('E_NO_HOSTS', 'no host is set up in this store yet', {
      hints: ['docker-tls setup root@HOST', ...offeredCommands('import', 'FILE')],
    });
  }
  if (others.length === 0) return only;
  throw ambiguous('host', names, (host) => again({ host }));
}

/**
 * The named client, or the only one that `host` accepts, or, of several, this computer's default client. Ignores revoked clients.
 * `isMine`: clients that the hints of E_CLIENT_AMBIGUOUS offer first.
 * Errors, exit 2: E_NO_PORT, E_NO_CLIENTS, E_CLIENT_UNKNOWN, E_CLIENT_REVOKED, E_CLIENT_NOT_ACCEPTED, E_CLIENT_AMBIGUOUS, E_CLIENT_NO_KEY.
 */
export function resolveClient(
  state: StoreState,
  host: ReachableHost,
  name: string | undefined,
  again: Again,
  isMine: (client: KnownClient) => boolean = () => false,
): KnownClient {
  if (!hasPort(state.hosts.get(host.record.name)?.record ?? {})) throw noPort(host.record.name);
  const meant = meantClient(state.clients, host, name);
  if (meant !== undefined) return meant;
  throw name === undefined ? notOne(state, host, again, isMine) : notThis(state, host, name, again);
}

/**
 * Like resolveClient, for callers that accept any client: prefers DOCKER_TLS_CLIENT, then `inUse`, then the default client, then the first.
 */
export function anyClient(
  state: StoreState,
  host: ReachableHost,
  { client }: { readonly client: string | undefined },
  { env }: Pick<Runtime, 'env'>,
  again: Again,
  inUse: (client: StoredClient) => boolean = () => false,
): KnownClient {
  if (client !== undefined) return resolveClient(state, host, client, again);
  const all = [...state.clients.values()];
  return (
    probeClientAt(
      all.filter(({ record }) => record.name === env.DOCKER_TLS_CLIENT),
      host,
    ) ??
    probeClientAt(all.filter(inUse), host) ??
    probeClientAt(all, host) ??
    resolveClient(state, host, undefined, again)
  );
}

/** Reason to reject the named client. */
function notThis(state: StoreState, host: ReachableHost, name: string, again: Again): DockerTlsError {
  const client = state.clients.get(name);
  if (!client) return unknownName('client', name, [...state.clients.keys()], again);
  if (client.record.revokedAt !== undefined)
    return clientRevoked(name, client.record.revokedAt, 'docker-tls client add NAME');
  if (accepts(host, client)) return noKeyHere([name], name);
  return new DockerTlsError('E_CLIENT_NOT_ACCEPTED', `the host ${host.record.name} does not accept this client`, {
    where: name,
    hints: ['docker-tls client list'],
  });
}

/** Reason that no client could be chosen. */
function notOne(
  state: StoreState,
  host: ReachableHost,
  again: Again,
  isMine: (client: KnownClient) => boolean,
): DockerTlsError {
  const accepted = [...state.clients.values()].filter(
    (client) => client.record.revokedAt === undefined && accepts(host, client),
  );
  const usable = accepted.filter(({ key }) => key);
  const names = [...usable.filter(isMine), ...usable.filter((one) => !isMine(one))].map(({ record }) => record.name);
  if (names.length > 0) {
    const own = `or for every command here: docker-tls client use ${names[0]}`;
    return ambiguous('client', names, (client) => again({ client }), [own]);
  }
  const without = accepted.map(({ record }) => record.name);
  if (without.length > 0) return noKeyHere(without, host.record.name);
  return new DockerTlsError('E_NO_CLIENTS', 'the store holds no client that this host accepts', {
    where: host.record.name,
    hints: ['docker-tls client add NAME'],
  });
}

/** A host set up from this store. Fails with E_HOST_UNKNOWN (exit 2). */
export function storedHost({ hosts, clients }: StoreState, name: string, again: Again): StoredHost {
  const host = hosts.get(name);
  const imported = [...clients.values()].some(({ record }) => record.reaches?.some((one) => one.name === name));
  if (host === undefined && imported)
    throw new DockerTlsError(
      'E_HOST_UNKNOWN',
      'this host came with an imported client: the store has no login for it',
      { where: name, hints: [`docker-tls env ${name}`] },
    );
  if (host === undefined) throw unknownName('host', name, [...hosts.keys()], again);
  return host;
}

/** E_HOST_UNKNOWN or E_CLIENT_UNKNOWN (exit 2), suggesting the typed command with similar names. */
export function unknownName(
  what: 'host' | 'client',
  name: string,
  names: readonly string[],
  again: Again,
): DockerTlsError {
  const near = nearestNames(name, names);
  const code = what === 'host' ? 'E_HOST_UNKNOWN' : 'E_CLIENT_UNKNOWN';
  return new DockerTlsError(code, `there is no ${what} of this name in the store${knownWords(names)}`, {
    where: name,
    hints:
      near.length > 0
        ? near.map((one) => again(what === 'host' ? { host: one, instead: name } : { client: one }))
        : ['docker-tls status'],
  });
}

function ambiguous(
  what: 'host' | 'client',
  names: readonly string[],
  named: (name: string) => string,
  more: readonly string[] = [],
): DockerTlsError {
  const code = what === 'host' ? 'E_HOST_AMBIGUOUS' : 'E_CLIENT_AMBIGUOUS';
  return new DockerTlsError(code, `there are ${names.length} ${what}s; say which`, {
    hints: [...names.slice(0, 5).map(named), ...more],
  });
}

/** E_NO_PORT, exit 2. */
export function noPort(host: string): DockerTlsError {
  return new DockerTlsError('E_NO_PORT', 'no client can connect to it: it has sockets for programs on the host alone', {
    where: host,
    hints: offeredLines(LISTENERS, `docker-tls socket add NAME ${shellQuote(host)}`),
  });
}
