/** HOST as typed: addresses with a zone, names beyond ASCII, and the root's dot. */

import { expect, test } from 'vitest';
import { parseDestination, wayOf } from '../../../src/core/domain/destination.ts';

test.each([
  ['root@fe80::1%eth0', { destination: 'fe80::1%eth0', user: 'root' }],
  ['[fe80::1%br-lan.100]:2222', { destination: 'fe80::1%br-lan.100', port: 2222 }],
  ['2001:db8::7', { destination: '2001:db8::7' }],
  ['root@bücher.example:22', { destination: 'xn--bcher-kva.example', user: 'root', port: 22 }],
  ['ssh://ops@Büro/', { destination: 'xn--bro-hoa', user: 'ops' }],
  ['build-1.example.', { destination: 'build-1.example.' }],
])('%s', (text, destination) => {
  expect(parseDestination(text)).toEqual(destination);
});

test.each(['fe80::1%eth0;x', 'fe80::1%', 'a\u2028b', 'ü\u0000', '\uff0dx'])('%j is refused', (text) => {
  expect(() => parseDestination(text)).toThrow(expect.objectContaining({ code: 'E_HOST_NAME' }));
});

test('a name with the dot of the root leads to the same host as without', () => {
  expect(wayOf(parseDestination('build-1.example.'))).toBe(wayOf(parseDestination('Build-1.example:22')));
});
