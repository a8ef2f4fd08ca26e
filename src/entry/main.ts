/** The program with its features; called by bin/docker-tls.js. */

import '../features.ts';

export { main } from '../cli/main.ts';
