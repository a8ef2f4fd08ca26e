/** The transport to this machine itself: the same scripts, without a network. */

import { connect } from 'node:net';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { Tunnel } from '../../runtime.ts';
import type { Channel, ChannelEnd } from './channel.ts';
import { outputOf } from './script-output.ts';

/** Starts a command of these words on this machine. */
export async function openLocalChannel(words: readonly string[]): Promise<Channel> {
  const [file, ...args] = words;
  if (file === undefined) throw new TypeError('a command needs a word');
  return await startProgram(file, args, {});
}

/** A local program as a Channel. `env` is its whole environment. */
export async function startProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Channel> {
  const { execa } = await import('execa');
  const program = execa(file, [...args], {
    stdin: 'pipe',
    buffer: false,
    reject: false,
    encoding: 'buffer',
    env,
    extendEnv: false,
    detached: true,
  });
  // Detached: Ctrl-C goes to the whole foreground group, and a rollback needs this process. A program that ends early leaves a closed pipe;
  // its exit status says more than the pipe's error.
  program.stdin.on('error', () => {});
  const output = outputOf(program.stdout, program.stderr);
  program.once('exit', output.ended);
  const ended = program.then((result): ChannelEnd => {
    const status = result.exitCode;
    if (status === undefined && result.signal === undefined) return { lost: cannotStart(file, result.cause) };
    return { status, signal: result.signal };
  });
  function close(): void {
    program.stdin.destroy();
    program.stdout.destroy();
    program.stderr.destroy();
  }
  return {
    write: (bytes) => {
      program.stdin.write(bytes);
    },
    endInput: () => {
      program.stdin.end();
    },
    onOutput: output.onOutput,
    ended,
    close,
    kill: () => {
      try {
        if (program.pid !== undefined) process.kill(-program.pid, 'SIGTERM');
      } catch {
        // Already gone, or owned by root.
      }
      close();
    },
  };
}

function cannotStart(file: string, cause: unknown): DockerTlsError {
  return new DockerTlsError('E_PROGRAM_MISSING', `${file} cannot be started`, { cause });
}

/** This machine reaches itself without ssh. */
export const localTunnel: Tunnel = {
  via: 'this machine',
  open: (address, port) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, noDelay: true });
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
    }),
  ended: new Promise(() => {}),
};
