/** Credentials from the environment of a CI job, and from files of Windows' editors. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliRun, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { NO_CONTEXT } from '../support/no-context.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bundles-'));
const home = join(directory, 'home');

beforeAll(() =>
  issueStore(home, {
    hosts: { 'build-1': { address: '10.0.0.1' }, 'build-2': { address: '10.0.0.2' } },
    clients: { ci: ['build-1', 'build-2'], laptop: undefined },
  }),
);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> =>
  runCli(argv, {
    cwd: directory,
    env: { DOCKER_TLS_HOME: home, HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), ...env },
  });

test.each(['env', 'pem'])('a client exported as %s is imported from a file with CRLF', async (format) => {
  const file = join(directory, `laptop.${format}`);
  const windows = { OS: 'Windows_NT' };
  expect((await run(['client', 'export', 'laptop', '--format', format, '--out', file, '--json'], windows)).exit).toBe(
    0,
  );
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
  const host = format === 'pem' ? ['--host', 'tcp://127.0.0.1:2376'] : [];
  const there = join(directory, `crlf-${format}`);
  const argv = ['client', 'import', file, ...host, ...NO_CONTEXT, '--home', there, '--json'];
  const imported = await run(argv, windows);
  expect({ exit: imported.exit, error: imported.json.error }).toEqual({ exit: 0, error: undefined });
  const key = readFileSync(join(there, 'clients/laptop/key.pem'), 'utf8').replaceAll('\r', '');
  expect(key).toBe(readFileSync(join(home, 'clients/laptop/key.pem'), 'utf8'));
});
