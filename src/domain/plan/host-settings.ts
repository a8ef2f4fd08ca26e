/**
 * Owns what was asked for when a generation was made. The host keeps it beside the generation, so that a rollback brings back the
 * wish along with the files: otherwise the next run, which knows only the latest wish, would undo it.
 */

import type { HostSpec } from '../fleet/spec.ts';
import { isKeyType } from '../pki/keys.ts';

/** What of a host's spec shows on the host. */
export type HostSettings = Pick<
  HostSpec,
  'port' | 'listen' | 'sans' | 'keyType' | 'days' | 'keys' | 'clients' | 'liveRestore' | 'harden'
>;

export function hostSettingsOf({
  port,
  listen,
  sans,
  keyType,
  days,
  keys,
  clients,
  liveRestore,
  harden,
}: HostSpec): HostSettings {
  return { port, listen, sans, keyType, days, keys, clients, liveRestore, harden };
}

/** Reads what a host kept; undefined where it is not of that shape. What is absent there is undefined here, and so replaces what is said now. */
export function parseHostSettings(value: unknown): HostSettings | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { port, listen, sans, keyType, days, keys, clients, liveRestore, harden } = value as Record<string, unknown>;
  const good =
    isCount(port, 65_535) &&
    areWords(listen) &&
    areWords(sans) &&
    isCount(days, Number.MAX_SAFE_INTEGER) &&
    typeof keyType === 'string' &&
    isKeyType(keyType) &&
    (keys === 'store' || keys === 'host') &&
    (clients === undefined || areWords(clients)) &&
    (liveRestore === undefined || typeof liveRestore === 'boolean') &&
    (harden === undefined || areWords(harden));
  return good ? ({ port, listen, sans, keyType, days, keys, clients, liveRestore, harden } as HostSettings) : undefined;
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= most;
}

/** Without blanks and control characters; names may be written in any letters. */
function areWords(value: unknown): boolean {
  return Array.isArray(value) && value.every((word) => typeof word === 'string' && /^[^\s\p{C}]+$/u.test(word));
}
