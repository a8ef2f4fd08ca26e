/** A file for `--ssh-config` that is a device, a pipe or a loop: an error, never a hang or a bug. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, finished, type Program } from '../../../support/cli.ts';

let directory: string;
let program: Program;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-named-'));
  program = buildProgram();
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  symlinkSync('loop', join(directory, 'loop'));
});
afterAll(() => {
  program?.remove();
  rmSync(directory, { recursive: true, force: true });
});

test.each(['/dev/zero', 'pipe', 'loop'])('%s', async (file) => {
  const argv = ['--home', join(directory, 'home'), '--json', 'plan', 'root@127.0.0.1', '--ssh-config', file];
  const { status, out } = await finished(program.start(argv, { cwd: directory }));
  expect([status, JSON.parse(out).error?.code]).toEqual([2, 'E_SSH_CONFIG']);
  // The run did not wait for it either.
  expect(out).not.toContain('it is a pipe');
});
