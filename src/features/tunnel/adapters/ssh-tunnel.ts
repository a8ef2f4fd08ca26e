/**
 * A local socket that forwards connections to a daemon through a stream opened by the caller (ssh). It speaks mutual TLS as one client, so
 * that the host decides about that client as usual. Or it passes bytes unchanged, for programs that do TLS themselves.
 */

import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, connect, createSecureContext } from 'node:tls';
import { checkServerName } from '../../../core/adapters/docker/served.ts';
import { bareAddress } from '../../../core/domain/destination.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { ProbeCredentials } from '../../../core/runtime.ts';
import { showTyping } from '../../../core/typing.ts';
import type { ExitStatus } from '../../../errors/catalogue.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

export type TunnelRequest = {
  /** A socket (mode 0600), or a port of 127.0.0.1 without our TLS. */
  readonly at: { readonly path: string } | { readonly port: number };
  /** Opens a new connection to the daemon's port. */
  readonly dial: () => Promise<Duplex>;
  readonly address: string;
  readonly ca: string;
  readonly client: ProbeCredentials;
  /** Reports a failed connection, in words. */
  readonly failed: (why: string) => void;
};

/** Listens until `close`, and then ends its connections too. Fails with E_TUNNEL (exit 4). */
export async function openTunnel(request: TunnelRequest): Promise<{ close(): Promise<void> }> {
  const { at } = request;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (local) => {
    open.add(local);
    local.once('close', () => open.delete(local));
    serve(local, request).catch((error: unknown) => {
      local.destroy();
      request.failed(error instanceof Error ? error.message : String(error));
    });
  });
  await listen(server, at);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const local of open) local.destroy();
      }),
  };
}

function listen(server: Server, at: TunnelRequest['at']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const where = 'path' in at ? at.path : `port ${at.port}`;
      const why = cause.code === 'EADDRINUSE' ? 'it is in use' : (cause.code ?? 'unknown');
      const what = `${where} cannot be listened on: ${why}`;
      reject(new DockerTlsError('E_TUNNEL', what, { hints: ['docker-tls tunnel HOST'], cause }));
    });
    if ('port' in at) {
      server.listen({ host: '127.0.0.1', port: at.port }, () => resolve());
      return;
    }
    // The socket has its mode from the start: a process that can connect to it acts as the client.
    const mask = process.umask(0o177);
    server.listen({ path: at.path }, () => resolve());
    process.umask(mask);
  });
}

async function serve(local: Socket, { at, dial, address, ca, client }: TunnelRequest): Promise<void> {
  const stream = await dial();
  // An error of the stream ends this connection and not the program.
  stream.on('error', () => {});
  const remote = 'port' in at ? stream : tlsOver(stream, address, ca, client);
  await new Promise<void>((resolve, reject) => {
    const end = (error?: Error): void => {
      local.destroy();
      remote.destroy();
      stream.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    remote.once('error', end);
    stream.once('error', end);
    // A client that disconnects early is not our failure.
    local.once('error', () => end());
    local.once('close', () => end());
    remote.once('close', () => end());
    // Each side ends separately: `docker exec -i` closes its input and still reads.
    local.pipe(remote);
    remote.pipe(local);
  });
}

function tlsOver(stream: Duplex, address: string, ca: string, { cert, key }: ProbeCredentials): Duplex {
  const name = bareAddress(address);
  return connect({
    socket: stream,
    // Otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would turn it off.
    rejectUnauthorized: true,
    secureContext: createSecureContext({
      ca,
      cert,
      key: key.reveal(),
      ...({ allowPartialTrustChain: true } as object),
    }),
    servername: /^[0-9.]+$|:/.test(name) ? undefined : name,
    checkServerIdentity: (_, leaf) => {
      const wrong = checkServerName(address, leaf, checkServerIdentity);
      return wrong === undefined ? undefined : new Error(wrong.reason);
    },
  });
}

/** Runs a command on the user's terminal and returns its exit status. Fails with E_PROGRAM_MISSING (exit 2). */
export function runCommand(
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ExitStatus> {
  showTyping();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env });
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const what = `${file} cannot be started: ${cause.code ?? 'unknown'}`;
      reject(new DockerTlsError('E_PROGRAM_MISSING', what, { hints: [`command -v ${shellQuote(file)}`], cause }));
    });
    child.once('close', (status, signal) => resolve((status ?? (signal === 'SIGINT' ? 130 : 1)) as ExitStatus));
  });
}
