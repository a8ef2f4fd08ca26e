/** The answer to a shell's TAB. entry/complete.ts asks for it. */

import { seam } from './seam.ts';

/** `words`: those typed after the program, the last of them perhaps empty. The answer has the form of cobra's `__complete`. */
export const COMPLETION = seam<(words: readonly string[]) => Promise<string>>();
