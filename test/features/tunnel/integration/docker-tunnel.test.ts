/** Local socket that leads to a daemon as one client: its users, its traffic, and a daemon that rejects the client. */

import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { openTunnel, runCommand, type TunnelRequest } from '../../../../src/features/tunnel/adapters/ssh-tunnel.ts';
import { CertificateFactory, type Issued } from '../../../support/certificate-factory.ts';
import { ownPort } from '../../../support/ports.ts';
import { type Listening, startTlsDaemon, VERSION_BODY } from '../../../support/tls-daemon.ts';

const factory = new CertificateFactory();
const ca = factory.issue('docker-tls test CA', { ca: true });
const server = factory.issue('server', { by: ca, san: 'IP:127.0.0.1', usage: 'serverAuth' });
const client = factory.issue('laptop', { by: ca, usage: 'clientAuth' });
const otherCa = factory.issue('another CA', { ca: true });
const untrusted = factory.issue('untrusted', { by: otherCa, usage: 'clientAuth' });
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-tunnel-'));
let daemon: Listening;

beforeAll(async () => {
  daemon = await startTlsDaemon(factory, { server, trust: ca });
});
afterAll(async () => {
  await daemon?.stop();
  factory.remove();
  rmSync(directory, { recursive: true, force: true });
});

const failures: string[] = [];
function request(name: string, credential: Issued, more: Partial<TunnelRequest> = {}): TunnelRequest {
  return {
    at: { path: join(directory, name) },
    dial: async () => connect(daemon.port, '127.0.0.1'),
    address: '127.0.0.1',
    ca: ca.cert,
    client: { cert: credential.cert, key: new Secret(credential.key) },
    failed: (why) => failures.push(why),
    ...more,
  };
}

function ask(name: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = get(
      { socketPath: join(directory, name), path: '/version', headers: { connection: 'close' } },
      (answer) => {
        let text = '';
        answer.on('data', (part) => {
          text += part;
        });
        answer.on('end', () => resolve(text));
      },
    );
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(`error ${error.code}`));
  });
}

test('a socket that only its owner may use; a program speaks HTTP to it, the daemon sees the client', async () => {
  const tunnel = await openTunnel(request('good', client));
  expect(statSync(join(directory, 'good')).mode & 0o777).toBe(0o600);
  expect(await ask('good')).toContain(VERSION_BODY);
  await tunnel.close();
  expect(existsSync(join(directory, 'good'))).toBe(false);
});

test('a daemon that rejects the client ends the connection, and the tunnel says why', async () => {
  const tunnel = await openTunnel(request('bad', untrusted));
  expect(await ask('bad')).toMatch(/^error/);
  await tunnel.close();
  expect(failures.at(-1)).toMatch(/alert|ECONNRESET|EPIPE/i);
});

test.each([
  ['name', { address: '127.0.0.9' }, /127\.0\.0\.9/],
  ['CA', { ca: otherCa.cert }, /certificate/],
])('a server of another %s gets nothing of what is said, whatever the environment says', async (name, more, why) => {
  for (const value of ['1', '0']) {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', value);
    const tunnel = await openTunnel(request(name, client, more));
    expect(await ask(name)).toMatch(/^error/);
    await tunnel.close();
    expect(failures.pop()).toMatch(why);
  }
  vi.unstubAllEnvs();
});

test('a port listens on 127.0.0.1 and on no other address', async () => {
  const port = await ownPort();
  const tunnel = await openTunnel(request('port', client, { at: { port } }));
  const dial = async (address: string) => {
    const socket = connect(port, address);
    const answer = await once(socket, 'connect').then(
      () => 'connected',
      (error) => error.code,
    );
    socket.destroy();
    return answer;
  };
  expect([await dial('127.0.0.1'), await dial('127.0.0.2')]).toEqual(['connected', 'ECONNREFUSED']);
  await tunnel.close();
});

test('a place that is taken is said', async () => {
  const tunnel = await openTunnel(request('taken', client));
  await expect(openTunnel(request('taken', client))).rejects.toMatchObject({ code: 'E_TUNNEL', exit: 4 });
  await tunnel.close();
});

test('a command that is not installed here', async () => {
  await expect(runCommand(['/nonexistent/docker', 'ps'], {})).rejects.toMatchObject({
    code: 'E_PROGRAM_MISSING',
    exit: 2,
    hints: ['command -v /nonexistent/docker'],
  });
});
