/** Storage forms of settings in records of the store and of hosts. */

import * as z from 'zod/mini';
import type { Setting, Settings } from './setting.ts';
import {
  completeSettings,
  HOST_SETTINGS,
  type HostSettings,
  type KeptSettings,
  type StoredSettings,
} from './settings.ts';

/** Schemas of a table by field, for records and the host's state: absent fields get their defaults. */
export function storedShape(table: Settings): Record<string, z.ZodMiniType> {
  return Object.fromEntries(
    Object.entries(table).map(([field, { schema, default: value }]) => [
      field,
      value === undefined ? z.optional(schema) : z._default(schema, value),
    ]),
  );
}

function part<P extends 'kept' | 'here'>(property: P, is: boolean): Settings {
  return Object.fromEntries(
    Object.entries<Setting>(HOST_SETTINGS).filter(([, one]) => (one[property] ?? false) === is),
  );
}

const KEPT = part('kept', true);
export const STORED = part('here', false);
const keptSchema = z.object(storedShape(KEPT));

/** Has a key for every field of the table, so that spreading it replaces all of them. */
function allOf<T>(table: Settings, settings: Partial<HostSettings>): T {
  const own: Readonly<Record<string, unknown>> = completeSettings(table, settings);
  return Object.fromEntries(Object.keys(table).map((field) => [field, own[field]])) as T;
}

/** Settings that the host keeps. */
export function keptOf(settings: Partial<HostSettings>): KeptSettings {
  return allOf(KEPT, settings);
}

/** Settings for the record in the store. */
export function storedOf(settings: HostSettings): StoredSettings {
  return allOf(STORED, settings);
}

/** Parses a host's kept settings; undefined if the shape is invalid. */
export function readKept(value: unknown): KeptSettings | undefined {
  const read = z.safeDecode(keptSchema, value as Record<string, unknown>);
  return read.success ? keptOf(read.data as Partial<HostSettings>) : undefined;
}

/** The JSON form for the host. */
export function writeKept(settings: KeptSettings): Record<string, unknown> {
  return z.encode(keptSchema, { ...settings });
}
