/** The effective options of dockerd: its flags and daemon.json together, each by its name in daemon.json (`hosts`, `icc`, `log-opts`). */

import { at, entriesAt, type Json } from '../json.ts';
import { type Flag, flagValues } from './command-line.ts';
import type { DaemonJson } from './daemon-json.ts';
import { isMerged, isTrue, keyOfFlag } from './flags.ts';

/** What dockerd runs with, or would: every flag, those of variables included, and its configuration file. */
export type DaemonOptions = { readonly flags: readonly Flag[]; readonly json: DaemonJson };

export type Setting = { readonly values: readonly string[]; readonly place: string };

/** What the flags say of a setting, in their order; empty: no flag does. */
export function flagged({ flags }: DaemonOptions, key: string): readonly string[] {
  return flags.flatMap((flag) => (keyOfFlag(flag.name.slice(2)) === key ? flagValues([flag], flag.name) : []));
}

/** A setting as texts, maps as `key=value`, flags first; undefined when not given. */
export function setting(options: DaemonOptions, key: string): Setting | undefined {
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

/** The value that counts of one that is no list: the last flag wins. */
export function lastOf(options: DaemonOptions, key: string): string | undefined {
  return setting(options, key)?.values.at(-1);
}

/** A switch as dockerd sees it; `otherwise` is dockerd's own default. */
export function isOn(options: DaemonOptions, key: string, otherwise: boolean): boolean {
  const value = lastOf(options, key);
  return value === undefined ? otherwise : isTrue(value);
}

/** Where a setting is, for evidence; the file that would hold it when it is not given. */
export function placeOf(options: DaemonOptions, key: string): string {
  return setting(options, key)?.place ?? options.json.path;
}

/** Settings given in both places: dockerd refuses to start, even when they are equal. Only runtimes are merged (moby: skipDuplicates; seen on 20.10 to 28.5). */
export function givenTwice(options: DaemonOptions): readonly string[] {
  // 20.10 knows the old name of data-root in both places, and compares names.
  const given = options.flags.map(({ name }) => (name === '--graph' ? 'graph' : keyOfFlag(name.slice(2))));
  return Object.keys(options.json.values).filter((key) => !isMerged(key) && given.includes(key));
}

/**
 * How dockerd serves TCP. TLS is on wherever `tlsverify` is given at all, `false` included, and clients have to show a certificate wherever
 * TLS is on and `tlsverify` is not `false`: `tls` alone is enough (moby: loadDaemonCliConfig, newAPIServerTLSConfig; seen on 20.10, 26.1 and 28.5).
 */
export function tlsModeOf(options: DaemonOptions): 'none' | 'unverified' | 'verified' {
  if (setting(options, 'tlsverify') !== undefined) return isOn(options, 'tlsverify', false) ? 'verified' : 'unverified';
  return isOn(options, 'tls', false) ? 'verified' : 'none';
}
