/** Commands to paste with words from a host: neither shell on the way may interpret them. */

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sshCommand, sudoCommand } from '../../../src/core/domain/quote.ts';

test('plain words stay readable', () => {
  expect(sshCommand({ destination: 'build-1' }, 'du', '-xh', '/var/lib')).toBe('ssh build-1 du -xh /var/lib');
});

test('any words reach the program on the host as they are, and nothing else runs', () => {
  const word = fc.oneof(
    fc.constantFrom('/; touch /tmp/struck', '$(id)', '`id`', "it's", 'a b', '|sh', '&& id', '*', '~', '"', '\\', '\n'),
    fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0')),
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      // Like ssh: it joins its arguments with spaces and passes them to the host's shell.
      const ssh = 'ssh() { shift; sh -c "$*"; }; ';
      const out = execFileSync('sh', ['-c', ssh + sshCommand({ destination: 'host' }, 'printf', '%s\\0', ...words)], {
        encoding: 'utf8',
      });
      expect(out.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 60 },
  );
});

const login = {
  destination: '10.0.0.1',
  user: 'ops',
  port: 2222,
  identities: ['/keys/my key'],
  configFile: '/etc/farm',
  jump: ['gate', 'inner:23'],
};

test('it leads to the host as the login did, whatever its name in the store is', () => {
  const way = "-F /etc/farm -i '/keys/my key' -J gate,inner:23 -p 2222";
  expect(sshCommand(login, 'df')).toBe(`ssh ${way} ops@10.0.0.1 df`);
  expect(sudoCommand(login, 'df')).toBe(`ssh -t ${way} ops@10.0.0.1 sudo df`);
});

test('root needs no sudo, and this computer no ssh', () => {
  expect(sudoCommand({ destination: 'a', user: 'root' }, 'df')).toBe('ssh root@a df');
  expect(sudoCommand({ destination: 'a', user: 'root', terminal: true }, 'systemctl', 'edit')).toBe(
    'ssh -t root@a systemctl edit',
  );
  expect(sudoCommand({ destination: 'local', user: 'ada' }, 'echo', 'a b')).toBe("sudo echo 'a b'");
});
