/** Settings of features. domain/settings.ts has the tables. */

import { seam } from './seam.ts';

/** The fields of settings that a feature gives a meaning to. */
export const FEATURE_SETTINGS = seam<string>();

/** Rows of a table, of which those stay that a feature has added. The type has them all. */
export function ofFeatures<T extends object>(rows: T): T {
  return Object.fromEntries(Object.entries(rows).filter(([field]) => FEATURE_SETTINGS.all.includes(field))) as T;
}
