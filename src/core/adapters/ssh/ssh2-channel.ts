/** A command over an ssh2 connection, and the closing of connections. */

import type { Client, ClientChannel } from 'ssh2';
import type { Channel, ChannelEnd } from './channel.ts';
import { outputOf } from './script-output.ts';

export function channelOf(client: Client, stream: ClientChannel, gone: () => Error | undefined): Channel {
  const output = outputOf(stream, stream.stderr);
  const ended = new Promise<ChannelEnd>((resolve) => {
    let end: ChannelEnd | undefined;
    stream.on('exit', (status: number | null, signal?: string) => {
      end = status === null ? { signal: signal ?? 'a signal' } : { status };
      output.ended();
    });
    const close = (): void => {
      client.off('close', close);
      const lost = gone();
      resolve(end ?? (lost === undefined ? {} : { lost }));
    };
    stream.once('close', close);
    client.once('close', close);
  });
  stream.on('error', () => {});
  stream.stderr.on('error', () => {});
  return {
    write: (bytes) => {
      if (stream.writable) stream.write(bytes);
    },
    endInput: () => {
      if (stream.writable) stream.end();
    },
    onOutput: output.onOutput,
    ended,
    close: () => stream.close(),
    kill: () => {
      try {
        stream.signal('TERM');
      } catch {
        // The channel or the connection is already closed.
      }
      stream.close();
    },
  };
}

/** Ends the connections, the farthest first, and waits for their sockets. */
export async function closeAll(clients: readonly Client[]): Promise<void> {
  for (const client of [...clients].reverse()) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        client.destroy();
        resolve();
      }, 1000);
      client.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      client.end();
    });
  }
}
