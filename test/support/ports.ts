/** Ports for programs that must be told theirs: each process of a test run has its own, so that none is taken between the choice and its use. */

import { createServer } from 'node:net';

/** Below those that the kernel gives away itself (ip_local_port_range begins with 32768). */
const FIRST = 20_000;
const EACH = 3000;
const POOL = (Number(process.env.VITEST_POOL_ID ?? 1) - 1) % 4;
/** Not those of the file before in this place, whose connections may still wait for their end. */
let used = process.pid;

/** A port of 127.0.0.1 that nothing listens on. */
export async function ownPort(): Promise<number> {
  for (let tries = 0; tries < EACH; tries += 1) {
    used += 1;
    const port = FIRST + POOL * EACH + (used % EACH);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error('no port is free');
}
