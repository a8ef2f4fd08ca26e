/** Rules of a fleet file beyond its schema: references between names, duplicate hosts and names. */

import { daemonOf } from '../../../core/domain/destination.ts';
import { at, fieldsOf, listAt } from '../../../core/domain/json.ts';
import { nameProblem } from '../../../core/domain/names.ts';
import { nearestNames } from '../../../core/domain/nearest.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import type { Path, Problem } from '../../../core/domain/setting-problems.ts';
import type { ClientSpec, HostSpec } from '../../../core/domain/settings.ts';
import type { FleetEntry, FleetFile } from './schema.ts';

/** Duplicate and missing names, in a file of any shape: reported together with schema errors. */
export function nameProblems(value: unknown): Problem[] {
  const hosts = Object.keys(section(value, 'hosts'));
  const clients = Object.keys(section(value, 'clients'));
  return [...twins('hosts', hosts), ...twins('clients', clients), ...references(value, hosts, clients)];
}

/** Contradictions in a file that matches the schema. */
export function fleetProblems(file: FleetFile, hosts: readonly HostSpec[], clients: readonly ClientSpec[]): Problem[] {
  return [
    ...ownCa(file.ca ?? {}),
    ...sameHosts(hosts),
    ...sameContexts(hosts),
    ...undialled(hosts),
    ...doubleSsh(file),
    ...contradictions(file, hosts, clients),
  ];
}

/** A top-level map of a file of any shape, or the file itself; empty if missing. */
export function section(value: unknown, key: string | undefined): Readonly<Record<string, unknown>> {
  return fieldsOf(key === undefined ? value : at(value, key));
}

/** Names that differ only in case are one directory on macOS and Windows. */
function twins(section: 'hosts' | 'clients', names: readonly string[]): Problem[] {
  const seen = new Map<string, string>();
  return names.flatMap((name) => {
    const twin = seen.get(name.toLowerCase());
    seen.set(name.toLowerCase(), name);
    return twin === undefined
      ? []
      : [{ path: [section], key: name, message: `${name} and ${twin} differ only in upper and lower case` }];
  });
}

/** Records the first host of each thing; returns the earlier owner, or undefined for the first. */
function firstOwners(): (thing: string, name: string) => string | undefined {
  const owners = new Map<string, string>();
  return (thing, name) => {
    const other = owners.get(thing);
    if (other === undefined) owners.set(thing, name);
    return other;
  };
}

/** Two entries for the same daemon would undo each other's changes on every run. */
function sameHosts(hosts: readonly HostSpec[]): Problem[] {
  const before = firstOwners();
  return hosts.flatMap(({ name, ssh }) => {
    const other = before(daemonOf(ssh), name);
    const message = `${name} is reached at ${ssh.destination}, just as ${other}: one host, two names`;
    return other === undefined ? [] : [{ path: ['hosts'], key: name, message }];
  });
}

const APIS = ['step-ca', 'cfssl', 'vault'];
const SIGNERS = [...APIS, 'sign-command', 'pkcs11'];

/** An existing CA needs a certificate, and exactly one signing method. */
function ownCa(ca: FleetEntry): Problem[] {
  const given = (keys: readonly string[]) => keys.filter((key) => key in ca);
  const problem = (key: string, message: string): Problem => ({ path: ['ca'], key, message });
  const [signer, second] = given(SIGNERS);
  const api = given(APIS)[0];
  const beside = (keys: readonly string[], owner: string) =>
    given(keys).map((key) => problem(key, `${key} belongs to ${owner}`));
  if (!('cert' in ca))
    return beside([...SIGNERS, ...OF_APIS, 'pin-file', 'chain', 'whole-chain', 'leaf-only'], 'a CA of your own: cert');
  if (signer === undefined) return [problem('cert', `the signer is missing: one of ${SIGNERS.join(', ')}`)];
  if (second !== undefined) return [problem(second, `${signer} signs already: give one of the two`)];
  return [
    ...(api === undefined ? beside(OF_APIS, APIS.join(', ')) : []),
    ...(api !== undefined && !('credential-file' in ca) ? [problem(api, `${api} needs a credential-file`)] : []),
    ...(api === 'step-ca' ? [] : beside(['passphrase-file'], 'step-ca')),
    ...(signer === 'pkcs11' ? beside(['leaf-only'], 'a CA with an API') : beside(['pin-file'], 'pkcs11')),
  ];
}

const OF_APIS = ['credential-file', 'passphrase-file', 'profiles', 'tls-root'];

