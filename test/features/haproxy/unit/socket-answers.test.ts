import { expect, test } from 'vitest';
import { judgeSocket, parseAnswers } from '../../../../src/features/haproxy/domain/socket-answers.ts';

const NONCE = '0123456789abcdef0123456789abcdef';
const SOCKET = { name: 'ci', role: 'read', outside: '/configs/docker-tls' };
const REFUSED = '{"message":"docker-tls: socket ci has the role read, which does not allow GET /configs/docker-tls"}';

/** Output of the script: the answers of the socket `ci`. */
function checksOf(ping: string, outside: readonly [status: string, body: string]) {
  const section = (content: string, name: string) => `${content}\n--${NONCE} ${name}\n`;
  const text = [
    `docker-tls-listener 1 ${NONCE}\n`,
    section('OK', `api ${ping} http://docker/_ping`),
    section(outside[1], `api ${outside[0]} http://docker${SOCKET.outside}`),
    section('', 'ci'),
    section('', 'done'),
  ].join('');
  const answers = parseAnswers(Buffer.from(text))?.get('ci') ?? new Map();
  return judgeSocket(SOCKET, answers, 'root').map(({ ok, outcome }) => [ok, outcome]);
}

test('a socket answers what its role allows, and refuses the rest itself', () => {
  expect(checksOf('200', ['403', REFUSED])).toEqual([
    [true, 'accepted'],
    [true, expect.toSay('rejected-by-role')],
  ]);
});

test.each([
  ['another status', '404', REFUSED],
  ['the daemon answers', '200', '[]'],
  ['an authorization plugin refuses', '403', '{"message":"authorization denied by plugin x"}'],
  ['another socket', '403', REFUSED.replace('socket ci', 'socket other')],
  ['another role', '403', REFUSED.replace('role read', 'role monitor')],
  ['no answer', '000', ''],
])('%s is no refusal by the role', (_, status, body) => {
  expect(checksOf('200', [status, body])[1]?.[0]).toBe(false);
});

test('a socket without an answer, or with an error, fails', () => {
  expect(checksOf('000', ['403', REFUSED])[0]).toEqual([false, 'no answer']);
  expect(checksOf('503', ['403', REFUSED])[0]).toEqual([false, 'status 503']);
  expect(judgeSocket(SOCKET, new Map(), 'root').map(({ ok }) => ok)).toEqual([false, false]);
  expect(parseAnswers(Buffer.from('nothing'))).toBeUndefined();
});
