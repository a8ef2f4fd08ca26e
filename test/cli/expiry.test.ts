/** Messages over time: a given clock, real credentials. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';

const began = new Date('2026-01-01T00:00:00Z');
const DAYS = 300;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-expiry-'));
  await issueStore(join(directory, 'tls'), {
    now: began,
    days: DAYS,
    hosts: { 'build-1': { address: 'build-1' } },
    clients: { laptop: undefined },
  });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  { percent: 1, state: 'ok', exit: 0 },
  { percent: 65, state: 'ok', exit: 0 },
  { percent: 67, state: 'due', exit: 3 },
  { percent: 99, state: 'due', exit: 3 },
  { percent: 101, state: 'expired', exit: 3 },
])('at $percent percent of its lifetime a certificate is $state', async ({ percent, state, exit }) => {
  const now = new Date(began.getTime() + (percent / 100) * DAYS * 86_400_000);
  const run = await runCli(['status', '--offline', '--check', '--json', '--home', join(directory, 'tls')], {
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
  const run = await runCli(['status', '--offline', '--check', '--within', '299d'], {
    env: { DOCKER_TLS_HOME: join(directory, 'tls') },
    now: () => now,
  });
  expect(run.exit).toBe(3);
  expect(run.out).toContain('docker-tls rotate server --due');
});

test('--within takes the place of the two thirds, in status and in rotate', async () => {
  // 100 days are left: two thirds ended a moment ago.
  const now = () => new Date(began.getTime() + (DAYS - 100) * 86_400_000);
  const home = ['--home', join(directory, 'tls')];
  expect((await runCli(['status', '--offline', '--check', ...home], { now })).exit).toBe(3);
  expect((await runCli(['status', '--offline', '--check', '--within', '30d', ...home], { now })).exit).toBe(0);
  const rotated = await runCli(['rotate', 'client', '--due', '--within', '30d', '--yes', ...home], { now });
  expect([rotated.exit, rotated.out.trim()]).toEqual([0, 'Nothing is due.']);
});

test('only what is due is renewed', async () => {
  const home = ['--home', join(directory, 'tls')];
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