/** A context points to one host, and only one context is current. */
function sameContexts(hosts: readonly HostSpec[]): Problem[] {
  const before = firstOwners();
  const once = (name: string, key: string, id: string, message: (other: string) => string): Problem[] => {
    const other = before(id, name);
    return other === undefined ? [] : [{ path: ['hosts', name], key, message: message(other) }];
  };
  return hosts.flatMap(({ name, context, use, configDirectory }) => [
    ...(context === undefined
      ? []
      : once(name, 'context', `context ${context}`, (other) => `${other} has this context`)),
    ...(use ? once(name, 'use', 'use', (other) => `${other} has the current context already`) : []),
    ...(configDirectory
      ? once(name, 'config-directory', 'directory', (other) => `the directory holds the files for ${other}`)
      : []),
  ]);
}

/** docker dials the port of a host. */
function undialled(hosts: readonly HostSpec[]): Problem[] {
  return hosts.flatMap((host) => {
    const given = [
      ...(host.context === undefined ? [] : ['context']),
      ...(host.use ? ['use'] : []),
      ...(host.configDirectory ? ['config-directory'] : []),
    ];
    if (hasPort(host)) return [];
    return given.map((key) => ({
      path: ['hosts', host.name],
      key,
      message: `${key} needs a port, and listen: none opens none`,
    }));
  });
}

function doubleSsh(file: FleetFile): Problem[] {
  return Object.entries(file.hosts ?? {}).flatMap(([name, entry]) => {
    const ssh = entry !== null && typeof entry === 'object' ? entry.ssh : undefined;
    if (typeof ssh !== 'object' || ssh.destination === undefined) return [];
    const inDestination = {
      user: /@/.test(ssh.destination),
      port: /^(?:[^:]*|.*\]):\d+\/?$/.test(ssh.destination.replace(/^ssh:\/\//, '')),
    };
    return (['user', 'port'] as const)
      .filter((key) => ssh[key] !== undefined && inDestination[key])
      .map((key) => ({ path: ['hosts', name, 'ssh'], key, message: `${key} is given twice: here and in destination` }));
  });
}

function references(value: unknown, hosts: readonly string[], clients: readonly string[]): Problem[] {
  const known = { hosts: new Set(hosts), clients: new Set(clients) };
  const missing = (path: Path, entry: unknown, to: 'hosts' | 'clients'): Problem[] => {
    return listAt(entry, to).flatMap((name, index) => {
      if (typeof name !== 'string' || nameProblem(name) !== undefined || known[to].has(name)) return [];
      const near = nearestNames(name, to === 'hosts' ? hosts : clients);
      const hint =
        near.length > 0 ? `did you mean ${near.join(' or ')}?` : `write it under ${to}, even if only as \`${name}:\``;
      const what = to === 'hosts' ? 'host' : 'client';
      return [{ path: [...path, to, index], message: `there is no ${what} ${name} in this file`, hints: [hint] }];
    });
  };
  const top = section(value, undefined);
  return [
    ...missing(['defaults'], top.defaults, 'clients'),
    ...Object.entries(section(value, 'hosts')).flatMap(([name, entry]) => missing(['hosts', name], entry, 'clients')),
    ...Object.entries(section(value, 'clients')).flatMap(([name, entry]) => missing(['clients', name], entry, 'hosts')),
  ];
}

/** Access needs both sides: a client or host that lists the other without being listed is a mistake. */
function contradictions(file: FleetFile, hosts: readonly HostSpec[], clients: readonly ClientSpec[]): Problem[] {
  const hostByName = new Map(hosts.map((host) => [host.name, host]));
  const clientByName = new Map(clients.map((client) => [client.name, client]));
  const fromClients = clients.flatMap((client) =>
    (client.hosts ?? []).flatMap((name, index) => {
      const accepted = hostByName.get(name)?.clients;
      if (client.revoked || accepted === undefined || accepted.includes(client.name)) return [];
      return [
        {
          path: ['clients', client.name, 'hosts', index],
          message: `${client.name} names host ${name}, whose clients leave ${client.name} out`,
          hints: [`add ${client.name} to the clients of ${name}, or take ${name} out here`],
        },
      ];
    }),
  );
  const fromHosts = Object.entries(file.hosts ?? {}).flatMap(([name, entry]) => {
    const accepted = entry !== null && typeof entry === 'object' ? entry.clients : undefined;
    if (!Array.isArray(accepted)) return [];
    return accepted.flatMap((clientName, index) => {
      const client = clientByName.get(clientName);
      if (client === undefined || client.revoked || client.hosts === undefined || client.hosts.includes(name))
        return [];
      return [
        {
          path: ['hosts', name, 'clients', index],
          message: `${name} accepts client ${clientName}, whose hosts leave ${name} out`,
          hints: [`add ${name} to the hosts of ${clientName}, or take ${clientName} out here`],
        },
      ];
    });
  });
  return [...fromClients, ...fromHosts];
}
