/** The real Runtime: this process's streams, clock and environment, and the adapters, loaded at first use. */

import { hostname } from 'node:os';
import { DockerTlsError } from '../../errors/errors.ts';
import type { Io, Runtime } from '../runtime.ts';
import { ISSUERS, type Issuers } from '../seams/issuers.ts';
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
    sign: async (ca, request) => (await issuers()).sign(ca, request, options.signal),
    signByToken: async (token, request) => (await issuers()).signByToken(token, request, options.signal),
  };
}

/** Fails with E_CA_KEY_EXTERNAL (exit 2) if no feature supports external CAs. */
async function issuers(): Promise<Issuers> {
  const [first] = ISSUERS.all;
  if (first !== undefined) return first.load();
  throw new DockerTlsError('E_CA_KEY_EXTERNAL', 'this build of docker-tls does not support external CAs', {
    hints: ['docker-tls version'],
  });
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
