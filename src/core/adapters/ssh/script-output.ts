/** A buffer for a command's output until it has a reader. */

import type { Readable } from 'node:stream';
import type { Channel } from './channel.ts';

type Output = {
  readonly onOutput: Channel['onOutput'];
  /**
   * The command has ended: drops output that has no reader by then. Unread output would hide the end of the stream, and so of the command.
   */
  ended(): void;
};

/** A command may start before its script exists. Its output has to wait until then. */
export function outputOf(stdout: Readable, stderr: Readable): Output {
  const streams = [stdout, stderr];
  let read = false;
  // Paused explicitly: execa drains a stream without a reader.
  for (const stream of streams) stream.pause();
  const flow = (): void => {
    for (const stream of streams) stream.resume();
  };
  return {
    onOutput: (listener) => {
      read = true;
      stdout.on('data', (chunk: Buffer) => listener('stdout', chunk));
      stderr.on('data', (chunk: Buffer) => listener('stderr', chunk));
      flow();
    },
    // A command can end in the tick in which it is opened: its reader attaches a moment later.
    ended: () => {
      setImmediate(() => {
        if (!read) flow();
      });
    },
  };
}
