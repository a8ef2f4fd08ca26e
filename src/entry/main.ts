/** The program, with its features: bin/docker-tls.js calls it. */

import '../features.ts';

export { main } from '../cli/main.ts';
