/** The answer to a shell's TAB, with every feature's commands; called by bin/docker-tls.js. */

import '../features.ts';
import { COMPLETION } from '../core/seams/completion.ts';

export { commandPages } from '../cli/command-pages.ts';

/** Empty without the feature. */
export async function answerShell(words: readonly string[]): Promise<string> {
  return (await COMPLETION.all[0]?.(words)) ?? '';
}
