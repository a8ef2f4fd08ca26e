/**
 * Placement of daemon settings: in daemon.json, or in flags if the host uses flags. dockerd refuses to start with a setting in both places,
 * even if they are equal.
 */

import type { Flag } from '../dockerd/command-line.ts';
import { flagOfKey } from '../dockerd/flags.ts';
import type { DaemonView } from './daemon-view.ts';

/** Settings by their names in daemon.json; undefined removes one. */
export type DaemonSettings = Readonly<Record<string, unknown>>;

export type PlacedSettings = ReturnType<typeof placeSettings>;

/**
 * Sorts settings by destination. A flag of the command line is replaced by another flag, in our drop-in. A flag from a variable's file is
 * removed and moves to daemon.json, so that the next run finds it in one place.
 */
export function placeSettings(view: DaemonView, settings: DaemonSettings) {
  /** Keys of daemon.json. */
  const json: Record<string, unknown> = {};
  /** Flags (long names) to remove from the command line and from variables such as DOCKER_OPTS. */
  const dropped = new Set<string>();
  /** Words for our command line. */
  const added: string[] = [];
  /** Keys that cannot be set: their flags are in a variable that the unit itself sets. */
  const stuck: string[] = [];
  for (const [key, value] of Object.entries(settings)) {
    const flag = flagOfKey(key);
    const inVariables = view.variables.filter((variable) => has(variable.flags, flag));
    if (inVariables.some((variable) => variable.file === undefined)) {
      stuck.push(key);
      continue;
    }
    const inLine = has(view.commandLine?.flags ?? [], flag);
    if (inLine || inVariables.length > 0) dropped.add(flag);
    if (inLine) added.push(...flagWords(flag, value));
    else json[key] = value;
  }
  return { json, dropped, added, stuck };
}

function has(flags: readonly Flag[], name: string): boolean {
  return flags.some((flag) => flag.name === name);
}

function flagWords(flag: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map((item) => `${flag}=${String(item)}`);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([key, item]) => `${flag}=${key}=${limitText(item)}`);
  }
  return [`${flag}=${String(value)}`];
}

/** `{ Soft, Hard }` of daemon.json in the flag's form: `SOFT:HARD`. */
function limitText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const { Soft, Hard } = item as { Soft?: number; Hard?: number };
  return `${Soft ?? Hard}:${Hard ?? Soft}`;
}
