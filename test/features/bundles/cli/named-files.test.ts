/** A bundle or a request that is a loop or a device is an error, never a hang. */

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
  ['import', 'loop'],
  ['sign', 'loop'],
  ['import', '/dev/zero'],
  ['sign', '/dev/zero'],
])('client %s %s', async (verb, file) => {
  const child = program.start(['--home', join(directory, 'home'), '--json', 'client', verb, file], { cwd: directory });
  const { status, out } = await finished(child);
  expect([status, JSON.parse(out).error?.code]).toEqual([2, 'E_FILE']);
});
