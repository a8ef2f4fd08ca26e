/** Conversion between fleet file entries and complete HostSpecs or ClientSpecs; defaults are not written. */

import * as z from 'zod/mini';
import { destinationWords, parseDestination } from '../../../core/domain/destination.ts';
import { given } from '../../../core/domain/given.ts';
import { fleetKey, type Settings } from '../../../core/domain/setting.ts';
import {
  CLIENT_DEFAULTS,
  CLIENT_SETTINGS,
  type ClientSpec,
  completeHost,
  completeSettings,
  HOST_SETTINGS,
  type HostSettings,
  type HostSpec,
  SSH_SETTINGS,
  type SshSpec,
  type ValuesOf,
} from '../../../core/domain/settings.ts';
import type { FleetEntry, HostEntry, SshEntry } from './schema.ts';

/** Defaults of a fleet's hosts. */
export type HostDefaults = Partial<HostSettings> & { readonly ssh?: Partial<SshSpec> };

/** Values of a parsed entry. `all` for a list is undefined, and so overrides the default. */
export function entryValues<T extends Settings>(table: T, entry: FleetEntry): Partial<ValuesOf<T>> {
  const given = Object.entries(table).filter(([field, setting]) => fleetKey(field, setting) in entry);
  return Object.fromEntries(given.map(([field, setting]) => [field, entry[fleetKey(field, setting)]])) as Partial<
    ValuesOf<T>
  >;
}

/** Shortest written entry that results in `values` on top of `inherited`. */
function entryOf(
  table: Settings,
  values: Readonly<Record<string, unknown>>,
  inherited: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entry: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries(table)) {
    const value = values[field];
    if (same(value, inherited[field])) continue;
    // undefined has a written form if the setting has a keyword for it (`all`).
    const written = value === undefined ? z.safeEncode(setting.schema, value).data : z.encode(setting.schema, value);
    if (written !== undefined) entry[fleetKey(field, setting)] = written;
  }
  return entry;
}

export function defaultsOf(entry: FleetEntry & { readonly ssh?: SshEntry } = {}): HostDefaults {
  return { ...entryValues(HOST_SETTINGS, entry), ssh: entryValues(SSH_SETTINGS, entry.ssh ?? {}) };
}

/** A complete host. Fails with E_HOST_NAME (exit 2) if the name itself is the ssh destination and is invalid as one. */
export function hostOf(name: string, entry: HostEntry | string | null, defaults: HostDefaults): HostSpec {
  const own: HostEntry = entry === null ? {} : typeof entry === 'string' ? { ssh: entry } : entry;
  const reach: SshEntry = typeof own.ssh === 'string' ? { destination: own.ssh } : (own.ssh ?? {});
  const ssh = {
    ...defaults.ssh,
    ...parseDestination(reach.destination ?? name),
    ...entryValues(SSH_SETTINGS, reach),
  };
  return completeHost({ ...defaults, ...entryValues(HOST_SETTINGS, own), name, ssh: withoutEmpty(ssh) as SshSpec });
}

/** Shortest entry that hostOf converts to `spec`. It cannot unset a default that `spec` lacks: the caller compares. */
export function hostEntry(spec: HostSpec, defaults: HostDefaults): HostEntry | string | null {
  const ssh = sshEntry(spec, defaults.ssh ?? {});
  const entry = entryOf(HOST_SETTINGS, spec, completeSettings(HOST_SETTINGS, defaults));
  if (Object.keys(entry).length === 0 && typeof ssh !== 'object') return ssh ?? null;
  return ssh === undefined ? entry : { ssh, ...entry };
}

export function fleetClient(name: string, entry: FleetEntry | null): ClientSpec {
  return { name, ...completeSettings(CLIENT_SETTINGS, entryValues(CLIENT_SETTINGS, entry ?? {})) };
}

export function clientEntry(spec: ClientSpec): FleetEntry | null {
  const entry = entryOf(CLIENT_SETTINGS, spec, CLIENT_DEFAULTS);
  return Object.keys(entry).length === 0 ? null : entry;
}

/** Written form of `ssh`: nothing, `[user@]name[:port]`, or a map. */
function sshEntry({ name, ssh }: HostSpec, defaults: Partial<SshSpec>): SshEntry | string | undefined {
  const written = writtenSsh(ssh, defaults);
  const ownKeys = Object.keys(written);
  const named = same(parsed(name), { destination: ssh.destination });
  if (named && ownKeys.length === 0) return undefined;
  if (ownKeys.every((key) => key === 'user' || key === 'port')) {
    const { user, port } = written;
    const wanted = { destination: ssh.destination, user, port };
    const text = destinationWords(wanted);
    if (same(parsed(text), wanted)) return text;
  }
  return named ? written : { destination: ssh.destination, ...written };
}

function writtenSsh(ssh: Partial<SshSpec>, defaults: Partial<SshSpec>): SshEntry {
  // An empty list overrides a list of the defaults.
  const emptied = Object.entries(defaults).map(([field, value]) => [field, Array.isArray(value) ? [] : value]);
  return entryOf(SSH_SETTINGS, { ...Object.fromEntries(emptied), ...given(ssh) }, defaults);
}

function parsed(destination: string): ReturnType<typeof parseDestination> | undefined {
  try {
    return parseDestination(destination);
  } catch {
    return undefined;
  }
}

/** Treats empty lists of ssh as unset. */
function withoutEmpty(ssh: Partial<SshSpec>): Partial<SshSpec> {
  return Object.fromEntries(
    Object.entries(ssh).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}

/** Compares JSON forms: scalars, ordered lists, names of certificates. */
function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
