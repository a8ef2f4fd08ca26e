/**
 * A TLS server in place of dockerd on loopback. It is OpenSSL's own server: like Go's, it rejects a client with a TLS alert; Node's never
 * sends one. One connection at a time.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { CertificateFactory, Issued } from './certificate-factory.ts';
import { listenOnOwnPort, ownPort } from './ports.ts';

export type Listening = { readonly port: number; stop(): Promise<void> };

export const VERSION_BODY = '{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24"}';

/** Serves `/version` only to clients of `trust`, over TLS 1.2 and 1.3 (`flags` for `openssl s_server` change that). */
export async function startTlsDaemon(
  factory: CertificateFactory,
  options: { readonly server: Issued; readonly trust: Issued; readonly flags?: readonly string[] },
): Promise<Listening> {
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${VERSION_BODY.length}\r\n\r\n${VERSION_BODY}`;
  writeFileSync(join(factory.directory, 'version'), answer);
  const port = await ownPort();
  const child = spawn(
    'openssl',
    [
      ...['s_server', '-accept', `127.0.0.1:${port}`, '-naccept', '1000000', '-HTTP'],
      ...['-cert', options.server.certFile, '-key', options.server.keyFile],
      ...(options.server.chainFile === undefined ? [] : ['-cert_chain', options.server.chainFile]),
      ...['-verifyCAfile', options.trust.certFile, '-Verify', '4', '-verify_return_error'],
      ...(options.flags ?? []),
    ],
    { cwd: factory.directory, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  await accepts(child);
  return { port, stop: () => end(child) };
}

/** A TCP server that calls `answer` for each connection. */
export async function startRawServer(answer: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    answer(socket);
  });
  const port = await listenOnOwnPort(server);
  return {
    port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function accepts(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout?.on('data', (part: Buffer) => {
      seen += part.toString();
      if (/^ACCEPT/m.test(seen)) resolve();
    });
    child.stderr?.on('data', (part: Buffer) => {
      seen += part.toString();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`openssl s_server ended: ${seen}`)));
  });
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
