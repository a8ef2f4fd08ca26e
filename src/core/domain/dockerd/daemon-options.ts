/** Effective options of dockerd from flags and daemon.json, by their names in daemon.json (`hosts`, `icc`, `log-opts`). */

import { at, entriesAt, type Json } from '../json.ts';
import { type Flag, flagValues } from './command-line.ts';
import type { DaemonJson } from './daemon-json.ts';
import { isMerged, isTrue, keyOfFlag } from './flags.ts';

/** Options of dockerd, running or planned: every flag, including those from variables, and its configuration file. */
type DaemonOptions = { readonly flags: readonly Flag[]; readonly json: DaemonJson };

type DaemonSetting = { readonly values: readonly string[]; readonly place: string };

/** Values of a setting from the flags, in order; empty: no flag sets it. */
export function flagged({ flags }: DaemonOptions, key: string): readonly string[] {
  return flags.flatMap((flag) => (keyOfFlag(flag.name.slice(2)) === key ? flagValues([flag], flag.name) : []));
}

/** A setting as texts, maps as `key=value`; flags take precedence; undefined if not set. */
export function setting(options: DaemonOptions, key: string): DaemonSetting | undefined {
  const flags = flagged(options, key);
  if (flags.length > 0) return { values: flags, place: 'command line of dockerd' };
  const value = at(options.json.values, key);
  if (value === undefined || value === null) return undefined;
  return { values: asTexts(value), place: options.json.path };
}

function asTexts(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(asTexts);
  if (typeof value === 'string') return [value];
  if (typeof value === 'boolean' || typeof value === 'number') return [String(value)];
  return entriesAt(value).map(
    ([key, item]) => `${key}=${typeof item === 'object' ? JSON.stringify(item) : String(item)}`,
  );
}

/** Effective value of a scalar setting: the last flag wins. */
export function lastOf(options: DaemonOptions, key: string): string | undefined {
  return setting(options, key)?.values.at(-1);
}

/** Value of a switch as dockerd interprets it; `otherwise` is dockerd's default. */
export function isOn(options: DaemonOptions, key: string, otherwise: boolean): boolean {
  const value = lastOf(options, key);
  return value === undefined ? otherwise : isTrue(value);
}

/**
 * Settings in both places: dockerd refuses to start, even if they are equal. Only runtimes are merged (moby: skipDuplicates; seen on 20.10
 * to 28.5).
 */
export function givenTwice(options: DaemonOptions): readonly string[] {
  // 20.10 knows the old name of data-root in both places, and compares names.
  const given = options.flags.map(({ name }) => (name === '--graph' ? 'graph' : keyOfFlag(name.slice(2))));
  return Object.keys(options.json.values).filter((key) => !isMerged(key) && given.includes(key));
}

/**
 * dockerd's TLS mode for TCP. TLS is on if `tlsverify` is set at all, even to `false`. Clients need a certificate if TLS is on and
 * `tlsverify` is not `false`: `tls` alone is enough (moby: loadDaemonCliConfig, newAPIServerTLSConfig; seen on 20.10, 26.1 and 28.5).
 */
export function tlsModeOf(options: DaemonOptions): 'none' | 'unverified' | 'verified' {
  if (setting(options, 'tlsverify') !== undefined) return isOn(options, 'tlsverify', false) ? 'verified' : 'unverified';
  return isOn(options, 'tls', false) ? 'verified' : 'none';
}
