/** What a run prints as JSON drives no terminal and hides nothing. */

import { expect, test } from 'vitest';
import { renderDocument } from '../../src/cli/output.ts';

/** Control, zero-width and direction characters that JSON itself leaves as they are. */
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
