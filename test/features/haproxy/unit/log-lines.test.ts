import { expect, test } from 'vitest';
import { parseLogLine } from '../../../../src/features/haproxy/domain/log-lines.ts';

const FIELDS = {
  'docker-tls': 'request',
  kind: 'client',
  client: 'prom',
  role: 'monitor',
  address: '10.0.0.7',
  method: 'GET',
  path: '/v1.45/containers/json',
  status: '200',
  ms: '13',
  end: '--',
};
const line = (changes: Readonly<Record<string, unknown>> = {}) => JSON.stringify({ ...FIELDS, ...changes });

test('a request of a limited client', () => {
  expect(parseLogLine(line())).toEqual({
    kind: 'client',
    client: 'prom',
    role: 'monitor',
    address: '10.0.0.7',
    method: 'GET',
    path: '/v1.45/containers/json',
    status: 200,
    durationMs: 13,
  });
});

test('a connection with full access, a socket, and rejected clients', () => {
  expect(parseLogLine(line({ role: 'full', status: '-', method: 'PRI', path: '*' }))).toMatchObject({
    method: undefined,
    path: undefined,
    status: undefined,
  });
  expect(parseLogLine(line({ kind: 'socket', address: 'unix' }))).toMatchObject({ kind: 'socket', address: undefined });
  expect(parseLogLine(line({ kind: 'unknown client', client: "O'Hara", role: '-' }))).toMatchObject({
    client: "O'Hara",
    role: undefined,
  });
  expect(parseLogLine(line({ kind: 'other client', client: '-', address: '2001:db8::7' }))).toMatchObject({
    client: undefined,
    address: '2001:db8::7',
  });
});

test.each([
  ['another line', 'Proxy docker started.'],
  ['words before it', ` ${line()}`],
  ['another mark', line({ 'docker-tls': 'handshake' })],
  ['an end that is missing', line().slice(0, -5)],
  ['text after it', `${line()}x`],
  ['a list', '["docker-tls"]'],
  ['a number', line({ client: 7 })],
  ['an unknown kind', line({ kind: 'admin' })],
  ['a client without a name', line({ client: '-' })],
  ['a name that no client has', line({ client: 'a b' })],
  ['an escape in the name', line({ client: 'a\u001b[31m' })],
  ['a role that no role has', line({ role: 'Full' })],
  ['no role', line({ role: '-' })],
  ['an address that is none', line({ address: 'localhost' })],
  ['a client on a socket', line({ address: 'unix' })],
  ['a socket with an address', line({ kind: 'socket' })],
  ['a status that is none', line({ status: '999' })],
  ['a duration that is none', line({ ms: '-' })],
  ['a long line', line({ path: `/${'a'.repeat(9000)}` })],
])('%s is not a request', (_, text) => {
  expect(parseLogLine(text)).toBeUndefined();
});

test('a path with control characters, or without a slash, is left out', () => {
  for (const path of ['/a\u001b[31m', '/a\nb', '/a b', 'http://x/', '/\u00e4', '*'])
    expect(parseLogLine(line({ path }))).toMatchObject({ client: 'prom', method: undefined, path: undefined });
});
