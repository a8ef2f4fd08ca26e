/** Settings of features. domain/settings.ts has the tables. */

import { seam } from './seam.ts';

/** Setting fields that a feature supports. */
export const FEATURE_SETTINGS = seam<string>();

/** The rows of a table that a feature has added. The type has them all. */
export function ofFeatures<T extends object>(rows: T): T {
  return Object.fromEntries(Object.entries(rows).filter(([field]) => FEATURE_SETTINGS.all.includes(field))) as T;
}
