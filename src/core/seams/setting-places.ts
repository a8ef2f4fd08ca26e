/** Places beside its flag where a setting may stand. Hints name them. */

import { seam } from './seam.ts';

/** For instance `the fleet file`. */
export const SETTING_PLACES = seam<string>();

/** `, or port: 2377 in the fleet file`; empty if there is no such place. */
export function orIn(setting: string): string {
  return SETTING_PLACES.all.map((place) => `, or ${setting} in ${place}`).join('');
}
