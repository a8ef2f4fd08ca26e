/** A Docker engine for tests that records what reaches it: requests, and the bytes. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type RecordingEngine = {
  readonly socket: string;
  /** `METHOD /path` without the query, as an HTTP server read it. */
  readonly requests: string[];
  /** Lines in the bytes that look like a request: what another parser might read. */
  requestLines(): string[];
  /** Everything that arrived. */
  bytes(): string;
  /** Open connections. */
  connections(): number;
  forget(): void;
  stop(): Promise<void>;
};

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url?.includes('/events')) {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"Type":"container"}\n');
    if (request.url.includes('silent')) return;
    const timer = setInterval(() => response.write('{"Type":"container"}\n'), 100);
    response.on('close', () => clearInterval(timer));
  } else response.end(`{"reached":"${request.method} ${request.url?.split('?')[0]}"}\n`);
}

export async function recordingEngine(): Promise<RecordingEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-engine-'));
  const socket = join(directory, 'docker.sock');
  const requests: string[] = [];
  let chunks: Buffer[] = [];
  const open = new Set<Socket>();
  const note = (request: IncomingMessage) => requests.push(`${request.method} ${request.url?.split('?')[0]}`);
  const server = createServer((request, response) => {
    note(request);
    answer(request, response);
  });
  server.on('upgrade', (request, stream: Socket) => {
    note(request);
    stream.on('error', () => undefined);
    stream.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    stream.on('data', (data) => stream.write(data));
  });
  server.on('connection', (stream: Socket) => {
    open.add(stream);
    stream.on('close', () => open.delete(stream));
    stream.on('error', () => undefined);
    // Beside the server's parser: another parser may see other requests in the same bytes.
    stream.on('data', (data: Buffer) => chunks.push(data));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const bytes = () => Buffer.concat(chunks).toString('latin1');
  return {
    ...{ socket, requests, bytes },
    requestLines: () =>
      [...bytes().matchAll(/(?:^|[\r\n\0])[ \t]*([^\s:]+)[ \t]+(\S+)[ \t]+HTTP\/\d/g)].map(
        ([, method, url]) => `${method} ${url?.split('?')[0]}`,
      ),
    connections: () => open.size,
    forget() {
      requests.length = 0;
      chunks = [];
    },
    async stop() {
      for (const stream of open) stream.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
