/**
 * Edits to a fleet file that preserve comments, order, and values that equal the defaults. Every edit is parsed again before it is
 * returned: it must have the requested effect, and change nothing else.
 */

import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, Scalar, type YAMLMap } from 'yaml';
import * as z from 'zod/mini';
import { parseDestination } from '../../../core/domain/destination.ts';
import type { ClientSpec, HostSpec } from '../../../core/domain/settings.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type Fleet, parseFleet, withSudo } from './fleet.ts';
import { parseFleetDocument } from './fleet-document.ts';
import { clientEntry, fleetClient, hostEntry, hostOf } from './fleet-entry.ts';
import { clientValueSchema, type FleetEntry, type HostEntry, hostValueSchema } from './schema.ts';

const NEW_FILE = `# Docker hosts under mutual TLS. See what would change: docker-tls plan -f FILE; make it so: docker-tls apply -f FILE
version: 1

hosts:
`;

type EditOptions = {
  readonly path?: string;
  /** Reference to the host's sudo password: `env:NAME`, `file:PATH` or `prompt`; undefined keeps the file's value. */
  readonly sudoPassword?: string;
};

/**
 * The text with the host added or changed; undefined text makes a new file. Only values that differ from the file's and the built-in
 * defaults are written. Fails with E_FLEET if the text is not a fleet file, and with E_FLEET_DEFAULTS if its defaults give the host a value
 * that `spec` lacks and no entry can unset (both exit 2).
 */
export function addHostToFleet(text: string | undefined, spec: HostSpec, options: EditOptions = {}): string {
  const { path = 'fleet.yaml', sudoPassword } = options;
  const { fleet, yaml, print } = open(text, path);
  const { defaults } = fleet;
  const effect = (entry: unknown) => plain(hostOf(spec.name, z.parse(hostValueSchema, entry) as HostEntry, defaults));
  setEntry(yaml, 'hosts', spec.name, withSudo(hostEntry(spec, defaults), sudoPassword), effect);
  const edited = print();
  const after = parseFleet(edited, path);
  const written = after.hosts.find((host) => host.name === spec.name);
  const differing = differences(plain(spec), plain(written));
  if (differing.length > 0) {
    throw new DockerTlsError(
      'E_FLEET_DEFAULTS',
      `the defaults of the file give ${spec.name} something it has not: ${differing.join(', ')}`,
      {
        where: path,
        hints: ['move it from defaults to the hosts that have it', `or give ${spec.name} a value of its own`],
      },
    );
  }
  assertRest(fleet, after, path, { hosts: spec.name });
  return edited;
}

/** The text with the client added or changed. Fails with E_FLEET (exit 2). */
export function addClientToFleet(text: string | undefined, spec: ClientSpec, path = 'fleet.yaml'): string {
  const { fleet, yaml, print } = open(text, path);
  setEntry(yaml, 'clients', spec.name, clientEntry(spec), (entry) =>
    plain(fleetClient(spec.name, z.parse(clientValueSchema, entry) as FleetEntry | null)),
  );
  const edited = print();
  assertRest(fleet, parseFleet(edited, path), path, { clients: spec.name });
  return edited;
}

type Style = NonNullable<Parameters<Document['toString']>[0]>;

type Opened = {
  readonly fleet: Fleet;
  readonly yaml: Document;
  print(): string;
};

function open(text: string | undefined, path: string): Opened {
  const source = text === undefined || text.trim() === '' ? NEW_FILE : text;
  const fleet = parseFleet(source, path);
  const yaml = parseFleetDocument(source, path).yaml as unknown as Document;
  const style = styleOf(source);
  const before = yaml.toString(style);
  return {
    fleet,
    yaml,
    print() {
      let after: string;
      try {
        after = yaml.toString(style);
      } catch (cause) {
        // The library throws a plain error for an alias whose anchor the change removed.
        throw hangsTogether(path, cause);
      }
      return stitched(source, before, after, path);
    },
  };
}

/**
 * Keeps the author's spacing. The yaml library reformats the whole document, so its output before and after the change is compared:
 * lines above and below the difference come from the source if they correspond.
 */
function stitched(source: string, before: string, after: string, path: string): string {
  if (before === after) return source;
  const [own, old, now] = [source, before, after].map((text) => text.replace(/\n$/, '').split('\n')) as [
    string[],
    string[],
    string[],
  ];
  if (own.length !== old.length) return after;
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < most - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const lines = [...own.slice(0, head), ...now.slice(head, now.length - tail), ...own.slice(own.length - tail)];
  const text = `${lines.join('\n')}\n`;
  return meansTheSame(text, after, path) ? text : after;
}

function meansTheSame(left: string, right: string, path: string): boolean {
  try {
    return isDeepStrictEqual(parseFleet(left, path), parseFleet(right, path));
  } catch {
    // The caller parses the text and reports its errors.
    return false;
  }
}

