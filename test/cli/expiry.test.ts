/** What people see as time goes by: the clock is given, the papers are real. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeHost } from '../../src/config/spec.ts';
import { parseSan } from '../../src/pki/names.ts';
import { openStore } from '../../src/store/store.ts';
import { openKeyring } from '../../src/workflows/keyring.ts';
import { runCli } from '../support/cli.ts';

const began = new Date('2026-01-01T00:00:00Z');
const DAYS = 300;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'docker-tls-expiry-'));
  const store = openStore(join(folder, 'tls'));
  const state = await store.read();
  const passphrase = {
    forNewCa: async () => undefined,
    forExistingCa: () => Promise.reject(new Error('not encrypted')),
  };
  const keyring = openKeyring({ state, ca: { name: 'test', keyType: 'p256', days: 3650 }, passphrase, now: began });
  const spec = completeHost({ name: 'build-1', ssh: { destination: 'build-1' }, days: DAYS });
  await keyring.client({ name: 'laptop', keyType: 'p256', days: DAYS });
  const server = await keyring.server(spec, [parseSan('build-1')]);
  const record = {
    ...spec,
    address: 'build-1',
    sans: ['build-1'],
    createdAt: began.toISOString(),
    updatedAt: began.toISOString(),
  };
  const { listen: _, ...host } = record;
  await store.withLock('test', async () => {
    await store.write({
      ...keyring.change(),
      hosts: {
        'build-1': {
          record: host,
          ca: await keyring.trusted(),
          serverCert: server.cert,
          ...(server.key ? { serverKey: server.key } : {}),
        },
      },
    });
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  { percent: 1, state: 'ok', exit: 0 },
  { percent: 65, state: 'ok', exit: 0 },
  { percent: 67, state: 'due', exit: 3 },
  { percent: 99, state: 'due', exit: 3 },
  { percent: 101, state: 'expired', exit: 3 },
])('at $percent percent of its lifetime a certificate is $state', async ({ percent, state, exit }) => {
  const now = new Date(began.getTime() + (percent / 100) * DAYS * 86_400_000);
  const run = await runCli(['status', '--offline', '--check', '--json', '--home', join(folder, 'tls')], {
    now: () => now,
  });
  expect(run.exit).toBe(exit);
  const rows: { kind: string; state: string }[] = run.json.result.rows;
  expect(rows.filter((row) => row.kind === 'host' || row.kind === 'client').map((row) => row.state)).toEqual([
    state,
    state,
  ]);
  expect(rows.find((row) => row.kind === 'ca')?.state).toBe('ok');
});

test('--within makes things due earlier', async () => {
  const now = new Date(began.getTime() + 86_400_000);
  const run = await runCli(['status', '--offline', '--check', '--within', '299d', '--home', join(folder, 'tls')], {
    now: () => now,
  });
  expect(run.exit).toBe(3);
  expect(run.out).toContain('docker-tls rotate server --due');
});

test('only what is due is renewed', async () => {
  const home = ['--home', join(folder, 'tls')];
  const early = await runCli(['rotate', 'client', '--due', '--yes', ...home], {
    now: () => new Date(began.getTime() + 0.65 * DAYS * 86_400_000),
  });
  expect(early.out).toContain('Nothing is due');
  const now = new Date(began.getTime() + 0.99 * DAYS * 86_400_000);
  const late = await runCli(['rotate', 'client', '--due', '--yes', '--json', ...home], { now: () => now });
  expect(late.exit).toBe(0);
  expect(late.json.result.clients.map((one: { client: string }) => one.client)).toEqual(['laptop']);
  expect(Date.parse(late.json.result.clients[0].expires)).toBeGreaterThan(now.getTime() + (DAYS - 2) * 86_400_000);
});

test('Prometheus gets every certificate', async () => {
  const file = join(folder, 'docker-tls.prom');
  await runCli(['status', '--offline', '--prometheus', file, '--home', join(folder, 'tls')], { now: () => began });
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(file, 'utf8')).toMatch(/^docker_tls_not_after_seconds\{kind="host",name="build-1"\} 1793\d+$/m);
});
