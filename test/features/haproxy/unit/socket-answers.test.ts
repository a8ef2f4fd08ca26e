import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import type { HostSession } from '../../../../src/core/runtime.ts';
import { judgeSocket, parseAnswers } from '../../../../src/features/haproxy/domain/socket-answers.ts';
import { checkSockets } from '../../../../src/features/haproxy/engine/check-sockets.ts';
import { SOCKET_CHECK_SCRIPT } from '../../../../src/features/haproxy/host/scripts.ts';
import { printSections } from '../../../support/sections.ts';

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

test('a socket that need not answer is not claimed to be checked, and is judged if it answers', async () => {
  const spec = completeHost({ name: 'h1', ssh: { destination: 'h1' }, listener: 'haproxy', sockets: ['ci read'] });
  const checked = async (status: string, body: string, inactive: readonly string[]) => {
    const content = Buffer.from(body);
    const stdout = printSections('listener', [
      { name: `api ${status} http://docker/_ping`, content: Buffer.from('OK') },
      { name: `api ${status} http://docker${SOCKET.outside}`, content },
      { name: 'ci', content: Buffer.from('') },
      { name: 'done', content: Buffer.from('') },
    ]);
    const session = { host: 'h1', run: async () => ({ status: 0, stdout, stderr: '' }) } as unknown as HostSession;
    return (await checkSockets({ session, spec, inactive }, { signal: new AbortController().signal })).map(
      ({ ok }) => ok,
    );
  };
  expect(await checked('000', '', ['ci'])).toEqual([]);
  expect(await checked('000', '', ['other'])).toEqual([false, false]);
  expect(await checked('200', '[]', ['ci'])).toEqual([true, false]);
});

test('the host sends no request through a link: another user may have put a socket there', async () => {
  const run = mkdtempSync(join(tmpdir(), 'docker-tls-run-'));
  onTestFinished(() => rmSync(run, { recursive: true, force: true }));
  const directory = join(run, 'docker-tls');
  mkdirSync(directory);
  const server = createServer((_, response) => response.end('OK')).listen(join(directory, 'ci.sock'));
  onTestFinished(() => void server.close());
  const script = SOCKET_CHECK_SCRIPT.replace(/^run=.*\n\[.*$/m, `run=${run}`);
  const asked = async (name: string) => {
    const lines = promisify(execFile)('sh', ['-c', `nonce=${NONCE} SOCKETS='${name} ${SOCKET.outside}'\n${script}`]);
    return parseAnswers(Buffer.from((await lines).stdout))?.get(name)?.size;
  };
  expect(await asked('ci')).toBe(2);
  symlinkSync('ci.sock', join(directory, 'ab.sock'));
  expect(await asked('ab')).toBe(0);
  renameSync(directory, join(run, 'open'));
  symlinkSync('open', directory);
  expect(await asked('ci')).toBe(0);
});
