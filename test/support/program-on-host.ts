/** The built program on a lab host: for runs that change the machine on which they run. */

import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shellQuote } from '../../src/core/domain/quote.ts';
import { type Program, SINGLE } from './cli.ts';
import type { LabHost } from './lab.ts';

/** Copies the program and this Node.js to the host; returns the start of a command line for it. */
export function installProgram(host: LabHost, program: Program): string {
  const directory = join(host.root, 'opt/docker-tls');
  mkdirSync(directory, { recursive: true });
  if (SINGLE !== undefined) {
    cpSync(SINGLE, join(directory, 'docker-tls'));
    return 'NO_COLOR=1 /opt/docker-tls/docker-tls';
  }
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(dirname(dirname(program.bin)), part), join(directory, part), { recursive: true });
  }
  cpSync(process.execPath, join(directory, 'node'));
  return 'NO_COLOR=1 /opt/docker-tls/node /opt/docker-tls/bin/docker-tls.js';
}

/** Runs the program as root on the host itself. */
export async function runAsRoot(
  host: LabHost,
  program: Program,
  argv: readonly string[],
): Promise<{ status: number | null; out: string; err: string }> {
  const { exit, out, err } = await host.exec(
    `cd /root; ${installProgram(host, program)} ${argv.map(shellQuote).join(' ')}`,
  );
  return { status: exit, out, err };
}
