/** Every option and file of a store that names a file: a device, a pipe, a directory or a loop is an error, never a hang or a bug. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, finished, type Program, runCli } from '../support/cli.ts';

let directory: string;
let program: Program;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-named-'));
  program = buildProgram();
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  symlinkSync('loop', join(directory, 'loop'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const SETUP = ['setup', 'root@127.0.0.1', '--yes', '--no-ca-passphrase', '--client', 'a'];

test.each([
  ['E_FILE', [...SETUP, '--accept-ca', '/dev/zero']],
  ['E_SSH_KEY_FILE', ['plan', 'root@127.0.0.1', '-i', '/dev/zero']],
  ['E_LOG_FILE', ['plan', 'root@127.0.0.1', '--log', 'pipe']],
  ['E_FILE', [...SETUP, '--accept-ca', 'loop']],
  ['E_SSH_KEY_FILE', ['plan', 'root@127.0.0.1', '-i', 'loop']],
  ['E_LOG_FILE', ['plan', 'root@127.0.0.1', '--log', 'loop']],
  ['E_SSH_KEY_FILE', ['plan', 'root@127.0.0.1', '-i', 'pipe']],
  ['E_SECRET_FILE', [...SETUP.filter((word) => word !== '--no-ca-passphrase'), '--sudo-password-file', 'loop']],
  ['E_LOG_FILE', ['plan', 'root@127.0.0.1', '--log', '/dev/full']],
  ['E_SECRET_FILE', [...SETUP.filter((word) => word !== '--no-ca-passphrase'), '--sudo-password-file', '/dev/zero']],
])('%s: %j', async (code, argv) => {
  const child = program.start(['--home', join(directory, 'home'), '--json', ...argv], { cwd: directory });
  const { status, out } = await finished(child);
  expect([status, JSON.parse(out).error?.code ?? JSON.parse(out).result?.hosts?.[0]?.error?.code]).toEqual([2, code]);
  // The run did not wait for it either.
  expect(out).not.toContain('it is a pipe');
});

test.each(['directory', 'loop', 'pipe', '/dev/zero'])('a store.json that is a %s', async (what) => {
  const home = mkdtempSync(join(directory, 'home-'));
  const file = join(home, 'store.json');
  if (what === 'directory') mkdirSync(file);
  else if (what === 'pipe') execFileSync('mkfifo', [file]);
  else symlinkSync(what === 'loop' ? 'store.json' : what, file);
  for (const argv of [['status'], ['env', 'build-1'], ['client', 'list']]) {
    const { exit, json } = await runCli([...argv, '--home', home, '--json']);
    expect([exit, json.error?.code]).toEqual([2, 'E_STORE_DAMAGED']);
  }
});

test('a home that is a looping link', async () => {
  writeFileSync(join(directory, 'text'), '');
  for (const [name, code] of [
    ['loop', 'E_STORE_DAMAGED'],
    ['text', 'E_STORE_DAMAGED'],
  ] as const) {
    const { exit, json } = await runCli([...SETUP, '--home', join(directory, name), '--json']);
    expect([exit, json.error?.code]).toEqual([2, code]);
  }
});
