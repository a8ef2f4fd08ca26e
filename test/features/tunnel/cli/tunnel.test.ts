/** `tunnel` as people type it, and the commands that name it for hosts that only SSH reaches. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { requireDocument } from '../../../support/json-documents.ts';

const home = mkdtempSync(join(tmpdir(), 'docker-tls-tunnel-'));
const run = (argv: readonly string[], store: Readonly<Record<string, string>> = { DOCKER_TLS_HOME: home }) =>
  runCli(argv, { cwd: home, env: { HOME: home, DOCKER_CONFIG: join(home, 'docker'), ...store } });

beforeAll(async () => {
  await issueStore(home, { hosts: { web: { address: '127.0.0.1', port: 1 } }, clients: { laptop: undefined } });
  const opened = openStore(home);
  const web = (await opened.read()).hosts.get('web');
  if (web === undefined) throw new Error('just written');
  const hosts = { web: { ...web, record: { ...web.record, reach: 'ssh' as const } } };
  await opened.withLock('test', () => opened.write({ hosts }));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('env of a host that this machine reaches through ssh only names the tunnel', async () => {
  const argv = ['env', 'web', '--shell', 'sh'];
  expect((await run([...argv, '--client', 'laptop'])).err).toContain('use docker-tls tunnel web');
  const elsewhere = await run([...argv, '--client', 'laptop', '--home', home], {});
  expect(elsewhere.err).toContain(`use docker-tls --home ${home} tunnel web`);
});

test('one host at a time, and no document', async () => {
  expect((await run(['tunnel', 'web', '--parallel', '3'])).err).toSay('not-several-hosts', '--parallel');
  const document = { schema: 1, command: 'tunnel', ok: true };
  requireDocument(JSON.stringify(document));
  const other = JSON.stringify({ ...document, result: { host: 'web' } });
  expect(() => requireDocument(other)).toThrow(/tunnel\.json/);
});
