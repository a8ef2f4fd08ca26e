/** One ssh answer for many destinations equals ssh's answer for each; destinations that can share an answer do. */

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { askConfig, parseSshG } from '../../../src/core/adapters/ssh/config-answers.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-ssh-config-'));
const runs = join(directory, 'runs');
const real = spawnSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).stdout.trim();

beforeAll(() => {
  writeFileSync(join(directory, 'ssh'), `#!/bin/sh\necho run >>${runs}\nexec ${real} "$@"\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const DESTINATIONS = ['build-1', 'build-2', 'db.example.org', 'Build-1', '10.0.0.7', '127.1', '::1', 'gate', '0x7f'];

const plain = fc.constantFrom(
  ...[
    'User ops',
    'Port 2222',
    'Port=2223',
    'IdentityFile ~/.ssh/%h',
    'IdentityFile /k/"two words"',
    'HashKnownHosts yes',
  ],
  ...['HostKeyAlias farm', 'ProxyJump gate', 'ProxyJump ops@gate:2222', 'StrictHostKeyChecking accept-new', '# Match'],
  ...[
    'IdentitiesOnly yes',
    'AddressFamily inet',
    'SendEnv LANG',
    'PasswordAuthentication no',
    'UserKnownHostsFile /a /b',
  ],
);
/** Keywords that make the answer depend on the name. */
const named = fc.constantFrom(
  ...[
    'HostName %h.internal',
    'HostName 10.9.9.9',
    'CanonicalizeHostname always',
    'ProxyCommand nc %h %p',
    'HostName=x',
  ],
  ...['ControlPath ~/cm-%r@%h', 'ProxyJump %h-gate', 'LocalForward 8080 localhost:80', 'User %n'],
);
const begins = fc.constantFrom(
  ...['Host *', 'Host build-*', 'Host * !build-2', 'Host build-? db.*', 'Host=gate', 'Host "build-1"', 'Host 10.0.0.*'],
  ...[
    'Host Build-*',
    'Host build-1 # one',
    'Match all',
    'Match host build-1',
    'Match final all',
    'Match exec "test %h = gate"',
  ],
  ...[
    'Match originalhost build-2',
    'Host !gate *',
    'host build-1,build-2',
    '\tHost\tbuild-2',
    `Include ${directory}/inc*`,
  ],
);
const line = fc.oneof(
  { arbitrary: plain, weight: 6 },
  { arbitrary: named, weight: 1 },
  { arbitrary: begins, weight: 4 },
);
const file = fc.array(line, { maxLength: 8 }).map((lines) => `${lines.join('\n')}\n`);
// An included file does not include itself.
const included = file.map((text) => text.replace(/^Include.*$/gm, ''));

/** One for each rule of config-rules.ts. */
const EXAMPLES: [string, string, string[]][] = [
  ['ProxyJump ops@gate:2222\n', '', ['build-1', 'gate']],
  ['ProxyJump gate\n', '', ['build-1', 'gate']],
  ['HostName %h.internal\n', '', ['build-1', 'build-2']],
  ['HostName 10.9.9.9\n', '', ['build-1', 'build-2']],
  ['User ops\nIdentityFile ~/.ssh/%h\n', '', ['build-1', 'build-2']],
  ['Match host build-1\nUser ops\n', '', ['build-2', 'build-1']],
  ['Match exec "test %h = gate"\nUser ops\n', '', ['build-2', 'gate']],
  ['Host * !build-2\nUser ops\n', '', ['build-1', 'build-2']],
  ['Host "build-1"\nUser ops\n', '', ['build-2', 'build-1']],
  ['Host build-1 # build-2\nUser ops\n', '', ['build-1', 'build-2']],
  [`Host build-1\nInclude ${directory}/inc*\n`, 'User ops\n', ['build-2', 'build-1']],
  [`Include ${directory}/inc*\n`, 'Host build-1\nUser ops\n', ['build-2', 'build-1']],
  ['User ops\n', '', ['build-1', '127.1', '0x7f', '::1', 'Build-1', '10.0.0.7']],
  ['Host Build-*\nUser ops\nMatch final all\nPort 2222\n', '', ['build-1', 'Build-1']],
];

/** Options that affect a login; ssh -v changes only its own loglevel. */
function relevant(values: ReadonlyMap<string, readonly string[]>) {
  return Object.fromEntries([...values].filter(([key]) => key !== 'loglevel'));
}

let count = 0;
it(
  'says of each destination what ssh says of it alone',
  () =>
    fc.assert(
      fc.asyncProperty(
        file,
        included,
        fc.shuffledSubarray(DESTINATIONS, { minLength: 3 }),
        async (text, more, some) => {
          count += 1;
          const configFile = join(directory, `config-${count}`);
          writeFileSync(configFile, text);
          writeFileSync(join(directory, 'include'), more);
          const answers = some.map((destination) =>
            askConfig({ host: destination, destination, configFile }).catch(() => undefined),
          );
          for (const [index, destination] of some.entries()) {
            const alone = spawnSync(real, ['-G', '-F', configFile, '--', destination], { encoding: 'utf8' });
            const answer = await answers[index];
            if (alone.status !== 0) expect(answer, `${destination}\n${text}\n${alone.stderr}`).toBeUndefined();
            else
              expect(relevant(answer as never), `${destination}\n${text}\n${more}`).toEqual(
                relevant(parseSshG(alone.stdout)),
              );
          }
        },
      ),
      { numRuns: 50, examples: EXAMPLES },
    ),
  120_000,
);

it('takes user and port of the options for the destination that they were given for', async () => {
  const configFile = join(directory, 'options');
  writeFileSync(configFile, 'User ops\nPort 2222\n');
  const ask = (destination: string, options = {}) => askConfig({ host: 'h', destination, configFile, ...options });
  expect((await ask('a', { user: 'root', port: 22 })).get('user')).toEqual(['root']);
  expect((await ask('b')).get('user')).toEqual(['ops']);
  expect((await ask('b')).get('port')).toEqual(['2222']);
});

it('starts ssh once for a fleet, and once more for each kind of host in it', async () => {
  const configFile = join(directory, 'fleet');
  writeFileSync(configFile, `Include ${directory}/fleet-more\nHost db-*\n  ProxyJump gate\nHost *\n  User ops\n`);
  writeFileSync(
    join(directory, 'fleet-more'),
    'Host unix/* .host\n  ProxyCommand proxy %h %p\nMatch final all\n  Ciphers aes128-ctr\n',
  );
  appendFileSync(runs, '');
  const before = readFileSync(runs, 'utf8').length;
  const names = Array.from({ length: 40 }, (_, index) => `${index % 2 ? 'db' : 'web'}-${index}`);
  const answers = await Promise.all(names.map((destination) => askConfig({ host: 'h', destination, configFile })));
  expect(answers.map((one) => one.get('hostname')?.[0])).toEqual(names);
  expect(answers.map((one) => one.has('proxyjump'))).toEqual(names.map((name) => name.startsWith('db')));
  expect((readFileSync(runs, 'utf8').length - before) / 'run\n'.length).toBe(2);
});
