/** Settings in the records of the store and of the host itself, and their forms there. */

import * as z from 'zod/mini';
import {
  complete,
  HOST_SETTINGS,
  type HostSettings,
  type KeptSettings,
  type Setting,
  type Settings,
  type StoredSettings,
} from './settings.ts';

/** The schemas of a table by field, for records and the host's state: what is absent has its default. */
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

/** Every field of the table has its key, so that spread over others these replace them all. */
function allOf<T>(table: Settings, settings: Partial<HostSettings>): T {
  const own: Readonly<Record<string, unknown>> = complete(table, settings);
  return Object.fromEntries(Object.keys(table).map((field) => [field, own[field]])) as T;
}

/** What the host keeps of its settings. */
export function keptOf(settings: Partial<HostSettings>): KeptSettings {
  return allOf(KEPT, settings);
}

/** What its record in the store holds of them. */
export function storedOf(settings: HostSettings): StoredSettings {
  return allOf(STORED, settings);
}

/** Reads what a host kept; undefined where it is not of that shape. */
export function readKept(value: unknown): KeptSettings | undefined {
  const read = z.safeDecode(keptSchema, value as Record<string, unknown>);
  return read.success ? keptOf(read.data as Partial<HostSettings>) : undefined;
}

/** As JSON, for the host. */
export function writeKept(settings: KeptSettings): Record<string, unknown> {
  return z.encode(keptSchema, { ...settings });
}
