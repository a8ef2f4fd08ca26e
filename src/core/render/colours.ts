/** Colours for the renderers: functions that do nothing if colours are off. */

import pico from 'picocolors';
import type { Io } from '../runtime.ts';

export type Colours = ReturnType<typeof pico.createColors>;

export function coloursOf(io: Io): Colours {
  return pico.createColors(io.colour);
}

/** The colour of a certificate's state: valid, due soon or now, expired. */
export function toneOf(state: string, { green, dim, yellow, red }: Colours): (text: string) => string {
  return { ok: green, revoked: dim, due: yellow }[state] ?? red;
}
