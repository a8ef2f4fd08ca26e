/**
 * Shared setup of a whole test run: builds the program once, which buildProgram() copies, and gives the run's lab hosts a place of their own.
 * Vitest runs this once for each of its projects.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUILD = 'DOCKER_TLS_TEST_BUILD';

export function setup(): (() => void) | undefined {
  if (process.env[BUILD] !== undefined) return undefined;
  // Node 20 reads the named file at each of thousands of starts, and that takes longer than most of them.
  delete process.env.NODE_EXTRA_CA_CERTS;
  const made = mkdtempSync(join(tmpdir(), 'docker-tls-build-'));
  const directory = join(made, 'dist');
  process.env[BUILD] = directory;
  execFileSync(process.execPath, [new URL('../../scripts/build.mjs', import.meta.url).pathname, directory]);
  // Hosts of other runs on this machine have the same names.
  const hosts = join(process.env.DOCKER_TLS_LAB ?? '/var/lib/docker-tls-lab', 'runs', String(process.pid));
  process.env.DOCKER_TLS_LAB_HOSTS ??= hosts;
  return () => {
    rmSync(made, { recursive: true, force: true });
    rmSync(join(hosts, '.locks'), { recursive: true, force: true });
    // Hosts that a killed test left are still on their way down.
    if (existsSync(hosts) && readdirSync(hosts).length === 0) rmdirSync(hosts);
  };
}

/** The path of the built program. */
export function builtProgram(): string {
  const directory = process.env[BUILD];
  if (directory === undefined)
    throw new Error('test/support/build-once.ts is not in the globalSetup of vitest.config.ts');
  return directory;
}
