/** Quoting for shells: what a shell makes of it, test/property/remote-frame.test.ts tries. */

import { expect, test } from 'vitest';
import { shellQuote } from '../../src/domain/quote.ts';

test('what no shell word can hold is refused, and not cut off there', () => {
  expect(() => shellQuote('a\0; rm -rf /')).toThrow(TypeError);
});
