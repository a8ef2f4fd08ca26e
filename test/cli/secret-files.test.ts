/** Secrets in files that an option names. */

import { chmodSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let directory: string;
const file = (name: string) => join(directory, name);
const run = (...argv: string[]) =>
  runCli([...argv, '--home', home, '--json'], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: file('docker') },
  });

beforeEach(async () => {
  home = newHome();
  directory = dirname(home);
  writeFileSync(file('words'), 'correct horse\n', { mode: 0o600 });
  expect((await run('client', 'add', 'ci', '--ca-passphrase-file', 'words')).exit).toBe(0);
});
afterAll(() => removeHomes());

test('a file that every local user can read holds no secret', async () => {
  chmodSync(file('words'), 0o644);
  const { exit, json } = await run('rotate', 'client', 'ci', '--yes', '--ca-passphrase-file', 'words');
  expect([exit, json.error?.code, json.error?.hints]).toEqual([2, 'E_SECRET_FILE', [`chmod 600 ${file('words')}`]]);
});

test.each([
  [tmpdir(), 'is a directory'],
  ['/dev/null', 'is a device, no file'],
])('%s holds no secret, and no hint says to close it', async (path, what) => {
  const { exit, json } = await run('rotate', 'client', 'ci', '--yes', '--ca-passphrase-file', path);
  expect([exit, json.error?.code, json.error?.hints]).toEqual([2, 'E_SECRET_FILE', []]);
  expect(json.error?.message).toContain(`${path} ${what}`);
});
