/** Modules of the host's scripts, run here in shells that hosts have. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';

export const SHELLS = ['dash', 'bash', 'busybox sh'] as const;

/** What the script prints on standard output; nothing may come on standard error. */
export function runIn(shell: string, script: string): string {
  const [program = '', ...words] = shell.split(' ');
  const { stdout, stderr } = spawnSync(program, [...words, '-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout;
}

export type ModuleShell = {
  /** Empty at the beginning of each test. */
  readonly directory: string;
  /** Runs the parts as one script of sh in the directory; what it prints on standard output, without blanks around it. */
  sh(...parts: readonly string[]): string;
};

/** For the tests of the file that calls this. */
export function moduleShell(): ModuleShell {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'docker-tls-module-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  return {
    get directory() {
      return directory;
    },
    sh: (...parts) =>
      spawnSync('sh', ['-c', parts.join('\n')], { encoding: 'utf8', cwd: directory, timeout: 20_000 }).stdout.trim(),
  };
}
