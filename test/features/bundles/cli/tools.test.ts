/** Tools on a computer without the store, and reminders of copies after a renewal. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { TOOLS } from '../../../../src/features/tools/domain/tool-names.ts';
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

describe('an archive for a computer without the store', () => {
  test('three files and the configuration with their paths there, 0600', async () => {
    const argv = ['client', 'export', 'ci', '--format', 'prometheus', '--directory', '/etc/prom', '--out', 'prom.tar'];
    const { exit, err } = await run(argv);
    expect([exit, err]).toEqual([0, '']);
    const archive = join(directory, 'prom.tar');
    expect(statSync(archive).mode & 0o777).toBe(0o600);
    const there = mkdtempSync(join(directory, 'there-'));
    execFileSync('tar', ['-C', there, '-xf', archive]);
    expect(statSync(join(there, 'key.pem')).mode & 0o777).toBe(0o400);
    expect(readFileSync(join(there, 'key.pem'), 'utf8')).toBe(readFileSync(join(home, 'clients/ci/key.pem'), 'utf8'));
    const [first] = parse(readFileSync(join(there, TOOLS.prometheus.file), 'utf8')).scrape_configs;
    expect(first.docker_sd_configs[0].tls_config.key_file).toBe('/etc/prom/key.pem');
  });

  test('the directory has to be said, and belongs to tools alone', async () => {
    const tool = await run(['client', 'export', 'ci', '--format', 'nomad', '--out', 'n.tar', '--json']);
    expect(tool.json.error).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('--directory') });
    const bundle = await run(['client', 'export', 'ci', '--directory', '/x', '--out', 'n.tar', '--json']);
    expect(bundle.json.error?.code).toBe('E_USAGE');
    const two = ['client', 'export', 'ci', '--format', 'nomad', '--directory', '/x', '--out', 'n.tar', '--json'];
    expect((await run(two)).json.error).toMatchObject({
      code: 'E_HOST_AMBIGUOUS',
      hints: ['docker-tls client export ci --format nomad --hosts build-1', expect.any(String)],
    });
  });
});

test('a renewal names the copies that are outdated, each with what renews it; renewed ones are named no more', async () => {
  const exported = ['client', 'export', 'ci', '--out', 'ci.tar', '--replace'];
  await run(exported);
  await run(['client', 'export', 'ci', '--format', 'env', '--hosts', 'build-1', '--out', '-']);
  await run(['env', 'build-1', '--client', 'ci', '--format', 'traefik']);
  const rotated = await run(['rotate', 'client', 'ci', '--yes']);
  expect(rotated.exit, rotated.err).toBe(0);
  const tar = `docker-tls client export ci --format tar --out ${join(directory, 'ci.tar')} --replace`;
  expect(rotated.out).toSay('tar-exported', join(directory, 'ci.tar'));
  expect(rotated.out).toContain(tar);
  expect(rotated.out).toContain('docker-tls client export ci --format env --hosts build-1 --out -');
  expect(rotated.out).toContain('traefik (build-1): restart Traefik');
  // In cron this is the only output.
  const quiet = await run(['rotate', 'client', 'ci', '--yes', '--quiet']);
  expect(quiet.out).toSay('still-old-certificate-ci', 'ci');
  await run(tar.split(' ').slice(1));
  const again = await run(['rotate', 'client', 'ci', '--yes', '--json']);
  // All of them hold an older certificate now; after one export, the others remain.
  expect(again.json.result.clients[0].outdated).toHaveLength(3);
  await run(tar.split(' ').slice(1));
  const listed = (await run(['client', 'ls'])).out;
  expect(listed).toSay('old-certificate-restart-traefik', 'ci', 'traefik', 'build-1');
  expect(listed).not.toContain('ci.tar');
  const { outdatedCopies } = await import('../../../../src/core/domain/trust/handed-out.ts');
  const client = (await openStore(home).read()).clients.get('ci');
  expect(outdatedCopies(client as NonNullable<typeof client>).map(({ what }) => what)).toEqual([
    expect.stringContaining('the export of'),
    'traefik (build-1)',
  ]);
});
