/** A setting: its value, default, flag, words and storage. */

import type * as z from 'zod/mini';
import type { Kind } from './values.ts';

/** Headings of the help. */
export type Group = 'Hosts' | 'Connection' | 'Host' | 'Certificate' | 'Secrets' | 'Safety' | 'Docker CLI' | 'Output';

export type Setting = Kind & {
  /** Parses and prints the value of a file or flag (JSON in, value out). */
  readonly schema: z.ZodMiniType;
  /** Default of a host; `otherwise` describes it if there is no such value. */
  readonly default?: unknown;
  readonly otherwise?: string;
  /** Description for help, editors and docs. */
  readonly summary: string;
  /** Its flag of `setup`: heading and value placeholder; name and short form if the name differs from the field's. */
  readonly flag?: { readonly group: Group; readonly value?: string; readonly name?: string; readonly short?: string };
  /** Key in the fleet file, if it differs from the hyphenated field name. */
  readonly key?: string;
  /** The wizard's question about a new host. */
  readonly question?: { readonly message: string; readonly explain: string };
  /** For a single host only: not allowed in `defaults`. */
  readonly own?: true;
  /** Local to the computer that runs `setup` or `apply`: not stored in the host's record. */
  readonly here?: true;
  /** Stored on the host with each generation, so that a rollback restores the setting along with the files. */
  readonly kept?: true;
};

export type Settings = Readonly<Record<string, Setting>>;

/** The default in words, for help and docs; undefined if there is none. */
export function defaultWords({ default: value, otherwise }: Setting): string | undefined {
  return otherwise ?? (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined);
}

/** Key in the fleet file: `key-type` for `keyType`. */
export function fleetKey(field: string, setting: Setting): string {
  return setting.key ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
