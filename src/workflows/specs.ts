/** Owns the question which hosts a run is about: from a host's record in the store, or from what was typed. */

import { nameOf, parseDestination } from '../config/destination.ts';
import { completeHost, type HostSpec } from '../config/spec.ts';
import { DockerTlsError } from '../errors.ts';
import { checkName, type HostRecord, type StoreState } from '../store/records.ts';
import { reachableHosts } from './reach.ts';

/** What the flags of a command say about a host; what is undefined was not said. */
export type HostFlags = Partial<Omit<HostSpec, 'name' | 'ssh'>> & {
  readonly name?: string;
  readonly ssh: Partial<HostSpec['ssh']>;
};

/** A host with what the flags say on top. */
export function withFlags(spec: HostSpec, flags: HostFlags): HostSpec {
  return { ...spec, ...said(flags), name: spec.name, ssh: { ...spec.ssh, ...said(flags.ssh) } };
}

function said(flags: object): object {
  return Object.fromEntries(Object.entries(flags).filter(([key, value]) => value !== undefined && key !== 'ssh'));
}

/** A host as it was set up. */
export function specOfRecord(record: HostRecord): HostSpec {
  return completeHost({
    name: record.name,
    ssh: record.ssh,
    address: record.address,
    port: record.port,
    listen: record.listen === undefined ? undefined : record.listen.split(','),
    keyType: record.keyType,
    days: record.days,
    containers: record.containers,
    keys: record.keys,
    clients: record.clients,
    liveRestore: record.liveRestore,
    keep: record.keep,
    confirmWithin: record.confirmWithin,
    harden: record.harden,
  });
}

/**
 * The host that HOST means: one of the store (by name, or by the same destination), with what the flags say on top, or a new one.
 * Fails with E_HOST_NAME, E_NAME, E_HOST_ELSEWHERE (exit 2).
 */
export function specFor(host: string, state: StoreState, flags: HostFlags): HostSpec {
  const known =
    state.hosts.get(host) ??
    (flags.name === undefined ? undefined : state.hosts.get(flags.name)) ??
    byDestination(host, state);
  if (known !== undefined) {
    const base = specOfRecord(known.record);
    const dialled = state.hosts.has(host) ? {} : parseDestination(host);
    return withFlags({ ...base, ssh: { ...base.ssh, ...dialled } }, flags);
  }
  if (flags.name === undefined && reachableHosts(state).has(host)) throw elsewhere(host);
  const destination = parseDestination(host);
  return completeHost({
    ...said(flags),
    name: checkName('host', flags.name ?? nameOf(destination.destination)),
    ssh: { ...destination, ...said(flags.ssh) },
  });
}

/**
 * Every host of the store, or those that are named; `reached` counts those in that an imported client brought along, which nobody logs
 * in to. Fails with E_HOST_UNKNOWN, E_HOST_ELSEWHERE, E_NO_HOSTS (exit 2).
 */
export function storedSpecs(hosts: readonly string[], state: StoreState, reached = false): HostSpec[] {
  const others = [...reachableHosts(state).values()].filter(({ record }) => !state.hosts.has(record.name));
  const foreign = new Map(
    others.map(({ record }) => [
      record.name,
      completeHost({ ...record, clients: undefined, ssh: { destination: record.address } }),
    ]),
  );
  if (hosts.length === 0) {
    if (state.hosts.size === 0 && !(reached && foreign.size > 0)) {
      throw new DockerTlsError({
        code: 'E_NO_HOSTS',
        exit: 2,
        message: 'no host has been set up yet',
        hints: ['docker-tls setup root@HOST', 'or name a fleet file: -f fleet.yaml'],
      });
    }
    const own = [...state.hosts.values()].map((host) => specOfRecord(host.record));
    return reached ? [...own, ...foreign.values()] : own;
  }
  return hosts.map((host) => {
    const known = state.hosts.get(host) ?? byDestination(host, state);
    if (known !== undefined) return specOfRecord(known.record);
    const other = foreign.get(host);
    if (other !== undefined && reached) return other;
    if (other !== undefined) throw elsewhere(host);
    throw new DockerTlsError({
      code: 'E_HOST_UNKNOWN',
      exit: 2,
      message: `no host ${host} in the store`,
      hints: ['see which there are: docker-tls status', `docker-tls setup ${host}`],
    });
  });
}

function elsewhere(host: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_HOST_ELSEWHERE',
    exit: 2,
    where: host,
    message: 'this host was set up from another store; here it is known only to a client that was imported',
    hints: [`docker-tls verify ${host}`, `docker-tls env ${host}`],
  });
}

function byDestination(host: string, state: StoreState): { record: HostRecord } | undefined {
  let wanted: ReturnType<typeof parseDestination>;
  try {
    wanted = parseDestination(host);
  } catch {
    return undefined;
  }
  return [...state.hosts.values()].find(
    ({ record }) =>
      record.ssh.destination === wanted.destination &&
      record.ssh.user === wanted.user &&
      (record.ssh.port ?? 22) === (wanted.port ?? 22),
  );
}
