/** Quoting for shells. test/core/property/remote-frame.test.ts tests it in real shells. */

import { expect, test } from 'vitest';
import { shellQuote } from '../../../src/core/domain/quote.ts';

test('what no shell word can hold is refused, and not cut off there', () => {
  expect(() => shellQuote('a\0; rm -rf /')).toThrow(TypeError);
});

test.each([
  '~',
  '~root/x',
  '*',
  'a b',
  '$x',
  '`x`',
  '#x',
  '!x',
  '{a,b}',
  '(x)',
  '',
  '\n',
  'a;b',
  'a&b',
  '[x]',
  '?',
  '^x',
  '<x',
  '|x',
])('%j is quoted: a shell would make something else of it', (word) => {
  expect(shellQuote(word)).toBe(`'${word}'`);
});

test('a single quote leaves the quotes for a moment', () => {
  expect(shellQuote("it's")).toBe("'it'\\''s'");
});
