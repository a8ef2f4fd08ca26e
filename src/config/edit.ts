/**
 * Owns changes to a fleet file that keep everything else of it: comments, order, values that were written though they are
 * defaults. Every edit is read back before it is given out: it says what was asked for, and nothing else has changed.
 */

import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, Scalar, type YAMLMap } from 'yaml';
import { DockerTlsError } from '../errors.ts';
import { parseDestination } from './destination.ts';
import { type Fleet, parseFleet, readFleet, withSudo } from './fleet.ts';
import { clientEntry, clientOf, hostEntry, hostOf } from './fleet-entry.ts';
import type { HostEntry } from './schema.ts';
import type { ClientSpec, HostSpec } from './spec.ts';

const NEW_FILE = `# Docker hosts under mutual TLS. See what would change: docker-tls plan -f FILE; make it so: docker-tls apply -f FILE
version: 1

hosts:
`;

export type EditOptions = {
  /** For messages. */
  readonly path?: string;
  /** Reference to the host's sudo password, `env:NAME`, `file:PATH` or `prompt`; undefined: as the file has it. */
  readonly sudoPassword?: string;
};

/**
 * The text with the host in it, new or changed; undefined makes a new file. Only what differs from the file's and the built-in
 * defaults is written. Fails with E_FLEET, when the text is no fleet file, and E_FLEET_DEFAULTS (both exit 2), when its defaults give
 * the host something that `spec` has not and no entry can take back.
 */
export function addHostToFleet(text: string | undefined, spec: HostSpec, options: EditOptions = {}): string {
  const { path = 'fleet.yaml', sudoPassword } = options;
  const { fleet, yaml, style } = open(text, path);
  const { defaults } = fleet;
  const effect = (entry: unknown) => plain(hostOf(spec.name, entry as HostEntry, defaults));
  setEntry(yaml, 'hosts', spec.name, withSudo(hostEntry(spec, defaults), sudoPassword), effect);
  const edited = yaml.toString(style);
  const after = parseFleet(edited, path);
  const written = after.hosts.find((host) => host.name === spec.name);
  const differing = differences(plain(spec), plain(written));
  if (differing.length > 0) {
    throw new DockerTlsError({
      code: 'E_FLEET_DEFAULTS',
      exit: 2,
      message: `the defaults of the file give ${spec.name} something it has not: ${differing.join(', ')}`,
      where: path,
      hints: ['move it from defaults to the hosts that have it', `or give ${spec.name} a value of its own`],
    });
  }
  assertRest(fleet, after, path, { hosts: spec.name });
  return edited;
}

/** The text with the client in it, new or changed. Fails with E_FLEET (exit 2). */
export function addClientToFleet(text: string | undefined, spec: ClientSpec, path = 'fleet.yaml'): string {
  const { fleet, yaml, style } = open(text, path);
  setEntry(yaml, 'clients', spec.name, clientEntry(spec), (entry) => plain(clientOf(spec.name, entry as null)));
  const edited = yaml.toString(style);
  assertRest(fleet, parseFleet(edited, path), path, { clients: spec.name });
  return edited;
}

/**
 * The text with `value` at `keys` (`['hosts', 'build-1', 'port']`); undefined takes the key out. Fails with E_FLEET (exit 2) when that
 * makes no fleet file: a key that does not exist, a client that hosts still name.
 */
export function setInFleet(
  text: string | undefined,
  keys: readonly string[],
  value: unknown,
  path = 'fleet.yaml',
): string {
  const { yaml, style } = open(text, path);
  if (value === undefined) {
    if (yaml.hasIn(keys)) yaml.deleteIn(keys);
  } else {
    for (let length = 1; length < keys.length; length += 1) {
      const parent = keys.slice(0, length);
      const node = yaml.getIn(parent, true);
      if (isMap(node)) continue;
      // `hosts: { build-1: root@x }` and `ssh: root@x` become maps before something is put beside.
      const asMap = isScalar(node) && typeof node.value === 'string' ? expanded(parent, node.value) : {};
      yaml.setIn(parent, blockMap(yaml, asMap));
    }
    yaml.setIn(keys, yaml.createNode(value));
  }
  const edited = yaml.toString(style);
  parseFleet(edited, path);
  return edited;
}

type Style = NonNullable<Parameters<Document['toString']>[0]>;

