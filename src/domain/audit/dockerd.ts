/**
 * Owns the effective options of dockerd: its real command line and daemon.json together, whatever their spelling.
 * Flags may be `--flag=value`, `--flag value`, `-H value`, `-Hvalue`; daemon.json may be of any layout.
 * Source: docker/docs reference `dockerd`, and spf13/pflag, which dockerd reads its flags with.
 */

import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { parseFlags } from '../dockerd/command-line.ts';
import { isMerged, isSwitch, isTrue, keyOfFlag } from '../dockerd/flags.ts';
import { tlsMode } from '../dockerd/tls-mode.ts';
import { at, entriesAt, type Json, textsAt } from '../json.ts';
import { ulimitText } from './api.ts';

/** Flags by setting name, with all values in order; a switch without a value is `true`. The first word is the program. */
export function parseArguments(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const flag of parseFlags(words.slice(1).map((text) => ({ raw: text, text })))) {
    const name = keyOfFlag(flag.name.replace(/^-+/, ''));
    if (name !== '') found.set(name, [...(found.get(name) ?? []), flag.value ?? (isSwitch(name) ? 'true' : '')]);
  }
  return found;
}

export type DaemonJson = {
  readonly path: string;
  /** Undefined when there is no such file. */
  readonly text: string | undefined;
  readonly value: Json;
  /** Why dockerd will not take the file, with line numbers; empty when it will. */
  readonly errors: readonly string[];
};

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/**
 * Parses as strictly as dockerd does: no comments, no trailing commas, one object (or null, which is none).
 * Of a key that is there twice it takes the last one (seen with `dockerd --validate` on 26.1 and 28.5).
 */
export function parseDaemonJson(path: string, text: string | undefined): DaemonJson {
  if (text === undefined) return { path, text, value: undefined, errors: [] };
  const errors: string[] = [];
  const problems: ParseError[] = [];
  if (text.trim() === '') return { path, text, value: {}, errors };
  const strict = { disallowComments: true, allowTrailingComma: false };
  // dockerd reads over a byte order mark since 23.0 (config.1 knows which dockerd it is).
  const body = text.replace(/^\ufeff/, '');
  const value: Json = parse(body, problems, strict);
  for (const problem of problems.slice(0, 3)) {
    errors.push(`line ${lineOf(body, problem.offset)}: ${printParseErrorCode(problem.error)}`);
  }
  if (problems.length === 0 && (typeof value !== 'object' || Array.isArray(value))) {
    errors.push('line 1: not an object');
  }
  return { path, text, value: typeof value === 'object' && value !== null ? value : {}, errors };
}

export type Setting = { readonly values: readonly string[]; readonly place: string };

/** What dockerd runs with. */
export type DaemonOptions = {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly file: DaemonJson;
};

function asTexts(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(asTexts);
  if (typeof value === 'string') return [value];
  if (typeof value === 'boolean' || typeof value === 'number') return [String(value)];
  return entriesAt(value).map(
    ([key, item]) => `${key}=${typeof item === 'object' ? JSON.stringify(item) : String(item)}`,
  );
}

/** A setting by its name in daemon.json (`hosts`, `icc`, `log-opts` as `key=value`), flags first; undefined when not given. */
export function setting(options: DaemonOptions, name: string): Setting | undefined {
  const flag = options.flags.get(name);
  if (flag !== undefined) return { values: flag, place: 'command line of dockerd' };
  const value = at(options.file.value, name);
  if (value === undefined || value === null) return undefined;
  return { values: asTexts(value), place: options.file.path };
}

/** A switch as dockerd sees it: the last flag wins; `otherwise` is dockerd's own default. */
export function isOn(options: DaemonOptions, name: string, otherwise: boolean): boolean {
  const value = setting(options, name)?.values.at(-1);
  return value === undefined ? otherwise : isTrue(value);
}

/** Where a setting is, for evidence; the file that would hold it when it is not given. */
export function placeOf(options: DaemonOptions, name: string): string {
  return setting(options, name)?.place ?? options.file.path;
}

/** Settings given in both places: dockerd refuses to start, even when they are equal. Only runtimes are merged (moby: skipDuplicates; seen on 20.10 to 28.5). */
export function givenTwice(options: DaemonOptions): readonly string[] {
  return [...options.flags.keys()].filter((name) => !isMerged(name) && at(options.file.value, name) !== undefined);
}

export function tlsModeOf(options: DaemonOptions): ReturnType<typeof tlsMode> {
  const given = setting(options, 'tlsverify') === undefined ? undefined : isOn(options, 'tlsverify', false);
  return tlsMode(isOn(options, 'tls', false), given);
}

/** The limits that every new container is given, as `nofile=1024:2048` (soft, hard). */
export function defaultUlimits(options: DaemonOptions): ReadonlySet<string> {
  const flags = options.flags.get('default-ulimits') ?? [];
  return new Set([
    ...flags.map((text) => (text.includes(':') ? text : text.replace(/=(.*)$/, '=$1:$1'))),
    ...entriesAt(options.file.value, 'default-ulimits').map(([name, limit]) => ulimitText(name, limit)),
  ]);
}

/** The TCP addresses that dockerd is configured to listen on, from both places. */
export function tcpHosts(options: DaemonOptions): readonly { readonly address: string; readonly place: string }[] {
  const flags = (options.flags.get('hosts') ?? []).map((address) => ({ address, place: 'command line of dockerd' }));
  const file = textsAt(options.file.value, 'hosts').map((address) => ({ address, place: options.file.path }));
  return [...flags, ...file].filter(({ address }) => /^tcp:/i.test(address) || /^[^/]*:\d+$/.test(address));
}