/** Style of the text that the yaml library does not detect. */
function styleOf(text: string): Style {
  const indent = /^( +)\S/m.exec(text.replace(/^ *#.*$/gm, ''))?.[1]?.length ?? 2;
  // Lists indented like their key.
  const flat = /^( *)[^\s#-][^\n]*:[ \t]*\n(?:\1#[^\n]*\n)*\1- /m.test(text);
  const padded = !/\{[^\s}]/.test(text);
  return {
    lineWidth: 0,
    nullStr: '',
    indent: Math.min(Math.max(indent, 2), 8),
    indentSeq: !flat,
    flowCollectionPadding: padded,
  };
}

/** Writes one entry of hosts or clients; in an existing entry, only the values that change its effect. */
function setEntry(
  yaml: Document,
  section: 'hosts' | 'clients',
  name: string,
  entry: unknown,
  effect: (entry: unknown) => unknown,
): void {
  let map = yaml.get(section, true) as unknown;
  if (!isMap(map) || map.items.length === 0) {
    map = blockMap(yaml, {});
    const kept = yaml.get(section, true);
    if (isScalar(kept) || isMap(kept)) copyComments(kept, map as YAMLMap);
    if (yaml.has(section)) yaml.set(section, map);
    else {
      const key = new Scalar(section);
      key.spaceBefore = true;
      (yaml.contents as YAMLMap).add(yaml.createPair(key, map));
    }
  }
  const entries = map as YAMLMap;
  const existing = entries.get(name, true) as unknown;
  if (isMap(existing)) {
    const wanted = typeof entry === 'string' ? { ssh: entry } : (entry ?? {});
    merge(yaml, existing, wanted as Record<string, unknown>, effect);
  } else if (isScalar(existing) && !hasSudo(entry) && isDeepStrictEqual(effect(existing.value), effect(entry))) {
    // The existing value has the same effect.
  } else if (typeof entry === 'object' && entry !== null) {
    const grown = blockMap(yaml, entry);
    if (isScalar(existing)) copyComments(existing, grown);
    entries.set(name, grown);
  } else entries.set(name, entry === null ? yaml.createNode(null) : entry);
}

function hasSudo(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'sudo-password' in entry;
}

function merge(
  yaml: Document,
  map: YAMLMap,
  wanted: Readonly<Record<string, unknown>>,
  effect: (entry: unknown) => unknown,
): void {
  const now = map.toJS(yaml) as Record<string, unknown>;
  const goal = effect(wanted);
  for (const [key, value] of Object.entries(wanted)) {
    // Equivalent values stay as written: `90s` for 90, a map for a short ssh.
    if (key !== 'sudo-password' && key in now && isDeepStrictEqual(effect({ ...wanted, [key]: now[key] }), goal))
      continue;
    const old = map.get(key, true) as unknown;
    if (key === 'ssh' && isMap(old)) mergeSsh(yaml, old, value as string | object);
    else map.set(key, typeof value === 'object' ? yaml.createNode(value) : value);
  }
  for (const key of Object.keys(now)) {
    if (key in wanted || key === 'sudo-password') continue;
    if (!isDeepStrictEqual(effect({ ...wanted, [key]: now[key] }), goal)) map.delete(key);
  }
}

function mergeSsh(yaml: Document, map: YAMLMap, value: string | object): void {
  const wanted: Record<string, unknown> = typeof value === 'string' ? { ...parseDestination(value) } : { ...value };
  for (const key of Object.keys(map.toJS(yaml) as object)) if (!(key in wanted)) map.delete(key);
  for (const [key, one] of Object.entries(wanted)) {
    if (!isDeepStrictEqual((map.toJS(yaml) as Record<string, unknown>)[key], one)) {
      map.set(key, typeof one === 'object' ? yaml.createNode(one) : one);
    }
  }
}

function blockMap(yaml: Document, value: object): YAMLMap {
  const map = yaml.createNode(value) as YAMLMap;
  map.flow = false;
  return map;
}

/** Comments after a short form move above the first line of the map that replaces it. */
function copyComments(from: Scalar | YAMLMap, to: YAMLMap): void {
  const comments = [from.commentBefore, from.comment].filter((one) => typeof one === 'string');
  if (comments.length > 0) to.commentBefore = comments.join('\n');
}

/** All other entries must keep their meaning; a difference is a bug of docker-tls, or an alias of the changed value. */
function assertRest(before: Fleet, after: Fleet, path: string, edited: { hosts?: string; clients?: string }): void {
  const rest = (fleet: Fleet) => ({
    ca: fleet.ca,
    defaults: fleet.defaults,
    hosts: fleet.hosts.filter(({ name }) => name !== edited.hosts),
    clients: fleet.clients.filter(({ name }) => name !== edited.clients),
  });
  if (!isDeepStrictEqual(plain(rest(before)), plain(rest(after)))) throw hangsTogether(path);
}

function hangsTogether(path: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError(
    'E_FLEET_EDIT',
    'other entries of the file hang on this one, by an anchor (&) and an alias (*)',
    { where: path, hints: ['write the values out where the alias is, then try again'], cause },
  );
}

function differences(left: Record<string, unknown>, right: Record<string, unknown>): string[] {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].filter((key) => !isDeepStrictEqual(left[key], right[key]));
}

/** The JSON form, without undefined values; ssh's empty lists count as unset. */
function plain(value: unknown): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(value ?? {})) as Record<string, unknown>;
  const ssh = copy.ssh as Record<string, unknown> | undefined;
  for (const [key, one] of Object.entries(ssh ?? {})) if (Array.isArray(one) && one.length === 0) delete ssh?.[key];
  return copy;
}
