/** The program, built once for a whole run of tests: buildProgram() copies it. Vitest starts this once for each of its projects. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUILD = 'DOCKER_TLS_TEST_BUILD';

export function setup(): (() => void) | undefined {
  if (process.env[BUILD] !== undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-build-'));
  process.env[BUILD] = directory;
  execFileSync(process.execPath, [new URL('../../scripts/build.mjs', import.meta.url).pathname, directory]);
  return () => rmSync(directory, { recursive: true, force: true });
}

/** Where the built program is. */
export function builtProgram(): string {
  const directory = process.env[BUILD];
  if (directory === undefined)
    throw new Error('test/support/build-once.ts is not in the globalSetup of vitest.config.ts');
  return directory;
}
