import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { wrapAnsi } from 'fast-wrap-ansi';
import { expect, test } from 'vitest';
import {
  cutText,
  durationWords,
  hangText,
  listWords,
  padText,
  plural,
  textWidth,
  wrapLines,
  wrapText,
} from '../../../src/core/domain/words.ts';
import { renderTable } from '../../../src/core/render/table.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test.each([
  [0, '0.0 s'],
  [440, '0.4 s'],
  [9_940, '9.9 s'],
  [9_960, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 min'],
  [185_000, '3 min 5 s'],
  [3_600_000, '1 h'],
  [130 * 60_000, '2 h 10 min'],
  [3 * DAY + HOUR, '3 days'],
])('a duration of %d ms is %s', (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});

test('a coloured line keeps its indent when it is wrapped', () => {
  const line = '    +  "a": "some words that do not fit"';
  const painted = wrapLines(`\u001b[32m${line}\u001b[39m`, 28);
  expect(stripVTControlCharacters(painted)).toBe(wrapLines(line, 28));
  expect(stripVTControlCharacters(painted)).toBe('    +  "a": "some words that\n      do not fit"');
});

test('counts and lists', () => {
  expect([plural(1, 'host'), plural(2, 'host'), plural(0, 'CA', 'CAs')]).toEqual(['1 host', '2 hosts', '0 CAs']);
  expect(listWords([])).toBe('');
  expect(listWords(['a'])).toBe('a');
  expect(listWords(['a', 'b', 'c'])).toBe('a, b and c');
  expect(listWords(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
});

test.each([
  ['host', 4],
  ['\u001b[31mred\u001b[39m', 3],
  ['日本', 4],
  ['ｈ', 2],
  ['e\u0301', 1],
  ['🚀', 2],
  ['한', 2],
])('%j takes %d columns', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('cut and padded text has the width that was asked for', () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '日', 'é', '🚀', ' ') }));
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 40 }), (text, width) => {
      const cut = cutText(text, width);
      expect(textWidth(cut)).toBeLessThanOrEqual(width);
      expect(textWidth(padText(cut, width))).toBe(width);
      if (textWidth(text) <= width) expect(cut).toBe(text);
      else expect(cut.endsWith('…')).toBe(true);
    }),
  );
});

test('wrapping keeps every word and breaks only at spaces', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 5, max: 40 }), (all, width) => {
      const lines = wrapText(all.join(' '), width);
      expect(lines.join(' ')).toBe(all.join(' '));
      for (const line of lines) if (line.includes(' ')) expect(textWidth(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test('a plain line that fits is wrapped as any other', () => {
  const texts = fc.stringMatching(/^[ -~]{0,30}$/);
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 40 }), (text, width) => {
      expect(wrapText(text, width)).toEqual(wrapAnsi(text, width).split('\n'));
    }),
  );
});

test('a table is aligned by what is seen, and colour touches only the text', () => {
  const green = (text: string) => `\u001b[32m${text}\u001b[39m`;
  const text = renderTable(
    [{ title: 'HOST' }, { title: 'DAYS', align: 'right' }, { title: 'STATE' }],
    [
      ['日本-1', 5, { text: 'ok', style: green }],
      [{ text: 'b', style: green }, 120, 'renewal due'],
    ],
  );
  expect(text).toBe(
    [
      'HOST    DAYS  STATE',
      '日本-1     5  \u001b[32mok\u001b[39m',
      '\u001b[32mb\u001b[39m        120  renewal due',
      '',
    ].join('\n'),
  );
});

test('a table that is too wide cuts only columns that may shrink', () => {
  const text = renderTable(
    [{ title: 'HOST' }, { title: 'NAMES', shrinkTo: 6 }],
    [['build-1', 'build-1.example.org, 10.0.0.1']],
    { columns: 19 },
  );
  expect(text).toBe('HOST     NAMES\nbuild-1  build-1.e…\n');
});

test('a long line hangs below its beginning, on a terminal', () => {
  const text = 'left out: icc, since containers no longer reach one another';
  expect(hangText(text, 30, 2)).toBe('left out: icc, since\n  containers no longer reach\n  one another');
  expect(hangText(text, undefined, 2)).toBe(text);
});

test('a table that is too wide all the same leaves columns out, one after the other', () => {
  const at = (columns: number) =>
    renderTable(
      [{ title: 'HOST' }, { title: 'ADDRESS', leaveOut: 1 }, { title: 'BY', shrinkTo: 4, leaveOut: 2 }, { title: 'N' }],
      [['build-1', '10.0.0.1', 'a long name', 7]],
      { columns },
    ).split('\n')[1];
  expect([33, 26, 25, 20, 19, 10].map(at)).toEqual([
    'build-1  10.0.0.1  a long name  7',
    'build-1  10.0.0.1  a l…  7',
    'build-1  10.0.0.1  7',
    'build-1  10.0.0.1  7',
    'build-1  7',
    'build-1  7',
  ]);
});

test('nothing that a host says reaches the terminal as a code', () => {
  const text = renderTable([{ title: 'A' }], [['x\u001b]0;owned\u0007\u001b[2Jy\nz\u202e']]);
  expect(text).toBe('A\nxy ⏎ z\n');
});

test('the last column of a table goes on below where it may wrap', () => {
  const columns = [{ title: 'A' }, { title: 'B', wraps: true }] as const;
  const word = 'x'.repeat(14);
  const lines = renderTable(columns, [['a', `${word} ${word} ${word}`]], { columns: 33 }).split('\n');
  expect(lines.slice(1)).toEqual([`a  ${word} ${word}`, `   ${word}`, '']);
});
