/** `client import`: docker contexts on the other computer. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliRun, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import '../../../../src/features/bundles/feature.ts';

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

test('client import --from-env --context NAME: a context of that name, and what beats it', async () => {
  const { out } = await run(['client', 'export', 'ci', '--format', 'env', '--hosts', 'build-1', '--out', '-']);
  const variables = Object.fromEntries(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
  const job = { ...variables, DOCKER_TLS_HOME: join(directory, 'job'), DOCKER_CONFIG: join(directory, 'job-docker') };
  const imported = await run(['client', 'import', '--from-env', '--context', 'ci-build', '--use'], job);
  expect(imported.exit, imported.err).toBe(0);
  expect(imported.out).toContain('contexts: ci-build');
  expect(imported.out).toContain('unset DOCKER_HOST DOCKER_TLS_VERIFY');
  const config = JSON.parse(readFileSync(join(directory, 'job-docker/config.json'), 'utf8'));
  expect(config.currentContext).toBe('ci-build');
  const { DOCKER_HOST: _, ...without } = job as Record<string, string>;
  const none = await run(['client', 'import', '--from-env', '--context', 'x1', '--json'], {
    ...without,
    DOCKER_TLS_HOME: join(directory, 'job-2'),
  });
  expect(none.json.error).toMatchObject({
    code: 'E_USAGE',
    hints: [expect.stringMatching(/^docker-tls client import .*--host tcp:\/\/build-1.example.org:2376$/)],
  });
});

test('a tar makes a context for each host, and the first one current with --use', async () => {
  const there = { DOCKER_TLS_HOME: join(directory, 'there'), DOCKER_CONFIG: join(directory, 'there-docker') };
  await run(['client', 'export', 'laptop', '--out', join(directory, 'laptop.tar')]);
  const imported = await run(['client', 'import', join(directory, 'laptop.tar'), '--use'], there);
  expect([imported.exit, imported.err]).toEqual([0, '']);
  const current = () => JSON.parse(readFileSync(join(directory, 'there-docker/config.json'), 'utf8')).currentContext;
  const again = await run(['client', 'import', join(directory, 'laptop.tar'), '--json'], there);
  const { contexts } = again.json.result;
  expect(contexts.length).toBeGreaterThan(0);
  expect([imported.out.includes(`contexts: ${contexts.join(', ')}`), current()]).toEqual([true, contexts[0]]);
});

test('renewed credentials reach the contexts of the old ones', async () => {
  const there = { DOCKER_TLS_HOME: join(directory, 'later'), DOCKER_CONFIG: join(directory, 'later-docker') };
  const tar = (name: string) => join(directory, `${name}.tar`);
  const cert = () => readFileSync(join(home, 'clients/ci/cert.pem'), 'utf8');
  const old = cert();
  await run(['client', 'export', 'ci', '--out', tar('old')]);
  expect((await run(['client', 'import', tar('old')], there)).exit).toBe(0);
  await run(['rotate', 'client', 'ci', '--yes']);
  await run(['client', 'export', 'ci', '--out', tar('new')]);
  expect((await run(['client', 'import', tar('new'), '--no-context'], there)).exit).toBe(0);
  const fresh = cert();
  expect(fresh).not.toBe(old);
  expect(readFileSync(join(directory, 'later/clients/ci/cert.pem'), 'utf8')).toBe(fresh);
  const contexts = join(directory, 'later-docker/contexts/tls');
  const copies = readdirSync(contexts).map((id) => readFileSync(join(contexts, id, 'docker/cert.pem'), 'utf8'));
  expect(copies).toEqual([fresh, fresh]);
});
