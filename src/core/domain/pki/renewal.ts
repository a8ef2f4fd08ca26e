/** Renewal rule: when a certificate is due, and its remaining lifetime. */

const DAY_MS = 86_400_000;

/** Due after two thirds of the lifetime: the last third is left to notice a schedule that stopped running. */
const DUE_NUMERATOR = 2;
const DUE_DENOMINATOR = 3;

export type RenewalState = 'ok' | 'due' | 'expired' | 'not-yet-valid';

export type Renewal = {
  readonly state: RenewalState;
  /** Whole days until the end, rounded down; negative after expiry. */
  readonly daysLeft: number;
  /** Start of the renewal period. */
  readonly dueAt: Date;
};

/**
 * State of a certificate at `now`: due after two thirds of its lifetime, or, with `withinDays`, that many days before its end.
 * Valid up to and including notAfter (RFC 5280 4.1.2.5).
 */
export function renewal(options: { notBefore: Date; notAfter: Date; now: Date; withinDays?: number }): Renewal {
  const begin = options.notBefore.getTime();
  const end = options.notAfter.getTime();
  const now = options.now.getTime();
  const dueAt =
    options.withinDays === undefined
      ? begin + ((end - begin) * DUE_NUMERATOR) / DUE_DENOMINATOR
      : end - options.withinDays * DAY_MS;
  return {
    state: now > end ? 'expired' : now < begin ? 'not-yet-valid' : now >= dueAt ? 'due' : 'ok',
    daysLeft: Math.floor((end - now) / DAY_MS),
    dueAt: new Date(dueAt),
  };
}
