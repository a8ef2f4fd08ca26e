/** Time of the audit of a file: it grows with the file, whatever repeats in it. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditDockerfile } from '../../../../src/features/audit/domain/files/dockerfile.ts';
import { cpuMs } from '../../../support/cpu-time.ts';

const WORDS = [
  ...['chsh ', 'usermod ', 'nologin ', 'root ', 'sed ', '/etc/passwd ', 'install ', 'sudo ', 'apt ', 'update '],
  ...[
    'chmod ',
    '-a ',
    '--force ',
    '777',
    '"',
    "'",
    '\\" ',
    "\\' ",
    '\\',
    ' ',
    'A=',
    'A="',
    '$',
    '${A',
    '<<',
    '<<E ',
    '|',
  ],
  ...['curl ', '-o ', 'http://', 'sh ', 'chpasswd', 'useradd ', '-p ', 'passwd ', 'a:b', 'PASSWORD_', 'min_', '@'],
  ...['--mount=', 'from=', ',', '.pem', '-key', '.tar.', '(', '[', '-----BEGIN ', 'A '],
];

test('of a Dockerfile', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('RUN', 'ENV', 'ARG', 'COPY', 'ADD', 'USER', 'LABEL', 'HEALTHCHECK', 'FROM', 'CMD'),
      fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom(...WORDS), { maxLength: 2 }),
      (name, words, ends) => {
        const part = words.join('');
        const text = `FROM a:1\n${name} x ${part.repeat(30_000 / part.length)}${ends.join('')}\n`;
        expect(cpuMs(() => auditDockerfile(text, 'd'))).toBeLessThan(1500);
      },
    ),
    {
      numRuns: 150,
      examples: [
        ['RUN', ['chsh ', 'nologin '], []],
        ['RUN', ['<<E ', '\\" '], []],
        ['RUN', ['install '], []],
        ['RUN', ['apt '], []],
        ['RUN', ['chmod ', '--force '.repeat(40)], []],
      ],
    },
  );
});
