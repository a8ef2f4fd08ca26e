/** Colours as the renderers take them: functions that do nothing where colours are not wanted. */

import pico from 'picocolors';
import type { Io } from '../runtime.ts';

export type Colours = ReturnType<typeof pico.createColors>;

export function coloursOf(io: Io): Colours {
  return pico.createColors(io.colour);
}

/** The colour of how a certificate is: good, soon or now to be renewed, over. */
export function toneOf(state: string, { green, dim, yellow, red }: Colours): (text: string) => string {
  return { ok: green, revoked: dim, due: yellow }[state] ?? red;
}
