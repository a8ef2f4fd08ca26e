/** Tools that use a client: their configuration on this machine, and inventory groups. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { type CliRun, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';

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
const record = async (name: string) => (await stored(name))?.record;

describe('env --format TOOL', () => {
  test('several clients, and none said: the hint has the command as it was typed', async () => {
    const { error } = (await run(['env', 'build-1', '--format', 'nomad', '--json'])).json;
    expect(error?.code).toBe('E_CLIENT_AMBIGUOUS');
    expect(error?.hints).toContain('docker-tls env build-1 --format nomad --json --client ci');
  });

  test('one host: paths of the store, and no secret', async () => {
    const { exit, out } = await run(['env', 'build-1', '--client', 'ci', '--format', 'traefik']);
    expect(exit).toBe(0);
    const { endpoint, tls } = parse(out).providers.docker;
    expect([endpoint, tls.key]).toEqual(['tcp://10.0.0.1:2376', join(home, 'clients/ci/key.pem')]);
    expect(out).not.toContain('PRIVATE KEY');
  });

  test('a host that this machine reaches through ssh only is said to be one', async () => {
    const opened = openStore(home);
    const web = (await opened.read()).hosts.get('web');
    if (web === undefined) throw new Error('no web');
    const hosts = { web: { ...web, record: { ...web.record, reach: 'ssh' as const } } };
    await opened.withLock('test', () => opened.write({ hosts }));
    for (const words of [
      ['env', 'web', '--shell', 'sh'],
      ['env', 'web', '--format', 'traefik'],
    ])
      expect((await run([...words, '--client', 'laptop'])).err).toSay('reached-through-ssh', 'web');
    expect((await run(['env', 'build-1', '--client', 'ci'])).err).not.toContain('--reach ssh');
  });

  test('a tool that takes several hosts gets those that accept the client; one that takes one asks which', async () => {
    const inventory = await run(['env', '--client', 'ci', '--format', 'ansible-inventory']);
    expect(Object.keys(parse(inventory.out).docker_tls.hosts)).toEqual(['build-1', 'build-2']);
    const one = await run(['env', 'web', '--client', 'laptop', '--format', 'prometheus']);
    expect(parse(one.out).scrape_configs).toHaveLength(1);
    expect((await run(['env', '--client', 'ci', '--format', 'nomad', '--json'])).json.error?.code).toBe(
      'E_HOST_AMBIGUOUS',
    );
    expect((await run(['env', 'web', '--client', 'ci', '--format', 'nomad', '--json'])).json.error?.code).toBe(
      'E_CLIENT_NOT_ACCEPTED',
    );
  });

  test('a tool that reads its files at each use leaves the store as it was', async () => {
    await run(['env', 'build-1', '--client', 'ci', '--format', 'gitlab-runner']);
    expect((await record('ci'))?.handedOut).toBeUndefined();
  });
});
