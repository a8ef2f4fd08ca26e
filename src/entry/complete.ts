/** The answer to a shell's TAB, with the commands of all features: bin/docker-tls.js calls it. */

import '../features.ts';

export { answerShell, commandShapes } from '../cli/complete.ts';
