/** `ssh` as people type it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';

const home = mkdtempSync(join(tmpdir(), 'docker-tls-ssh-'));

beforeAll(() => issueStore(home, { hosts: { 'build-1': { address: '10.0.0.1' } }, clients: { ci: ['build-1'] } }));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('needs a host of the store', async () => {
  const run = (...argv: string[]) => runCli(argv, { cwd: home, env: { DOCKER_TLS_HOME: home, HOME: home } });
  const { exit, err } = await run('ssh', 'biuld-1');
  expect(exit).toBe(2);
  expect(err).toMatch(/E_HOST_UNKNOWN[\s\S]*hint: docker-tls ssh build-1/);
  expect((await run('ssh', 'build-1', '--json')).json.error?.code).toBe('E_USAGE');
});
