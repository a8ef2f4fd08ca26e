import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseLogLine } from '../../../../src/features/haproxy/domain/log-lines.ts';
import { BUILT_IN_ROLES } from '../../../../src/features/haproxy/domain/roles.ts';
import { certificatesFor } from '../support/certificates.ts';
import { type Listener, logOf, startListener, until } from '../support/listener.ts';

let listener: Listener;

beforeAll(async () => {
  const { server, ca } = await certificatesFor([]);
  listener = await startListener({
    ...{ server, trusted: [ca.leaf], clients: [], ownCas: [], roles: BUILT_IN_ROLES },
    sockets: [
      { name: 'traefik', role: 'read' },
      { name: 'prom', role: 'monitor' },
    ],
  });
});
afterAll(() => listener?.stop());

function ask(name: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(join(listener.directory, name));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.on('data', (data) => {
      text += data;
    });
    socket.write(`${line} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n`);
  });
}

test('a socket has its role, and its name in the log', async () => {
  expect(await ask('socket4', 'GET /containers/app/json')).toContain('200 OK');
  expect(await ask('socket4', 'POST /containers/create')).toSay(
    'socket-has-role',
    'traefik',
    'read',
    'POST \\/containers\\/create',
  );
  expect(await ask('socket4', 'GET /containers/../images/get')).toContain('403');
  expect(await ask('socket5', 'GET /info')).toContain('200 OK');
  expect(await ask('socket5', 'GET /containers/app/json')).toContain('403');
  expect(listener.engine.requests).toEqual(['GET /containers/app/json', 'GET /info']);
  const logged = () => logOf(listener).flatMap((line) => parseLogLine(line) ?? []);
  await until(() => logged().length === 5);
  expect(logged().map(({ client, role, method, path, status }) => [client, role, method, path, status])).toEqual([
    ['traefik', 'read', 'GET', '/containers/app/json', 200],
    ['traefik', 'read', 'POST', '/containers/create', 403],
    ['traefik', 'read', 'GET', '/containers/../images/get', 403],
    ['prom', 'monitor', 'GET', '/info', 200],
    ['prom', 'monitor', 'GET', '/containers/app/json', 403],
  ]);
});
