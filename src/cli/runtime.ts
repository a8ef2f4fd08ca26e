/** Owns the real Runtime: this process's streams, clock and environment, and the rooms that reach out, loaded at first use. */

import { hostname } from 'node:os';
import type { Io, Runtime } from '../runtime.ts';
import { userName } from '../user.ts';

export type RuntimeOptions = {
  /** False for `--no-color`. */
  readonly colour: boolean;
  readonly signal: AbortSignal;
};

/** All of it but what the call itself says (plugin-call.ts). */
export function createRuntime(options: RuntimeOptions): Omit<Runtime, 'env' | 'program' | 'docker'> {
  return {
    io: processIo(options.colour),
    now: () => new Date(),
    cwd: process.cwd(),
    operator: `${userName()}@${hostname()}`,
    signal: options.signal,
    connect: async (target) => (await import('../remote/connect.ts')).connect(target),
    probe: async (request) => (await import('../docker/probe.ts')).probe(request),
  };
}

function processIo(colour: boolean): Io {
  const { env, stdin, stdout, stderr } = process;
  return {
    out(text) {
      stdout.write(text);
    },
    err(text) {
      stderr.write(text);
    },
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    inIsTerminal: stdin.isTTY === true,
    get columns() {
      return stdout.columns || stderr.columns || 80;
    },
    // https://no-color.org: any value that is not empty counts.
    colour: colour && stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
  };
}
