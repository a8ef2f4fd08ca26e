/** Secrets in files that an option names. */

import { chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { passphraseHome } from '../support/passphrase-home.ts';

const { file, run } = passphraseHome();

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
