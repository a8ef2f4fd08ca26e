/** Shared setup of a whole test run: builds the program once; buildProgram() copies it. Vitest runs this once for each of its projects. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUILD = 'DOCKER_TLS_TEST_BUILD';

export function setup(): (() => void) | undefined {
  if (process.env[BUILD] !== undefined) return undefined;
  // Node 20 reads the named file at each of thousands of starts, and that takes longer than most of them.
  delete process.env.NODE_EXTRA_CA_CERTS;
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-build-'));
  process.env[BUILD] = directory;
  execFileSync(process.execPath, [new URL('../../scripts/build.mjs', import.meta.url).pathname, directory]);
  return () => rmSync(directory, { recursive: true, force: true });
}

/** The path of the built program. */
export function builtProgram(): string {
  const directory = process.env[BUILD];
  if (directory === undefined)
    throw new Error('test/support/build-once.ts is not in the globalSetup of vitest.config.ts');
  return directory;
}
