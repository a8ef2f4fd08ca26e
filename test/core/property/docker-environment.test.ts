/** Environment output: for any values, Debian's real shells set exactly these, and evaluating it has no other effect. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { renderEnvironment, type Shell } from '../../../src/core/domain/shell-environment.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-env-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// Each evaluates the text as our own comment line says, or sources it as a file, then prints the environment.
const posix = (shell: string): [string, Shell, string[]][] => [
  [`${shell}, eval`, 'sh', [shell, '-c', 'eval "$(cat "$1")"; env -0', shell]],
  [`${shell}, source`, 'sh', [shell, '-c', '. "$1"; env -0', shell]],
];
const shells: [string, Shell, string[]][] = [
  ...posix('dash'),
  ...posix('bash'),
  ...posix('zsh'),
  ['bash -i, where ! is history', 'sh', ['bash', '--norc', '-ic', 'eval "$(cat "$1")"; env -0', 'bash']],
  ['fish, source', 'fish', ['fish', '--no-config', '-c', 'cat $argv[1] | source; env -0']],
  ['tcsh, eval', 'tcsh', ['tcsh', '-f', '-c', 'eval "`cat $1`"; env -0']],
  ['tcsh, source', 'tcsh', ['tcsh', '-f', '-c', 'source $1; env -0']],
];

const nasty = fc.constantFrom(
  ...[
    "'",
    '"',
    '\\',
    '$HOME',
    '`touch x`',
    '$(touch x)',
    '!',
    '!!',
    ' ',
    '  ',
    ';touch x;',
    '%',
    '*',
    '~',
    '#',
    '&',
    '|',
    '>x',
    '{a,b}',
    'é',
    '漢',
    '🐳',
    '[',
    '\u2019',
  ],
);
const value = fc
  .array(fc.oneof({ weight: 3, arbitrary: nasty }, fc.string({ unit: 'grapheme', maxLength: 4 })), { maxLength: 8 })
  .map((parts) => parts.join(''))
  .filter((text) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text));
const variables = fc.record({ DOCKER_HOST: value, DOCKER_TLS_VERIFY: value, DOCKER_CERT_PATH: value });

function evaluate(argv: readonly string[], text: string, env: Record<string, string>): Record<string, string> {
  const [program, ...args] = argv as [string, ...string[]];
  const file = join(directory, 'text');
  writeFileSync(file, text);
  const printed = execFileSync(program, [...args, file], {
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', HOME: directory, LC_ALL: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return Object.fromEntries(
    printed.split('\0').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
  );
}

describe('renderEnvironment in real shells', () => {
  it.each(shells)('%s', (_what, shell, argv) => {
    fc.assert(
      fc.property(variables, (wanted) => {
        const text = renderEnvironment({ shell, variables: wanted, usage: "docker-tls env 'it!s $(touch x)'" });
        expect(evaluate(argv, text, {})).toMatchObject(wanted);
        expect(readdirSync(directory).filter((name) => !name.startsWith('.') && name !== 'text')).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it.each(shells)('%s, --unset', (_what, shell, argv) => {
    const before = { DOCKER_HOST: 'tcp://a:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/a', KEPT: 'yes' };
    const text = renderEnvironment({ shell, variables: before, unset: true, usage: 'docker-tls env --unset' });
    const after = evaluate(argv, text, before);
    expect(after).toMatchObject({ KEPT: 'yes' });
    expect(Object.keys(after).filter((name) => name.startsWith('DOCKER_'))).toEqual([]);
  });
});
