/** Ports for servers of tests. Each worker has its own range, so that no other test takes a port before its server listens, or after it ends. */

import { createServer, type Server } from 'node:net';

/** Below the kernel's ephemeral ports, which begin at 32768. */
const FIRST = 20_000;
const EACH = 3000;
const POOL = (Number(process.env.VITEST_POOL_ID ?? 1) - 1) % 4;
/** Begins elsewhere in each process: connections of the one before may still be in TIME_WAIT. */
let used = process.pid;

/** Listens on a free port of 127.0.0.1, and returns it. Rejects with what else than a taken port stops the server. */
export async function listenOnOwnPort(server: Server): Promise<number> {
  for (let tries = 0; tries < EACH; tries += 1) {
    used += 1;
    const port = FIRST + POOL * EACH + (used % EACH);
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', resolve);
        resolve(undefined);
      });
    });
    if (failure === undefined) return port;
    if (failure.code !== 'EADDRINUSE') throw failure;
  }
  throw new Error('no port is free');
}

/** A port of 127.0.0.1 that nothing listens on, for a program that has to be told. */
export async function ownPort(): Promise<number> {
  const server = createServer();
  const port = await listenOnOwnPort(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
