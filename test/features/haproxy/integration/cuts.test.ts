import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientServer } from '../../../../src/features/haproxy/domain/client-keys.ts';
import { BUILT_IN_ROLES } from '../../../../src/features/haproxy/domain/roles.ts';
import { certificatesFor, commonNameOf, directClient, type TestCredentials } from '../support/certificates.ts';
import { type Listener, type ListenerInput, startListener, until } from '../support/listener.ts';

const request = (line: string) => `${line} HTTP/1.1\r\nHost: docker\r\n\r\n`;
const FLOOD = process.env.LISTENER_FLOOD === undefined ? 400 : Number(process.env.LISTENER_FLOOD);
let listener: Listener;
let input: ListenerInput;
let certificates: Awaited<ReturnType<typeof certificatesFor>>;
/** A client that the CA signed itself: a CA for leaves only could do no more. */
let leafy: TestCredentials;

beforeAll(async () => {
  certificates = await certificatesFor(['root', 'ops', 'prom', 'eve']);
  leafy = await directClient(certificates.ca, 'leafy');
  input = {
    server: certificates.server,
    trusted: [certificates.ca.leaf],
    clients: [
      { name: 'root', role: 'full', by: ['issuer'] },
      { name: 'ops', role: 'full', by: ['issuer'] },
      { name: 'prom', role: 'monitor', by: ['issuer'] },
      { name: 'eve', role: 'monitor', by: ['issuer'] },
      { name: 'leafy', role: 'full', by: ['subject'] },
    ],
    ownCas: [commonNameOf(certificates.ca.leaf)],
    roles: BUILT_IN_ROLES,
    sockets: [],
  };
  listener = await startListener(input);
});
afterAll(() => listener?.stop());

const client = (name: string) => (name === 'leafy' ? leafy : (certificates.clients.get(name) as TestCredentials));

type Stream = { readonly socket: TLSSocket; readonly ended: () => boolean; readonly received: () => number };

async function stream(name: string, path = '/events'): Promise<Stream> {
  const socket = await listener.open(client(name));
  let [ended, received] = [false, 0];
  socket.on('close', () => {
    ended = true;
  });
  socket.on('data', (data: Buffer) => {
    received += data.length;
  });
  socket.write(request(`GET ${path}`));
  await until(() => received > 0);
  return { socket, ended: () => ended, received: () => received };
}

/** What a revocation does: the entry leaves the map of every worker, then connections of the client end. */
async function cut(name: string): Promise<void> {
  const map = `${listener.directory}/clients`;
  const old = (await listener.oldWorkers()).map((pid) => `@!${pid}`);
  const key = `${name === 'leafy' ? 'subject' : 'issuer'}:${name}`;
  for (const worker of ['@1', ...old]) await listener.admin(`${worker} del map ${map} ${key}`);
  for (const worker of ['@1', ...old]) {
    const sessions = (await listener.admin(`${worker} show sess`)).split('\n');
    for (const line of sessions.filter((one) => one.split(' ').includes(`srv=${clientServer(name)}`)))
      await listener.admin(`${worker} shutdown session ${line.slice(0, line.indexOf(':'))}`);
  }
}

test('a revoked client loses its streams, also those of before a reload; those of other clients go on', async () => {
  const before = await Promise.all([
    stream('root'),
    stream('root', '/events?silent'),
    stream('eve'),
    stream('eve', '/events?silent'),
    stream('leafy'),
    stream('leafy', '/events?silent'),
  ]);
  const others = await Promise.all([stream('ops'), stream('prom')]);
  // Connected, but nothing sent yet; and one that has had an answer.
  const idle = await Promise.all(['root', 'leafy'].map((name) => listener.open(client(name))));
  const tickets: Buffer[] = [];
  idle[1]?.on('session', (ticket) => tickets.push(ticket));
  const kept = await listener.open(client('eve'));
  kept.write(request('GET /info'));
  await new Promise((resolve) => kept.once('data', resolve));

  const clients = input.clients.filter(({ name }) => name === 'ops' || name === 'prom');
  await listener.reload({ ...input, clients });
  expect(await listener.oldWorkers()).toHaveLength(1);
  expect(before.some(({ ended }) => ended())).toBe(false);
  for (const name of ['root', 'eve', 'leafy']) await cut(name);
  await until(() => before.every(({ ended }) => ended()));

  listener.engine.forget();
  for (const socket of [...idle, kept]) socket.write(request('GET /info'));
  await sleep(300);
  for (const name of ['root', 'eve', 'leafy']) expect(await listener.send(client(name), request('GET /info'))).toBe('');
  for (const session of tickets) expect(await listener.send(leafy, request('GET /info'), { session })).toBe('');
  expect(listener.engine.requests).toEqual([]);
  const seen = others.map(({ received }) => received());
  await until(() => others.every((one, index) => one.received() > (seen[index] as number)));
  for (const one of others) {
    expect(one.ended()).toBe(false);
    one.socket.destroy();
  }
  await listener.reload(input);
});

