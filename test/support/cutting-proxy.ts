/** A TCP proxy in front of an HTTP server that cuts connections at chosen requests: before they arrive, or before their answers do. */

import { connect, createServer, type Socket } from 'node:net';

/** `drop`: the request never arrives. `deliver`: it arrives, but its answer does not. */
export type Cut = 'pass' | 'drop' | 'deliver';

export type CuttingProxy = { readonly endpoint: string; stop(): Promise<void> };

/** Calls `decide` at each request, with its number (from 1) and its path. */
export async function startProxy(target: string, decide: (number: number, path: string) => Cut): Promise<CuttingProxy> {
  const [host = '', port = ''] = target.split(':');
  const open = new Set<Socket>();
  let requests = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    let cutAnswer = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', end).on('close', () => {
        open.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      const path = /^POST (\S+) HTTP/.exec(chunk.subarray(0, 200).toString('latin1'))?.[1];
      if (path !== undefined) {
        requests += 1;
        const cut = decide(requests, path);
        if (cut === 'drop') return end();
        cutAnswer = cut === 'deliver';
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => (cutAnswer ? end() : client.write(chunk)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `127.0.0.1:${(server.address() as { port: number }).port}`,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
