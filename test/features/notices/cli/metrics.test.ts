/** Metrics of `status`: a given clock, real credentials. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusRow } from '../../../../src/core/domain/status-row.ts';
import { renderPrometheus } from '../../../../src/features/notices/domain/metrics.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';

const began = new Date('2026-01-01T00:00:00Z');
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-metrics-'));
  await issueStore(join(directory, 'tls'), { now: began, days: 300, hosts: { 'build-1': { address: 'build-1' } } });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('Prometheus gets every certificate', async () => {
  const file = join(directory, 'docker-tls.prom');
  await runCli(['status', '--offline', '--prometheus', file, '--home', join(directory, 'tls')], { now: () => began });
  expect(readFileSync(file, 'utf8')).toMatch(/^docker_tls_not_after_seconds\{kind="host",name="build-1"\} 1793\d+$/m);
});

test("a place for Prometheus' file that cannot be written is said before any host is asked", async () => {
  const run = (file: string) =>
    runCli(['status', '--offline', '--json', '--prometheus', file, '--home', join(directory, 'tls')]);
  const missing = await run(join(directory, 'no', 'such.prom'));
  expect([missing.exit, missing.json.error?.code]).toEqual([2, 'E_USAGE']);
  mkdirSync(join(directory, 'taken.prom'));
  const taken = await run(join(directory, 'taken.prom'));
  expect([taken.exit, taken.json.error?.code]).toEqual([2, 'E_CLIENT_FILES']);
});

test('two old CAs of one name are two series', () => {
  const row = (serial: string): StatusRow => ({
    kind: 'old ca',
    name: 'docker-tls',
    serial,
    issuer: undefined,
    notBefore: began,
    notAfter: began,
    daysLeft: 0,
    state: 'ok',
    dueAt: began,
  });
  const series = renderPrometheus([row('01'), row('02')], began)
    .split('\n')
    .filter((line) => line.startsWith('docker_tls_attention'));
  expect(series).toEqual([
    'docker_tls_attention{kind="old_ca",name="docker-tls",serial="01"} 0',
    'docker_tls_attention{kind="old_ca",name="docker-tls",serial="02"} 0',
  ]);
});
