/** Owns the two ways between an entry of the fleet file and a complete HostSpec or ClientSpec; only what is no default is written. */

import { destinationWords, parseDestination } from './destination.ts';
import { confirmSeconds } from './fleet-time.ts';
import type { ClientEntry, DefaultsEntry, HostEntry, SshEntry } from './schema.ts';
import { type ClientSpec, completeHost, DEFAULTS, type HostSpec, type SshSpec } from './spec.ts';

/** What belongs to one host, and never to the defaults of all. */
const OWN = ['address', 'context', 'use', 'configDirectory'] as const satisfies readonly (keyof HostSpec)[];
type Own = (typeof OWN)[number];

/** What every host of a fleet has unless it says otherwise. */
export type HostDefaults = Partial<Omit<HostSpec, 'name' | 'ssh' | Own>> & {
  readonly ssh?: Partial<Omit<SshSpec, 'destination'>>;
};

/** Field of HostSpec to key in the file, where the value is the same in both. A new field does not compile without its key. */
const HOST_KEYS = {
  address: 'address',
  port: 'port',
  listen: 'listen',
  sans: 'sans',
  keyType: 'key-type',
  days: 'days',
  containers: 'containers',
  keys: 'keys',
  liveRestore: 'live-restore',
  keep: 'keep',
  harden: 'harden',
  context: 'context',
  use: 'use',
  configDirectory: 'config-directory',
} as const satisfies Record<Exclude<keyof HostSpec, 'name' | 'ssh' | 'clients' | 'confirmWithin'>, keyof HostEntry>;

const SSH_KEYS = {
  user: 'user',
  port: 'port',
  identities: 'identities',
  configFile: 'config',
  jump: 'jump',
  transport: 'transport',
  hostKey: 'host-key',
} as const satisfies Record<Exclude<keyof SshSpec, 'destination'>, keyof SshEntry>;

const hostKeys = Object.entries(HOST_KEYS) as [keyof typeof HOST_KEYS, keyof HostEntry][];
const sshKeys = Object.entries(SSH_KEYS) as [keyof typeof SSH_KEYS, keyof SshEntry][];

/** The fields that `defaults` sets. */
export function defaultsOf(entry: DefaultsEntry = {}): HostDefaults {
  const ssh = sshFields(entry.ssh ?? {});
  return { ...hostFields(entry), ...(Object.keys(ssh).length === 0 ? {} : { ssh }) };
}

/** A complete host. Fails with E_HOST_NAME (exit 2) where the name itself is dialled and cannot be. */
export function hostOf(name: string, entry: HostEntry | string | null, defaults: HostDefaults): HostSpec {
  const own: HostEntry = entry === null ? {} : typeof entry === 'string' ? { ssh: entry } : entry;
  const reach: SshEntry = typeof own.ssh === 'string' ? { destination: own.ssh } : (own.ssh ?? {});
  const ssh = { ...defaults.ssh, ...parseDestination(reach.destination ?? name), ...sshFields(reach) };
  // `all` takes a list of the defaults back.
  const { clients: everybody, ...inherited } = defaults;
  const clients = own.clients === undefined ? everybody : own.clients === 'all' ? undefined : own.clients;
  return completeHost({ ...inherited, ...hostFields(own), clients, name, ssh: withoutEmpty(ssh) as SshSpec });
}

/** The shortest entry that hostOf makes `spec` of. A default that `spec` has not is kept out of sight: the caller compares. */
export function hostEntry(spec: HostSpec, defaults: HostDefaults): HostEntry | string | null {
  const inherited = completeHost({ ...defaults, name: spec.name, ssh: { destination: spec.name } });
  const entry: Record<string, unknown> = {};
  const ssh = sshEntry(spec, defaults.ssh ?? {});
  if (ssh !== undefined) entry.ssh = ssh;
  for (const [field, key] of hostKeys) {
    if (spec[field] !== undefined && !same(spec[field], inherited[field])) entry[key] = spec[field];
  }
  if (spec.confirmWithin !== inherited.confirmWithin) entry['confirm-within'] = spec.confirmWithin;
  if (!same(spec.clients, inherited.clients)) entry.clients = spec.clients ?? 'all';
  const keys = Object.keys(entry);
  if (keys.length === 0) return null;
  return keys.length === 1 && typeof entry.ssh === 'string' ? entry.ssh : (entry as HostEntry);
}

