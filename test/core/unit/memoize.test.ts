/** The cache of parsed texts. */

import { expect, test } from 'vitest';
import { memoize } from '../../../src/core/domain/pki/memoize.ts';

test('results are kept, the oldest goes first, and nothing is kept of a text that cannot be parsed', () => {
  const parsed: string[] = [];
  const parse = memoize(2, (text) => {
    parsed.push(text);
    if (text === 'bad') throw new Error('bad');
    return { text };
  });
  expect(parse('a')).toBe(parse('a'));
  expect(() => parse('bad')).toThrow('bad');
  expect(() => parse('bad')).toThrow('bad');
  parse('b');
  parse('a');
  parse('c');
  parse('b');
  parse('a');
  expect(parsed).toEqual(['a', 'bad', 'bad', 'b', 'c', 'a']);
});
