/** Every option of the audit that names a file: a device, a pipe or a loop is an error, never a hang or a bug. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
  mkdirSync(join(directory, 'beside-a-loop'));
  writeFileSync(join(directory, 'beside-a-loop/c.yml'), 'services: { a: { image: a:1 } }\n');
  symlinkSync('.env', join(directory, 'beside-a-loop/.env'));
  mkdirSync(join(directory, 'beside-a-pipe'));
  writeFileSync(join(directory, 'beside-a-pipe/c.yml'), 'services: { a: { image: a:1 } }\n');
  execFileSync('mkfifo', [join(directory, 'beside-a-pipe/.env')]);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  ['E_AUDIT_FILE', ['audit', '--compose', 'loop']],
  ['E_AUDIT_FILE', ['audit', '--compose', 'beside-a-loop/c.yml']],
  ['E_AUDIT_FILE', ['audit', '--compose', 'beside-a-pipe/c.yml']],
  ['E_AUDIT_FILE', ['audit', '--dockerfile', 'loop']],
  ['E_AUDIT_FILE', ['audit', 'root@127.0.0.1', '--baseline', 'loop']],
  ['E_AUDIT_FILE', ['audit', 'root@127.0.0.1', '--compare', 'loop']],
  ['E_AUDIT_FILE', ['audit', '--compose', '/dev/zero']],
  ['E_AUDIT_FILE', ['audit', '--dockerfile', '/dev/zero']],
  ['E_AUDIT_FILE', ['audit', 'root@127.0.0.1', '--baseline', '/dev/zero']],
])('%s: %j', async (code, argv) => {
  const child = program.start(['--home', join(directory, 'home'), '--json', ...argv], { cwd: directory });
  const { status, out } = await finished(child);
  expect([status, JSON.parse(out).error?.code ?? JSON.parse(out).result?.hosts?.[0]?.error?.code]).toEqual([2, code]);
  // The run did not wait for it either.
  expect(out).not.toContain('it is a pipe');
});
