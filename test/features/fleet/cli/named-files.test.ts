/** Files with hosts that are no plain files: a device or a loop is an error, never a hang or a bug; a pipe is read. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFleetText, readInput } from '../../../../src/features/fleet/actions/read-fleet.ts';
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

test('a pipe is read once: a command that reads its fleet again gets the same text', async () => {
  const pipe = join(directory, 'pipe');
  const text = 'version: 1\nhosts: { a: root@a }\n';
  // Opens both ends, so that the reader does not find the pipe closed.
  const writer = spawn('sh', [
    '-c',
    'mkfifo "$1"; exec 3<>"$1"; printf "$2" >&3; echo ready; read -r end',
    'sh',
    pipe,
    text,
  ]);
  await once(writer.stdout, 'data');
  const first = readInput('pipe', directory);
  writer.stdin.end();
  expect([await first, await readInput(pipe, '/'), await readFleetText(pipe)]).toEqual([text, text, text]);
});
