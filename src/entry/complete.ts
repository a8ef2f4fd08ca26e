/** The answer to a shell's TAB, with every feature's commands; called by bin/docker-tls.js. */

import '../features.ts';

export { answerShell } from '../cli/candidates.ts';
export { commandPages } from '../cli/command-pages.ts';
