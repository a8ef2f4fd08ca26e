/** The port is held for a moment before a daemon stops: whatever dies in that moment, it must not stay held. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probe } from '../../src/adapters/docker/probe.ts';
import { Secret } from '../../src/domain/secret.ts';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';

let host: LabHost;
let program: Program;
let home: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'docker-tls-held-'));
  program = buildProgram();
  [host] = (await labUp({ names: ['held-port'] })) as [LabHost];
  const login = ['-i', host.keyFile, '--host-key', 'accept-new', '--no-ca-passphrase', '--san', '127.0.0.1'];
  const setup = await cli('setup', `root@${host.address}`, '--name', 'held', ...login, '--client', 'laptop', '--yes');
  expect(setup.status, setup.err).toBe(0);
});

afterAll(async () => {
  await host?.down();
  program?.remove();
  rmSync(home, { recursive: true, force: true });
});

test('a client in the middle of its handshake is waited for', async () => {
  // Between client and host: byte by byte, so that the handshake is under way when the port is held, until a second after that.
  let patient = true;
  const proxy = createServer((inner) => {
    const outer = connect({ host: host.address, port: 2376, noDelay: true });
    let queue = Buffer.alloc(0);
    inner.on('data', (piece) => {
      queue = Buffer.concat([queue, piece]);
    });
    const drip = setInterval(() => {
      const length = patient ? 1 : queue.length;
      if (length > 0) outer.write(queue.subarray(0, length));
      queue = queue.subarray(length);
    }, 100);
    outer.pipe(inner);
    for (const end of [inner, outer]) end.on('error', () => end.destroy()).on('close', () => clearInterval(drip));
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  const directory = join(home, 'tls/clients/laptop');
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  const knocked = probe({
    address: '127.0.0.1',
    port: (proxy.address() as AddressInfo).port,
    ca: read('ca.pem'),
    credentials: { cert: read('cert.pem'), key: new Secret(read('key.pem')) },
    timeoutMs: 60_000,
  });
  const rotated = cli('rotate', 'server', 'held', '--yes');
  await host.must('until iptables -S INPUT | grep -q docker-tls-hold; do sleep 0.05; done');
  await new Promise((wake) => setTimeout(wake, 1000));
  patient = false;
  expect(await knocked).toMatchObject({ kind: 'accepted', status: 200 });
  expect(await rotated).toMatchObject({ status: 0 });
  proxy.close();
});

test('a change that is killed while it holds the port: the rollback lets it go', async () => {
  // The change asks ss while it holds the port: there it is killed, once.
  await host.must('mv /usr/bin/ss /usr/bin/ss.real');
  const trap =
    '#!/bin/sh\nif [ -s /var/lib/docker-tls/txn/pid ] && mv /run/strike /run/struck 2>/dev/null; then iptables -S INPUT >>/run/struck; kill -9 "$(cat /var/lib/docker-tls/txn/pid)"; fi\nexec /usr/bin/ss.real "$@"\n';
  await host.exec('cat >/usr/bin/ss && chmod 755 /usr/bin/ss && : >/run/strike', { input: trap });
  const killed = await cli('rotate', 'server', 'held', '--yes');
  expect(await host.must('cat /run/struck')).toContain('docker-tls-hold');
  expect(killed.status, killed.err).toBe(5);
  expect(killed.err).toContain('the host is as it was before');
  const rules = await host.must('iptables -S INPUT; ip6tables -S INPUT');
  expect(rules).not.toContain('docker-tls-hold');
  const plan = await cli('plan', '--check');
  expect(plan.status, plan.out + plan.err).toBe(0);
  const verify = await cli('verify');
  expect(verify.status, verify.out + verify.err).toBe(0);
});

function cli(...argv: string[]): Promise<ProgramRun> {
  return program.run(argv, { env: { PATH: process.env.PATH, HOME: home, DOCKER_TLS_HOME: join(home, 'tls') } });
}
