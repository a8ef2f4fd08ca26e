/** Ports for servers of tests. Each worker has its own range, so that no other test takes a port before its server listens, or after it ends. */

import { createServer } from 'node:net';

/** Below the kernel's ephemeral ports, which begin at 32768. */
const FIRST = 20_000;
const EACH = 3000;
const POOL = (Number(process.env.VITEST_POOL_ID ?? 1) - 1) % 4;
/** Begins elsewhere in each process: connections of the one before may still be in TIME_WAIT. */
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
