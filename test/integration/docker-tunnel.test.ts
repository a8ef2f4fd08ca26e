/** A local socket that leads to a daemon as one client: who may use it, what goes through, and what a daemon that rejects the client does to it. */

import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTunnel, type TunnelRequest } from '../../src/adapters/docker/tunnel.ts';
import { Secret } from '../../src/domain/secret.ts';
import { CertificateFactory, type Issued } from '../support/certificate-factory.ts';
import { type Listening, startTlsDaemon, VERSION_BODY } from '../support/tls-daemon.ts';

const factory = new CertificateFactory();
const ca = factory.issue('docker-tls test CA', { ca: true });
const server = factory.issue('server', { by: ca, san: 'IP:127.0.0.1', usage: 'serverAuth' });
const client = factory.issue('laptop', { by: ca, usage: 'clientAuth' });
const untrusted = factory.issue('untrusted', { by: factory.issue('another CA', { ca: true }), usage: 'clientAuth' });
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

test('a server of another name gets nothing of what is said', async () => {
  const tunnel = await openTunnel(request('name', client, { address: '127.0.0.9' }));
  expect(await ask('name')).toMatch(/^error/);
  await tunnel.close();
  expect(failures.at(-1)).toContain('127.0.0.9');
});

test('a place that is taken is said', async () => {
  const tunnel = await openTunnel(request('taken', client));
  await expect(openTunnel(request('taken', client))).rejects.toMatchObject({ code: 'E_TUNNEL', exit: 4 });
  await tunnel.close();
});
