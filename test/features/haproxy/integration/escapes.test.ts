import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allows, BUILT_IN_ROLES, findRole } from '../../../../src/features/haproxy/domain/roles.ts';
import { certificatesFor } from '../support/certificates.ts';
import { ESCAPES } from '../support/escapes.ts';
import { type Listener, type SendOptions, startListener } from '../support/listener.ts';

const MONITOR = findRole(BUILT_IN_ROLES, 'monitor');
let listener: Listener;
let certificates: Awaited<ReturnType<typeof certificatesFor>>;

beforeAll(async () => {
  certificates = await certificatesFor(['root', 'prom']);
  listener = await startListener({
    server: certificates.server,
    trusted: [certificates.ca.leaf],
    clients: [
      { name: 'root', role: 'full', by: ['issuer'] },
      { name: 'prom', role: 'monitor', by: ['issuer'] },
    ],
    ownCas: [],
    roles: BUILT_IN_ROLES,
    sockets: [{ name: 'ci', role: 'monitor' }],
  });
});
afterAll(() => listener?.stop());

const outside = (requests: readonly string[]) => requests.filter((one) => allows(MONITOR, one) === undefined);

type Send = (bytes: string | Buffer, options: Pick<SendOptions, 'idleMs' | 'answerMs' | 'second'>) => Promise<unknown>;

const asClient =
  (name: string): Send =>
  (bytes, options) =>
    listener.send(certificates.clients.get(name), bytes, options);

/** As a container that has the socket mounted. */
const bySocket: Send = (bytes, { idleMs, answerMs = 0, second }) =>
  new Promise<void>((resolve) => {
    const socket = connect(join(listener.directory, 'socket4'));
    let next = second;
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.on('data', () => {
      socket.setTimeout(idleMs ?? answerMs);
      if (next !== undefined) socket.write(next);
      next = undefined;
    });
    socket.setTimeout(answerMs, () => socket.destroy());
    socket.write(bytes);
  });

/** Requests outside the role that reach the engine when all tries are made, 16 at a time. */
async function escaped(send: Send): Promise<string[]> {
  const waiting = [...ESCAPES];
  listener.engine.forget();
  const workers = Array.from({ length: 16 }, async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
      await send(one.bytes, { idleMs: 100, answerMs: 1500, second: one.second });
  });
  await Promise.all(workers);
  return [...outside(listener.engine.requests), ...outside(listener.engine.requestLines())];
}

test(`none of ${ESCAPES.length} tries of a monitor client reaches another endpoint, and another client is served`, async () => {
  expect(ESCAPES.length).toBeGreaterThan(150);
  let served = 0;
  let running = true;
  const other = (async () => {
    while (running || served < 4) {
      const text = await listener.send(certificates.clients.get('root'), 'GET /version HTTP/1.1\r\nHost: x\r\n\r\n', {
        answerMs: 30_000,
      });
      expect(text).toContain('200 OK');
      served += 1;
    }
  })();
  const found = await escaped(asClient('prom'));
  running = false;
  await other;
  expect(found).toEqual([]);
  expect(served).toBeGreaterThan(3);
});

test('none of them reaches another endpoint by a socket for containers', async () => {
  expect(await escaped(bySocket)).toEqual([]);
  // The same way, as the role allows.
  await bySocket('GET /info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', { answerMs: 20_000 });
  expect(listener.engine.requests.at(-1)).toBe('GET /info');
});

test('with full access most of the same tries reach the engine: the engine would have seen them', async () => {
  expect((await escaped(asClient('root'))).length).toBeGreaterThan(100);
});
