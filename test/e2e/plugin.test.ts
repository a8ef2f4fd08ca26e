// The package as people get it: packed, installed without network and without a build, run, and as a plugin of the docker CLI.
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { copySync, ensureDirSync, readJsonSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { builtProgram } from '../support/build-once.ts';
import { issueStore } from '../support/issued-store.ts';
import { openTerminal } from '../support/terminal.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-pack-'));
const installed = join(directory, 'app/node_modules/@docker-tls/cli');
const program = join(directory, 'app/node_modules/.bin/docker-tls');
const docker = join(directory, 'docker');
const env = { ...process.env, HOME: directory, DOCKER_CONFIG: docker };
const version = readJsonSync(join(ROOT, 'package.json')).version as string;

beforeAll(async () => {
  // Packed from a copy of what the package is made of, so that nothing of the checkout changes.
  const source = join(directory, 'source');
  ensureDirSync(join(source, 'bin'));
  copySync(builtProgram(), join(source, 'dist'));
  for (const file of [
    'package.json',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'bin/docker-tls.js',
    'bin/docker-tls-plugin',
  ]) {
    copyFileSync(join(ROOT, file), join(source, file));
  }
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: source, env });
  mkdirSync(join(directory, 'app'));
  const tarball = join(directory, `docker-tls-cli-${version}.tgz`);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--prefix', join(directory, 'app'), tarball], {
    env,
  });
  ensureDirSync(join(docker, 'cli-plugins'));
  symlinkSync(join(installed, 'bin/docker-tls-plugin'), join(docker, 'cli-plugins/docker-tls'));
});

afterAll(() => removeSync(directory));

describe('the package', () => {
  test('installs nothing but itself, and needs no build', async () => {
    expect(readdirSync(join(directory, 'app/node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      '@docker-tls',
    ]);
    expect((await run(program, ['--version'], { env })).stdout).toContain(`docker-tls ${version} (`);
  });

  test('runs commands that load their libraries late', async () => {
    const { stdout } = await run(program, ['status', '--offline', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ command: 'status' });
    // ssh2 is loaded when something is dialled: nothing listens on port 1.
    const dialled = run(
      program,
      ['setup', 'root@127.0.0.1:1', '--host-key', 'accept-new', '--dry-run', '--yes', '--json'],
      { env },
    );
    const failure = await dialled.then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(JSON.parse(failure).error.code).toMatch(/^E_SSH_|^E_UNREACHABLE/);
  });

  test('ships the licences of what it bundles', () => {
    const licences = readFileSync(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['node-forge', 'ssh2', 'inquirer', 'zod', 'yaml'])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    expect(existsSync(join(installed, 'LICENSE'))).toBe(true);
  });
});

describe('as a plugin of the docker CLI', () => {
  test('docker tls runs it', async () => {
    expect((await run('docker', ['tls', '--version'], { env })).stdout).toContain(`docker-tls ${version} (`);
    expect((await run('docker', ['tls', 'env', '--help'], { env })).stdout).toSay('print-lines-point-shell');
  });

  test('docker --help lists it', async () => {
    expect((await run('docker', ['--help'], { env })).stdout).toMatch(/^ +tls\*? +TLS for remote Docker daemons/m);
  });

  test('docker asks it after a command, on a terminal, and shows what is due', async () => {
    const now = new Date(Date.now() - 300 * 86_400_000);
    const hosts = { 'build-1': { address: '127.0.0.1', port: 1 } };
    await issueStore(join(docker, 'tls'), { now, hosts, clients: { ci: undefined } });
    await run(program, ['context', 'build-1', '--client', 'ci'], { env });
    await run(program, ['notices', 'on'], { env });
    const version = async (options: readonly string[] = [], around = env) => {
      const words = [...options, '--context', 'build-1', 'version'];
      const terminal = openTerminal('docker', words, { env: around, columns: 300 });
      await terminal.ended;
      return terminal.screen();
    };
    // It looks beside docker, which does not wait for that: the next command shows what it found.
    expect(await version()).not.toContain('docker tls rotate');
    await vi.waitUntil(() => existsSync(join(docker, '.docker-tls-notice')), { timeout: 60_000 });
    expect(await version()).toSay('client-expires-days', 'ci', '96', 'docker tls rotate client ci');
    // The same of a configuration that docker is told to use, from another one.
    const other = { ...env, DOCKER_CONFIG: join(directory, 'elsewhere') };
    await vi.waitFor(
      async () =>
        expect(await version(['--config', docker], other)).toSay(
          'client-expires-days-docker',
          'ci',
          '96',
          '--config',
          docker,
          'rotate client ci',
        ),
      { timeout: 60_000, interval: 100 },
    );
    await run(program, ['notices', 'off'], { env });
    expect(await version()).not.toContain('docker tls rotate');
  });
});
