import { statSync } from 'node:fs';
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
    sockets: (directory) => [
      { name: 'traefik', role: 'read', path: join(directory, 'traefik.sock'), mode: '660', group: 'root' },
      { name: 'all+1', role: 'full', path: join(directory, 'all.sock'), mode: '600', group: 'root' },
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

test('a socket has its role, mode and name in the log', async () => {
  expect(await ask('traefik.sock', 'GET /containers/app/json')).toContain('200 OK');
  expect(await ask('traefik.sock', 'POST /containers/create')).toContain(
    'docker-tls: socket traefik has the role read, which does not allow POST \\/containers\\/create',
  );
  expect(await ask('traefik.sock', 'GET /containers/../images/get')).toContain('403');
  expect(await ask('all.sock', 'POST /containers/create?name=x')).toContain('200 OK');
  expect(listener.engine.requests).toEqual(['GET /containers/app/json', 'POST /containers/create']);
  expect(statSync(join(listener.directory, 'traefik.sock')).mode & 0o777).toBe(0o660);
  expect(statSync(join(listener.directory, 'all.sock')).mode & 0o777).toBe(0o600);
  const logged = () => logOf(listener).flatMap((line) => parseLogLine(line) ?? []);
  await until(() => logged().length === 4);
  expect(logged().map(({ client, role, method, path, status }) => [client, role, method, path, status])).toEqual([
    ['traefik', 'read', 'GET', '/containers/app/json', 200],
    ['traefik', 'read', 'POST', '/containers/create', 403],
    ['traefik', 'read', 'GET', '/containers/../images/get', 403],
    ['all+1', 'full', 'POST', '/containers/create', undefined],
  ]);
});
