/** The answer to a shell's TAB, with every feature's commands; called by bin/docker-tls.js. */

import '../features.ts';

export { commandPages } from '../cli/command-pages.ts';
export { answerShell } from '../cli/complete.ts';