/** The shortest `defaults`; undefined where there is nothing to say. */
export function defaultsEntry(defaults: HostDefaults): DefaultsEntry | undefined {
  const entry: Record<string, unknown> = {};
  const ssh = writtenSsh(defaults.ssh ?? {}, {});
  if (Object.keys(ssh).length > 0) entry.ssh = ssh;
  for (const [field, key] of hostKeys) {
    if (!isOwn(field) && defaults[field] !== undefined) entry[key] = defaults[field];
  }
  if (defaults.confirmWithin !== undefined) entry['confirm-within'] = defaults.confirmWithin;
  if (defaults.clients !== undefined) entry.clients = defaults.clients;
  return Object.keys(entry).length === 0 ? undefined : (entry as DefaultsEntry);
}

export function clientOf(name: string, entry: ClientEntry | null): ClientSpec {
  const hosts = entry?.hosts === 'all' ? undefined : entry?.hosts;
  return {
    name,
    keyType: entry?.['key-type'] ?? DEFAULTS.keyType,
    days: entry?.days ?? DEFAULTS.days,
    ...(hosts === undefined ? {} : { hosts }),
    ...(entry?.revoked ? { revoked: true } : {}),
  };
}

export function clientEntry(spec: ClientSpec): ClientEntry | null {
  const entry: ClientEntry = {
    ...(spec.keyType === DEFAULTS.keyType ? {} : { 'key-type': spec.keyType }),
    ...(spec.days === DEFAULTS.days ? {} : { days: spec.days }),
    ...(spec.hosts === undefined ? {} : { hosts: [...spec.hosts] }),
    ...(spec.revoked ? { revoked: true } : {}),
  };
  return Object.keys(entry).length === 0 ? null : entry;
}

function isOwn(field: keyof HostSpec): field is Own {
  return OWN.some((own) => own === field);
}

function hostFields(entry: HostEntry | DefaultsEntry): Partial<Omit<HostSpec, 'name' | 'ssh'>> {
  const fields: Record<string, unknown> = {};
  for (const [field, key] of hostKeys) {
    const value = (entry as HostEntry)[key];
    if (value !== undefined) fields[field] = value;
  }
  const confirm = entry['confirm-within'];
  if (confirm !== undefined) fields.confirmWithin = confirmSeconds(confirm);
  if (entry.clients !== undefined && entry.clients !== 'all') fields.clients = entry.clients;
  return fields as Partial<HostSpec>;
}

function sshFields(entry: SshEntry): Partial<SshSpec> {
  const fields: Record<string, unknown> = {};
  for (const [field, key] of sshKeys) {
    const value = entry[key];
    if (value !== undefined) fields[field] = value;
  }
  return fields as Partial<SshSpec>;
}

/** What has to be written for `ssh`: nothing, `[user@]name[:port]`, or a map. */
function sshEntry({ name, ssh }: HostSpec, defaults: Partial<SshSpec>): SshEntry | string | undefined {
  const written = writtenSsh(ssh, defaults);
  const ownKeys = Object.keys(written);
  const named = same(parsed(name), { destination: ssh.destination });
  if (named && ownKeys.length === 0) return undefined;
  if (ownKeys.every((key) => key === 'user' || key === 'port')) {
    const text = destinationWords({ ...(written as typeof ssh), destination: ssh.destination });
    const { user: wantedUser, port } = written;
    const wanted = {
      destination: ssh.destination,
      ...(wantedUser ? { user: wantedUser } : {}),
      ...(port ? { port } : {}),
    };
    if (same(parsed(text), wanted)) return text;
  }
  return { ...(named ? {} : { destination: ssh.destination }), ...written };
}

function writtenSsh(ssh: Partial<SshSpec>, defaults: Partial<SshSpec>): SshEntry {
  const entry: Record<string, unknown> = {};
  for (const [field, key] of sshKeys) {
    // A list of the defaults is taken back by an empty one.
    const value = ssh[field] ?? (Array.isArray(defaults[field]) && defaults[field].length > 0 ? [] : undefined);
    if (value !== undefined && !same(value, defaults[field])) entry[key] = value;
  }
  return entry as SshEntry;
}

function parsed(destination: string): ReturnType<typeof parseDestination> | undefined {
  try {
    return parseDestination(destination);
  } catch {
    return undefined;
  }
}

/** Empty lists of ssh mean the same as none. */
function withoutEmpty(ssh: SshSpec): Partial<SshSpec> {
  return Object.fromEntries(
    Object.entries(ssh).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}

/** Values of entries: scalars, and lists of scalars in their order. */
function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
