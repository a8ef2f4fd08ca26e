/**
 * Age of a shared store's newest state. A server that hides all later commits shows a state that is genuine, so the signed manifest says how
 * long it is current; each commit begins that time anew.
 */

import { dateWords } from '../../../core/domain/words.ts';

const DAY_MS = 86_400_000;
export const MOST_DAYS = 3660;
/** Of a new store. */
export const DEFAULT_DAYS = 90;

/** A note for a store whose commits name no number of days: by --valid-for none, or from before they did. The operators decide. */
export const NEVER =
  'a state of this store never expires, so its server could hide newer commits for ever: docker-tls store refresh --valid-for 90';

/** The date of a commit, and for how many days it is current. */
export type Dated = { readonly at: string; readonly validDays?: number | undefined };

/** The end of the time for which a state is current; undefined: none. */
export function expiryOf({ at, validDays }: Dated): Date | undefined {
  return validDays === undefined ? undefined : new Date(Date.parse(at) + validDays * DAY_MS);
}

export function hasExpired(dated: Dated, now: Date): boolean {
  const expiry = expiryOf(dated);
  return expiry !== undefined && now > expiry;
}

/** The share of the time that is left: 1 at the commit, 0 at the expiry, and less after it. 1 without an expiry. */
export function shareLeft(dated: Dated, now: Date): number {
  const expiry = expiryOf(dated);
  return expiry === undefined ? 1 : (expiry.getTime() - now.getTime()) / ((dated.validDays ?? 1) * DAY_MS);
}

/** True for a state of a day or more after now: one of the two clocks is wrong. */
export function isAhead({ at }: Dated, now: Date): boolean {
  return Date.parse(at) - now.getTime() > DAY_MS;
}

/** A note for a state that soon expires, or whose date makes its expiry meaningless: one of the two clocks is wrong. */
export function ageNote(dated: Dated, now: Date): string | undefined {
  const expiry = expiryOf(dated);
  if (expiry === undefined) return undefined;
  if (isAhead(dated, now))
    return `the newest commit of the store is of ${dated.at}, and the clock of this computer says ${now.toISOString()}: one of them is wrong, so that commit expires late`;
  // An expired state is refused, or its reader says so.
  if (shareLeft(dated, now) > 0.25 || hasExpired(dated, now)) return undefined;
  return `the store expires on ${dateWords(expiry)}, unless it is changed or refreshed before: docker-tls store refresh`;
}
