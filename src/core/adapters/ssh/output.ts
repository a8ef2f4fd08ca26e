/** The output of a command until somebody reads it. */

import type { Readable } from 'node:stream';
import type { Channel } from './channel.ts';

export type Output = {
  readonly onOutput: Channel['onOutput'];
  /** The command has ended: what has no reader by then is dropped. Unread output would hide the end of the stream, and so of the command. */
  ended(): void;
};

/** A command may be started before its script is there. What it prints until then has to wait. */
export function outputOf(stdout: Readable, stderr: Readable): Output {
  const streams = [stdout, stderr];
  let read = false;
  // Paused explicitly: execa drains a stream that nobody reads yet.
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
    // A command can end in the same tick in which it is opened: its reader comes a moment later.
    ended: () => {
      setImmediate(() => {
        if (!read) flow();
      });
    },
  };
}
