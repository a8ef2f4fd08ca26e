/** Masking of secrets, and of passwords in addresses from any host or file, in a time that no text can prolong. */

import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { maskPasswords, Secret } from '../../../src/core/domain/secret.ts';

test('a secret is stars in strings, templates, JSON and inspection, wherever it lies', () => {
  const held = { list: [new Secret('hunter2')] };
  const { list } = held;
  const shown = [
    String(list[0]),
    `${list}`,
    JSON.stringify(held),
    inspect(held, { depth: 9 }),
    format('%s %o', held, list),
  ];
  for (const text of shown) expect(text).not.toMatch(/hunter2|104,\s*117/);
  expect(shown.slice(0, 4)).toEqual(['***', '***', '{"list":["***"]}', '{ list: [ *** ] }']);
});

test.each([
  ['ADD https://bob:hunter2@example.com/x /x', 'ADD https://bob:***@example.com/x /x'],
  ['"http-proxy": "http://:pw@proxy:3128"', '"http-proxy": "http://:***@proxy:3128"'],
  ["HTTPS_PROXY=http://bob:it's@proxy:3128", 'HTTPS_PROXY=http://bob:***@proxy:3128'],
  ['https://ghp_0123456789abcdefghij@github.com/a b', 'https://***@github.com/a b'],
  ['ssh://ops@build-1:22 http://a:80/x@y', 'ssh://ops@build-1:22 http://a:80/x@y'],
  ['["http://a:80","b@c"] https:// x:y@z', '["http://a:80","b@c"] https:// x:y@z'],
])('%s', (text, masked) => {
  expect(maskPasswords(text)).toBe(masked);
});

test.each(['a', '://', '://a:', 'a://'])('a megabyte of %s', (part) => {
  const text = part.repeat(1_000_000 / part.length);
  expect(maskPasswords(text)).toBe(text);
});
