/** A file with hosts that is a device or a loop is an error, never a hang or a bug. */

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
  symlinkSync('loop', join(directory, 'loop'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  ['E_FLEET', ['plan', '--inventory', 'loop']],
  ['E_FLEET', ['plan', '-f', 'loop']],
  ['E_FLEET', ['plan', '-f', '/dev/zero']],
])('%s: %j', async (code, argv) => {
  const child = program.start(['--home', join(directory, 'home'), '--json', ...argv], { cwd: directory });
  const { status, out } = await finished(child);
  expect([status, JSON.parse(out).error?.code ?? JSON.parse(out).result?.hosts?.[0]?.error?.code]).toEqual([2, code]);
  // The run did not wait for it either.
  expect(out).not.toContain('it is a pipe');
});
