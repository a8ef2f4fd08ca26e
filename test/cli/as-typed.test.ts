/** Selection of the client, and commands as people type them. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-tools-'));
let home: string;
let count = 0;

beforeAll(async () => {
  await issueStore(join(directory, 'first'), {
    hosts: { 'build-1': { address: '10.0.0.1' }, 'build-2': { address: '10.0.0.2' }, web: { address: '10.0.0.3' } },
    clients: { ci: ['build-1', 'build-2'], laptop: undefined },
  });
});
beforeEach(() => {
  count += 1;
  home = join(directory, `home-${count}`);
  execFileSync('cp', ['-a', join(directory, 'first'), home]);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> =>
  runCli(argv, {
    cwd: directory,
    env: { DOCKER_TLS_HOME: home, HOME: directory, DOCKER_CONFIG: join(directory, `docker-${count}`), ...env },
  });
const stored = async (name: string) => (await openStore(home).read()).clients.get(name);

describe('which client is meant', () => {
  const used = async (env: Readonly<Record<string, string>> = {}) =>
    (await run(['env', 'build-1', '--json', '--format', 'sh'], env)).json;

  test('several, and none said: ambiguous; client use makes one the default, DOCKER_TLS_CLIENT another for a shell', async () => {
    expect((await used()).error?.hints).toSay('every-command', 'docker-tls client use ci');
    expect((await used({ DOCKER_TLS_CLIENT: 'ci' })).result.client).toBe('ci');
    expect((await run(['client', 'use', 'laptop'])).out).toSay('computer-uses-client-where', 'laptop');
    expect((await used()).result.client).toBe('laptop');
    expect((await used({ DOCKER_TLS_CLIENT: 'ci' })).result.client).toBe('ci');
    expect((await used({ DOCKER_TLS_CLIENT: 'eve' })).error?.code).toBe('E_CLIENT_UNKNOWN');
    expect((await run(['client', 'use', 'eve', '--json'])).json.error?.code).toBe('E_CLIENT_UNKNOWN');
    const store = openStore(home);
    await store.withLock('test', async () => {
      const { directory: _, ...ci } = (await store.read()).clients.get('ci') as NonNullable<
        Awaited<ReturnType<typeof stored>>
      >;
      await store.write({ clients: { ci: { ...ci, record: { ...ci.record, revokedAt: new Date().toISOString() } } } });
    });
    expect((await run(['client', 'use', 'ci', '--json'])).json.error?.code).toBe('E_CLIENT_REVOKED');
  });
});

describe('as people type them', () => {
  test('version, client ls, client rm', async () => {
    expect((await run(['version', '--json'])).json.result).toMatchObject({
      version: '0.0.0-test',
      node: process.version,
    });
    expect((await run(['client', 'ls'])).out).toContain('laptop');
    expect((await run(['client', 'rm', '--help'])).out).toContain('The same: docker-tls client rm');
    expect((await run(['client', 'rm', 'eve', '--yes', '--json'])).json).toMatchObject({
      command: 'client revoke',
      error: { code: 'E_CLIENT_UNKNOWN' },
    });
  });
});
