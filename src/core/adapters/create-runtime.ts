/** The real Runtime: this process's streams, clock and environment, and the adapters, loaded at first use. */

import { hostname } from 'node:os';
import type { Io, Runtime } from '../runtime.ts';
import { loadIssuers } from '../seams/issuers.ts';
import { writerTo } from '../stdout.ts';
import { userName, workingDirectory } from '../user.ts';
import { heldToFirstKey } from './ssh/first-key.ts';

type RuntimeOptions = {
  /** False for `--no-color`. */
  readonly colour: boolean;
  readonly signal: AbortSignal;
};

/** Everything except the parts that depend on the call itself (plugin-call.ts). */
export function createRuntime(options: RuntimeOptions): Omit<Runtime, 'env' | 'program' | 'docker'> {
  return {
    io: processIo(options.colour),
    now: () => new Date(),
    cwd: workingDirectory(),
    operator: `${userName()}@${hostname()}`,
    signal: options.signal,
    probe: async (request) => (await import('./docker/probe.ts')).probe(request),
    ...heldToFirstKey(async (target) => (await import('./ssh/connect.ts')).connect(target)),
    sign: async (ca, request) => (await loadIssuers()).sign(ca, request, options.signal),
    signByToken: async (token, request) => (await loadIssuers()).signByToken(token, request, options.signal),
  };
}

function processIo(colour: boolean): Io {
  const { env, stdin, stdout, stderr } = process;
  return {
    out: writerTo(stdout),
    err(text) {
      stderr.write(text);
    },
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    inIsTerminal: stdin.isTTY === true,
    get columns() {
      return stdout.columns || stderr.columns || 80;
    },
    // https://no-color.org: any non-empty value counts.
    colour: colour && stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
  };
}
