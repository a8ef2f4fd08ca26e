/** What ties a recording to its case: a hash of the commands that made it, kept beside it. */

import { createHash } from 'node:crypto';
import { CONTAINERS, SAFE } from './containers.ts';
import { HOSTS, PRELUDE } from './hosts.ts';

function hashOf(commands: unknown): string {
  return createHash('sha256').update(JSON.stringify(commands)).digest('hex').slice(0, 16);
}

/** Of each host, in their order. */
export function madeHosts(): readonly string[] {
  return HOSTS.map((row) => hashOf([PRELUDE, ...row]));
}

/** Of each pair of containers, in their order. */
export function madeContainers(): readonly string[] {
  return CONTAINERS.map((row) => hashOf([SAFE, ...row]));
}