test('streams that a client leaves end at the engine', async () => {
  const streams = await Promise.all([stream('prom', '/events?silent'), stream('root', '/events?silent')]);
  for (const { socket } of streams) socket.destroy();
  await until(() => listener.engine.connections() === 0);
});

test('a new role holds at the next request, without a reload of anything else', async () => {
  expect(await listener.send(client('prom'), request('DELETE /containers/app'))).toContain('403');
  await listener.reload({
    ...input,
    clients: input.clients.map((one) => (one.name === 'prom' ? { ...one, role: 'full' } : one)),
  });
  expect(await listener.send(client('prom'), request('DELETE /containers/app'))).toContain('200 OK');
  await listener.reload(input);
  expect(await listener.send(client('prom'), request('DELETE /containers/app'))).toContain('403');
});

test(`a limited client with ${FLOOD} connections does not stop another client`, async () => {
  const sockets: TLSSocket[] = [];
  let opened = 0;
  const flood = async () => {
    while (opened < FLOOD) {
      opened += 1;
      const socket = await listener.open(client('eve'), { localAddress: '127.0.0.2' }).catch(() => undefined);
      if (socket === undefined) continue;
      socket.write(request('GET /events?silent'));
      sockets.push(socket);
    }
  };
  const flooding = Promise.all(Array.from({ length: 20 }, flood));
  const times: number[] = [];
  let running = true;
  const other = (async () => {
    while (running) {
      const start = performance.now();
      expect(await listener.send(client('root'), request('GET /version'), { idleMs: 1 })).toContain('200 OK');
      times.push(performance.now() - start);
    }
  })();
  await flooding;
  running = false;
  await other;
  const alive = () => sockets.filter((socket) => !socket.closed && !socket.destroyed);
  // Sooner than the 10 s after which a request that waits ends anyway.
  await until(() => alive().length <= 200, 8000);
  expect(listener.engine.connections()).toBeLessThanOrEqual(60);
  for (const name of ['root', 'prom'])
    expect(await listener.send(client(name), request('GET /version'))).toContain('200 OK');
  for (const socket of sockets) socket.destroy();
  if (process.env.LISTENER_FLOOD !== undefined)
    console.log(
      `${opened} opened, ${alive().length} kept, ${times.length} of another, longest ${Math.max(...times).toFixed(0)} ms`,
    );
});

test('connections without a certificate from one address leave room for others', async () => {
  const sockets: Socket[] = [];
  for (let count = 0; count < 1100; count += 1)
    sockets.push(connectTcp({ host: '127.0.0.1', port: listener.port, localAddress: '127.0.0.3' }));
  for (const socket of sockets) socket.on('error', () => undefined);
  // Sooner than the 10 s after which a connection without a handshake ends anyway.
  await until(() => sockets.filter(({ closed }) => closed).length >= 90, 8000);
  expect(await listener.send(client('root'), request('GET /version'))).toContain('200 OK');
  for (const socket of sockets) socket.destroy();
});

test('an address that begins too many connections has to wait, and others do not', async () => {
  const from = { host: '127.0.0.1', port: listener.port, localAddress: '127.0.0.4' };
  const begin = async (count: number) => {
    for (let left = count; left > 0; left -= 50) {
      const sockets = Array.from({ length: 50 }, () => connectTcp(from));
      for (const socket of sockets) socket.on('error', () => undefined);
      await sleep(20);
      for (const socket of sockets) socket.resetAndDestroy();
    }
  };
  // Ten seconds count; a slow machine needs more than one turn to begin enough within them.
  const end = Date.now() + 80_000;
  let answer: string;
  do {
    await begin(1000);
    answer = await listener.send(client('root'), request('GET /version'), { localAddress: '127.0.0.4' });
  } while (answer !== '' && Date.now() < end);
  expect(answer).toBe('');
  expect(await listener.send(client('root'), request('GET /version'))).toContain('200 OK');
});

test('a connection that never begins its handshake ends', async () => {
  const major = Number(/^Version: (\d+)/m.exec(await listener.admin('@1 show info'))?.[1]);
  expect(major).toBeGreaterThanOrEqual(2);
  const socket = connectTcp({ host: '127.0.0.1', port: listener.port, localAddress: '127.0.0.5' });
  socket.on('error', () => undefined);
  socket.resume();
  const start = Date.now();
  await until(() => socket.closed, 45_000);
  // HAProxy before 3.0 has one time limit for all that a client does.
  if (major >= 3) expect(Date.now() - start).toBeLessThan(20_000);
});
