import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoredClient } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import type { Issued } from '../../../support/certificate-factory.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { newHome, removeHomes, sampleHost } from '../../../support/store.ts';
import { type Listening, startRawServer, startTlsDaemon } from '../../../support/tls-daemon.ts';

const factory = new CertificateFactory();
const ca = factory.issue('ca', { ca: true });
const good = factory.issue('laptop', { by: ca, usage: 'clientAuth' });
const server = (more: object = {}) =>
  factory.issue('server', { by: ca, san: 'IP:127.0.0.1', usage: 'serverAuth', ...more });
let home: string;
let running: Listening[] = [];

beforeEach(() => {
  home = newHome();
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
afterAll(() => {
  factory.remove();
  removeHomes();
});

/** A store that knows one host at this port, and one client. */
async function store(port: number, client: Issued = good): Promise<void> {
  const host = sampleHost('build-1', 0);
  const opened = openStore(home);
  await opened.withLock('test', () =>
    opened.write({
      hosts: { 'build-1': { ...host, record: { ...host.record, address: '127.0.0.1', port }, ca: ca.cert } },
      clients: {
        laptop: {
          record: {
            name: 'laptop',
            createdAt: '2026-01-01T00:00:00Z',
            updatedAt: '2026-01-01T00:00:00Z',
            days: 30,
            keyType: 'p256',
          },
          ca: ca.cert,
          cert: client.cert,
          key: new Secret(client.key),
        },
      },
    }),
  );
}

const run = (env: Record<string, string> = {}, ...argv: string[]) =>
  runCli(['doctor', 'build-1', '--no-ssh', '--timeout', '3s', '--home', home, '--json', ...argv], {
    env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker'), ...env },
  });

async function daemon(credential: Issued, flags: readonly string[] = [], trust: Issued = ca): Promise<number> {
  const one = await startTlsDaemon(factory, { server: credential, trust, flags });
  running = [...running, one];
  return one.port;
}

describe('one cause, exit status 7, and a command that fixes it', () => {
  test.each([
    ['expired', () => daemon(server({ from: -30, to: -2 })), 'docker-tls apply build-1'],
    ['not-yet-valid', () => daemon(server({ from: 2, to: 30 })), 'docker-tls apply build-1'],
    ['wrong-name', () => daemon(server({ san: 'DNS:elsewhere.example' })), '--san'],
    ['unknown-authority', () => daemon(factory.issue('self', { san: 'IP:127.0.0.1' })), 'docker-tls'],
    ['client-refused', () => daemon(server(), [], factory.issue('other', { ca: true })), 'docker-tls client list'],
    ['protocol', () => daemon(server(), ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']), 'openssl s_client'],
    ['connection-refused', async () => 1, 'docker-tls apply build-1'],
    [
      'plain-http',
      async () => {
        const one = await startRawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
        running = [...running, one];
        return one.port;
      },
      'docker-tls apply build-1',
    ],
    [
      'daemon-not-answering',
      async () => {
        const one = await startRawServer(() => undefined);
        running = [...running, one];
        return one.port;
      },
      'journalctl',
    ],
  ])('%s', async (cause, listen, hint) => {
    await store(await listen());
    const { exit, json } = await run();
    expect([exit, json.result?.cause]).toEqual([7, cause]);
    expect(json.result.hints.join('\n')).toContain(hint);
  });

  test("the client's own certificate is over", async () => {
    await store(await daemon(server()), factory.issue('laptop', { by: ca, usage: 'clientAuth', from: -9, to: -1 }));
    const { exit, json } = await run();
    expect([exit, json.result.cause]).toEqual([7, 'client-expired']);
  });

  test.each([
    ['host-overridden', { DOCKER_HOST: 'tcp://10.9.9.9:2376' }],
    ['tls-verify-alone', { DOCKER_TLS_VERIFY: '0' }],
    ['context-overridden', { DOCKER_CONTEXT: 'prod' }],
  ])('%s: the host is fine, this computer is not', async (cause, env) => {
    await store(await daemon(server()));
    const { exit, json } = await run(env);
    expect([exit, json.result.cause]).toEqual([7, cause]);
  });

  test('another current context is a note, and no fault', async () => {
    await store(await daemon(server()));
    const { exit, json } = await run();
    expect([exit, json.result.cause, json.result.note]).toEqual([
      0,
      'none',
      expect.toSay('serves-another-certificate-store', 'build-1'),
    ]);
    expect(json.result.hints[0]).toBe('docker-tls apply build-1');
  });

  test('a docker command that is older than the oldest version that the daemon takes', async () => {
    await store(await daemon(server()));
    const bin = join(dirname(home), 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'docker'), '#!/bin/sh\necho 1.18\n', { mode: 0o755 });
    const { exit, json } = await run({ PATH: `${bin}:/usr/bin:/bin` });
    expect([exit, json.result.cause, json.result.message]).toEqual([
      7,
      'api-version',
      expect.toSay('speaks-version-api-most', '1.18', '1.24'),
    ]);
  });

  test('of two clients here the first is taken', async () => {
    const port = await daemon(server());
    await store(port);
    const opened = openStore(home);
    await opened.withLock('test', async () => {
      const { directory: _, ...laptop } = (await opened.read()).clients.get('laptop') as StoredClient & {
        directory: string;
      };
      await opened.write({ clients: { ci: { ...laptop, record: { ...laptop.record, name: 'ci' } } } });
    });
    const { json } = await run({ DOCKER_HOST: 'tcp://10.9.9.9:2376' });
    expect([json.error, json.result?.cause]).toEqual([undefined, 'host-overridden']);
  });

  test('all is well', async () => {
    const port = await daemon(server());
    await store(port);
    const env = {
      DOCKER_HOST: `tcp://127.0.0.1:${port}`,
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: join(home, 'clients/laptop'),
    };
    const { exit, json } = await run(env);
    expect([exit, json.result.cause]).toEqual([0, 'none']);
  });
});