function open(text: string | undefined, path: string): { fleet: Fleet; yaml: Document; style: Style } {
  const source = text === undefined || text.trim() === '' ? NEW_FILE : text;
  const { fleet, document } = readFleet(source, path);
  return { fleet, yaml: document.yaml as unknown as Document, style: styleOf(source) };
}

/** What of the text's manner the yaml library does not keep by itself. */
function styleOf(text: string): Style {
  const indent = /^( +)\S/m.exec(text.replace(/^ *#.*$/gm, ''))?.[1]?.length ?? 2;
  // A list that begins where its key begins.
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

/** Writes one entry of hosts or clients; where one is there, only what differs in effect. */
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
  } else if (isScalar(existing) && same(effect(existing.value), effect(entry))) {
    if (typeof entry === 'object' && entry !== null && 'sudo-password' in entry)
      entries.set(name, yaml.createNode(entry));
  } else entries.set(name, entry === null ? null : typeof entry === 'string' ? entry : blockMap(yaml, entry as object));
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
    // What means the same stays as it was written: `90s` for 90, a map for a short ssh.
    if (key !== 'sudo-password' && key in now && same(effect({ ...wanted, [key]: now[key] }), goal)) continue;
    const old = map.get(key, true) as unknown;
    if (key === 'ssh' && isMap(old)) mergeSsh(yaml, old, value as string | object);
    else map.set(key, typeof value === 'object' ? yaml.createNode(value) : value);
  }
  for (const key of Object.keys(now)) {
    if (key in wanted || key === 'sudo-password') continue;
    if (!same(effect({ ...wanted, [key]: now[key] }), goal)) map.delete(key);
  }
}

function mergeSsh(yaml: Document, map: YAMLMap, value: string | object): void {
  const wanted: Record<string, unknown> = typeof value === 'string' ? { ...parseDestination(value) } : { ...value };
  for (const key of Object.keys(map.toJS(yaml) as object)) if (!(key in wanted)) map.delete(key);
  for (const [key, one] of Object.entries(wanted)) {
    if (!same((map.toJS(yaml) as Record<string, unknown>)[key], one)) {
      map.set(key, typeof one === 'object' ? yaml.createNode(one) : one);
    }
  }
}

/** The map that a short form stands for. */
function expanded(keys: readonly string[], text: string): object {
  if (keys[0] === 'hosts' && keys.length === 2) return { ssh: text };
  return keys.at(-1) === 'ssh' ? parseDestination(text) : {};
}

function blockMap(yaml: Document, value: object): YAMLMap {
  const map = yaml.createNode(value) as YAMLMap;
  map.flow = false;
  return map;
}

function copyComments(from: Scalar | YAMLMap, to: YAMLMap): void {
  if (from.commentBefore) to.commentBefore = from.commentBefore;
  if (from.comment) to.comment = from.comment;
}

/** Anything else in the file has to mean what it meant; that it does not is a bug of ours (or an alias that hung on what was changed). */
function assertRest(before: Fleet, after: Fleet, path: string, edited: { hosts?: string; clients?: string }): void {
  const rest = (fleet: Fleet) => ({
    ca: fleet.ca,
    defaults: fleet.defaults,
    hosts: fleet.hosts.filter(({ name }) => name !== edited.hosts),
    clients: fleet.clients.filter(({ name }) => name !== edited.clients),
  });
  if (isDeepStrictEqual(plain(rest(before)), plain(rest(after)))) return;
  throw new DockerTlsError({
    code: 'E_FLEET_EDIT',
    exit: 2,
    message: 'other entries of the file hang on this one, by an anchor (&) and an alias (*)',
    where: path,
    hints: ['write the values out where the alias stands, then try again'],
  });
}

function differences(left: Record<string, unknown>, right: Record<string, unknown>): string[] {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].filter((key) => !isDeepStrictEqual(left[key], right[key]));
}

/** As JSON has it: without what is undefined; ssh's empty lists mean none. */
function plain(value: unknown): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(value ?? {})) as Record<string, unknown>;
  const ssh = copy.ssh as Record<string, unknown> | undefined;
  for (const [key, one] of Object.entries(ssh ?? {})) if (Array.isArray(one) && one.length === 0) delete ssh?.[key];
  return copy;
}

function same(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(left, right);
}
