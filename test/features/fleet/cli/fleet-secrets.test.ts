/** Secrets that a fleet file names. */

import { existsSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { passphraseHome } from '../../../support/passphrase-home.ts';

const made = passphraseHome();
const { file, run } = made;

test('a rotation takes the passphrase that the fleet file names', async () => {
  writeFileSync(
    file('fleet.yaml'),
    `version: 1\nca: { passphrase: "file:words" }\nhosts: { build-1: build-1.example }\n`,
  );
  const without = await run('rotate', 'client', 'ci', '--yes');
  expect(without.json.error?.code).toBe('E_NO_TERMINAL');
  const { exit, json } = await run('rotate', 'client', 'ci', '--yes', '-f', 'fleet.yaml');
  expect([exit, json.result.clients[0].client]).toEqual([0, 'ci']);
});

test('without a terminal, what the file wants asked is no hint: the other ways are', async () => {
  writeFileSync(
    file('fleet.yaml'),
    'version: 1\nca: { passphrase: "file:words" }\nhosts: { b1: { ssh: 127.0.0.1:1, sudo-password: prompt } }\nclients: { ci: }\n',
  );
  const { exit, json } = await run('plan', '-f', 'fleet.yaml');
  expect([exit, json.error?.code]).toEqual([2, 'E_NO_TERMINAL']);
  expect(json.error?.hints).toEqual([expect.toSay('give-env-name-file', 'hosts.b1.sudo-password')]);
});

test.each(['rollback', 'remove'])('%s dials a host that only the fleet file has as the file says', async (command) => {
  writeFileSync(file('fleet.yaml'), 'version: 1\nhosts: { edge: { ssh: 127.0.0.1:1 } }\n');
  const { exit, json } = await run(command, 'edge', '--yes', '-f', 'fleet.yaml');
  expect([exit, json.error?.code, json.error?.message]).toEqual([4, 'E_SSH_REFUSED', 'nothing listens on 127.0.0.1:1']);
});

test('a shard that no host falls into says so', async () => {
  writeFileSync(file('fleet.yaml'), 'version: 1\nhosts: { a: 127.0.0.1 }\n');
  const argv = [
    'apply',
    '-f',
    'fleet.yaml',
    '--shard',
    '2/2',
    '--yes',
    '--ca-passphrase-file',
    'words',
    '--home',
    made.home,
  ];
  const { exit, out } = await runCli(argv, {
    cwd: made.directory,
    env: { HOME: made.directory, DOCKER_CONFIG: file('docker') },
  });
  expect([exit, out]).toEqual([0, expect.toSay('no-hosts-nothing-do')]);
});

test.each([
  ['ca export', ['--with-key', '--out', 'backup.pem', '--passphrase-file', 'words']],
  ['ca passphrase', ['--new-passphrase-file', 'new']],
])('%s reads the passphrase of the file alone, and no password for sudo', async (command, argv) => {
  writeFileSync(file('new'), 'battery staple\n', { mode: 0o600 });
  const hosts = 'hosts:\n  h1: { sudo-password: prompt }\n';
  writeFileSync(file('fleet.yaml'), `version: 1\nca: { passphrase: "file:${file('words')}" }\n${hosts}`);
  expect((await run(...command.split(' '), ...argv, '-f', 'fleet.yaml')).json.error).toBe(undefined);
  if (command === 'ca export') expect(existsSync(file('backup.pem'))).toBe(true);
  else expect((await run('rotate', 'client', 'ci', '--yes', '--ca-passphrase-file', 'new')).exit).toBe(0);
});
