/** JSON output of a run: it controls no terminal and hides nothing. */

import { expect, test } from 'vitest';
import type { CommandResult } from '../../../src/cli/command.ts';
import { printResult } from '../../../src/cli/output.ts';
import { renderDocument } from '../../../src/core/domain/document.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';

/** Control, zero-width and direction characters that JSON itself leaves unescaped. */
const HARMFUL = '\u007f\u009b\u200b\u200d\u200e\u2028\u202e\u2060\u2066\ufeff\ufffb';

test.each([...HARMFUL])('%j is escaped, in values and keys, and read back as it was', (character) => {
  const document = { [`a${character}b`]: `c${character}d` };
  const text = renderDocument(document);
  expect(text).not.toContain(character);
  expect(JSON.parse(text)).toEqual(document);
});

test('letters of any language are left', () => {
  expect(renderDocument({ a: 'Grüße 東京' })).toContain('Grüße 東京');
});

function printed(result: Partial<CommandResult>, form: { quiet?: boolean } = {}) {
  const said = { out: '', err: '' };
  const io = {
    ...{ outIsTerminal: true, errIsTerminal: true, inIsTerminal: true, columns: 30, colour: false },
    out(text: string) {
      said.out += text;
    },
    err(text: string) {
      said.err += text;
    },
  };
  const words = String;
  const whole = { exit: 0 as const, result: {}, text: '', ...result };
  printResult(io, { command: 'test', json: false, verbose: false, quiet: false, ...form, words }, whole);
  return said;
}

const LONG = 'a sentence that is longer than the terminal is wide';
const COMMAND = '  docker-tls apply --option one --option two';

test('lines are broken between words at the width of the terminal; commands and verbatim text stay whole', () => {
  expect(printed({ text: `${LONG}\n  ! ${LONG}\n${COMMAND}` }).out).toBe(
    `a sentence that is longer\n  than the terminal is wide\n  ! a sentence that is\n    longer than the terminal\n    is wide\n${COMMAND}\n`,
  );
  expect(printed({ text: LONG, verbatim: true }).out).toBe(`${LONG}\n`);
  const error = new DockerTlsError('E_STORE_LOCKED', LONG, { hints: [COMMAND.trim()] });
  expect(
    printed({ errors: [error] })
      .err.split('\n')
      .filter((line) => line.length > 30),
  ).toEqual([`  hint: ${COMMAND.trim()}`]);
});

test('--quiet leaves what needs attention, what failed, and a text that was asked for', () => {
  const quiet = { quiet: true };
  expect(printed({ text: 'all of it', attention: '', next: ['docker ps'] }, quiet).out).toBe('');
  expect(printed({ text: 'all of it', attention: 'a warning' }, quiet).out).toBe('a warning\n');
  expect(printed({ exit: 3, text: 'all of it', attention: '' }, quiet).out).toBe('all of it\n');
  expect(printed({ text: 'lines for a shell' }, quiet).out).toSay('lines-shell');
});
