/** Route to a TLS port, checked before any change; the real probe, on sockets of this machine. */

import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { probe } from '../../../src/core/adapters/docker/probe.ts';
import { wayProblem } from '../../../src/core/engine/reachability.ts';
import type { Probe } from '../../../src/core/runtime.ts';
import { factsOf } from '../../support/host-facts.ts';

const at = { address: '127.0.0.1', port: 2376 };
const refused =
  (cause: 'timed-out' | 'unreachable' | 'reset', stage: 'connect' | 'answer' = 'connect'): Probe =>
  async () => ({ kind: 'refused', cause, reason: '', chain: '', elapsedMs: 0, stage });

test('a port on which nothing listens is an open way, and so is one on which something does', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  expect(await wayProblem(probe, 'h1', { ...at, port })).toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  expect(await wayProblem(probe, 'h1', { ...at, port })).toBeUndefined();
});

test('a name without an address', async () => {
  const error = await wayProblem(probe, 'h1', { ...at, address: 'no-such-host.invalid' });
  expect(error).toMatchObject({ code: 'E_ADDRESS', exit: 4, where: 'h1' });
  expect(error?.hints.join('\n')).toMatch(/getent hosts no-such-host\.invalid[\s\S]*--address NAME/);
});

test('no answer to the attempt, and no route', async () => {
  const login = { destination: 'h1', user: 'root' };
  const error = await wayProblem(refused('timed-out'), 'h1', at, { facts: factsOf(), login });
  expect(error).toMatchObject({ code: 'E_PORT_FILTERED', exit: 4, details: [] });
  expect(error?.hints.join('\n')).toMatch(/security groups[\s\S]*--port N[\s\S]*--address NAME/);
  expect((await wayProblem(refused('unreachable'), 'h1', at))?.code).toBe('E_PORT_FILTERED');
});

test('whatever answers, however oddly, can be reached', async () => {
  expect(await wayProblem(refused('timed-out', 'answer'), 'h1', at)).toBeUndefined();
  expect(await wayProblem(refused('reset'), 'h1', at)).toBeUndefined();
});
