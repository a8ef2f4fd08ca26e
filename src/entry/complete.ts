/** The answer to a shell's TAB, with every feature's commands; called by bin/docker-tls.js. */

import '../features.ts';

export { answerShell, commandShapes } from '../cli/complete.ts';
