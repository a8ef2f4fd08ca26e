/** Commands that people paste may hold words that a host made up: neither shell on the way may take them for anything else. */

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sshCommand } from '../../src/daemon/quote.ts';

test('plain words stay readable', () => {
  expect(sshCommand('build-1', 'sudo', 'du', '-xh', '/var/lib')).toBe('ssh build-1 sudo du -xh /var/lib');
});

test('any words reach the program on the host as they are, and nothing else runs', () => {
  const word = fc.oneof(
    fc.constantFrom('/; touch /tmp/struck', '$(id)', '`id`', "it's", 'a b', '|sh', '&& id', '*', '~', '"', '\\', '\n'),
    fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0')),
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      // What ssh does: it joins its words with spaces and gives them to the shell of the host.
      const ssh = 'ssh() { shift; sh -c "$*"; }; ';
      const out = execFileSync('sh', ['-c', ssh + sshCommand('host', 'printf', '%s\\0', ...words)], {
        encoding: 'utf8',
      });
      expect(out.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 60 },
  );
});
