import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, finished, type Program, SINGLE } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';

const root = new URL('../..', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-cli-'));
let program: Program;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  program.remove();
  removeSync(directory);
});

/** For a shell. */
const words = (): string => program.command.map((word) => `"${word}"`).join(' ');

test('--version, as a program and as a plugin', async () => {
  const { status, out, err } = await program.run(['--version']);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toMatch(/^docker-tls \d+\.\d+\.\d+ \(Node\.js \d+\.\d+\.\d+, OpenSSL 3\.[\w.+-]+\)\n$/);
  expect(await program.run(['tls', '--version'])).toEqual({ status, out, err });
  const slow = await program.run(['--json', '--version']);
  expect(out).toContain(`docker-tls ${JSON.parse(slow.out).result.version} (`);
});

test('the status of main is the status of the process', async () => {
  expect((await program.run(['nonsense'])).status).toBe(2);
  expect((await program.run(['--help'])).status).toBe(0);
});

test('everything is written before the process ends, also into a slow pipe', () => {
  const { stdout, status } = spawnSync('sh', ['-c', `${words()} help setup --json | { sleep 0.3; cat; }`], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, command: 'help' });
});

test.each([
  ['status --json', '"rows": []'],
  ['env --unset', 'DOCKER_HOST'],
])('%s in a directory that was deleted', (argv, expected) => {
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-deleted-'));
  const script = `mkdir gone && cd gone && rmdir ../gone && exec ${words()} ${argv}`;
  const env = { PATH: process.env.PATH, HOME: home };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: home, env, encoding: 'utf8' });
  removeSync(home);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(expected);
});

test('a reader that goes away is no failure and leaves no word', () => {
  const script = `(${words()} --help; echo "status $?" >&2) | true`;
  const { stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('status 0\n');
});

test('a store behind a link that leads nowhere is not taken for none', async () => {
  const at = mkdtempSync(join(tmpdir(), 'docker-tls-link-'));
  symlinkSync(join(at, 'disk/store'), join(at, 'tls'));
  for (const [home, ...argv] of [
    ['tls', 'status', '--offline'],
    ['tls', 'ca', 'create', '--no-ca-passphrase'],
    // Before any question or plan.
    ['tls/below/it', 'status', '--offline'],
    ['tls/below/it', 'setup', 'root@192.0.2.1', '--yes', '--no-ca-passphrase'],
  ] as const) {
    const { status, err } = await program.run([...argv, '--home', join(at, home)]);
    expect([status, err]).toEqual([2, expect.toSay('leads-does-not-exist', 'E_STORE_DAMAGED', 'disk/store')]);
  }
  removeSync(at);
});

describe('a disk that is full', () => {
  const sh = (script: string, ...argv: string[]) =>
    spawnSync('sh', ['-c', script, 'sh', ...program.command, ...argv], { encoding: 'utf8' });
  const short = join(directory, 'short');

  test.each([
    ['--version', 'exec "$@" >/dev/full'],
    ['--help', 'exec "$@" >/dev/full'],
    // The first 512 bytes still fit.
    ['--help', `ulimit -f 1; exec "$@" >'${short}'`],
    // As $GITHUB_ENV, with room for 12 more bytes.
    ['env --unset', `printf %500s >'${short}'; ulimit -f 1; exec "$@" >>'${short}'`],
  ])('%s: what could not be printed is no success', (words, script) => {
    const { status, stderr } = sh(script, ...words.split(' '));
    expect([status, stderr]).toEqual([1, expect.toSay('output-not-written', 'E_OUTPUT')]);
  });

  test('under what is only told on the way ends no run', () => {
    const home = join(directory, 'full');
    const argv = ['plan', 'root@127.0.0.1:1', '--home', home, '--no-ca-passphrase', '--json'];
    const { status, stdout } = sh('exec "$@" 2>/dev/full', ...argv);
    expect([status, JSON.parse(stdout).error.code]).toEqual([4, 'E_SSH_REFUSED']);
  });
});

// The executable has its own Node.js.
(SINGLE === undefined ? test : () => {})('an old Node gets a clear word', () => {
  const preload = join(directory, 'old.cjs');
  writeFileSync(preload, "Object.defineProperty(process.versions, 'node', { value: '18.19.0' });\n");
  const run = spawnSync(process.execPath, ['--require', preload, program.bin, 'status'], { encoding: 'utf8' });
  expect(run.status).toBe(2);
  expect(run.stderr).toSay('error-docker-tls-needs-node', 'E_NODE_VERSION', '20.18');
});

// As in a container started with `--user 12345`. Only root can become another user.
describe.skipIf(process.getuid?.() !== 0)('a user without an entry in passwd', () => {
  const home = join(directory, 'nobody');
  const run = (env: NodeJS.ProcessEnv, ...argv: string[]) =>
    program.run(argv, { uid: 12_345, gid: 12_345, env: { PATH: process.env.PATH, ...env }, cwd: '/' });

  beforeAll(() => {
    mkdirSync(home);
    chownSync(home, 12_345, 12_345);
    for (const path of [directory, dirname(dirname(program.bin))]) chmodSync(path, 0o755);
  });

  test('dials a host, and takes locks', async () => {
    const made = await run({ HOME: home }, 'ca', 'create', '--no-ca-passphrase');
    expect(made).toMatchObject({ status: 0, err: '' });
    const dialled = await run({ HOME: home }, 'setup', '127.0.0.1:1', '--host-key', 'accept-new', '--yes');
    expect(dialled.err).toMatch(/^error\[E_SSH_REFUSED\]/m);
    const local = await run({ HOME: home }, 'setup', 'local', '--dry-run', '--yes');
    expect(local.err).toMatch(/^error\[E_(?!BUG)/m);
  });

  test('finds out before a host is dialled that the store cannot be written', async () => {
    const store = join(home, 'closed');
    await issueStore(store, { hosts: { web: {} }, clients: { laptop: undefined } });
    execFileSync('chown', ['-R', '12345:12345', store]);
    chmodSync(join(store, 'hosts'), 0o500);
    const { status, err } = await run({ HOME: home }, 'apply', '--yes', '--home', store);
    expect([status, err]).toEqual([4, expect.stringMatching(/^error\[E_STORE_WRITE\].*EACCES at .*\/hosts/m)]);
    expect(err).not.toMatch(/E_SSH|connect/);
  });

  test('and without HOME is told what is missing', async () => {
    expect((await run({}, 'status')).err).toSay('error-no-home-directory', 'E_NO_HOME', 'uid-12345');
  });
});

describe('as a plugin of the docker CLI', () => {
  const home = join(directory, 'home');
  const docker = (...argv: string[]) =>
    spawnSync('docker', argv, { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: home } });

  beforeAll(() => {
    ensureDirSync(join(home, '.docker/cli-plugins'));
    symlinkSync(program.bin, join(home, '.docker/cli-plugins/docker-tls'));
  });

  test('metadata in the form that docker wants', async () => {
    const { out } = await program.run(['docker-cli-plugin-metadata']);
    expect(JSON.parse(out)).toMatchObject({
      SchemaVersion: '0.1.0',
      Vendor: 'docker-tls',
      ShortDescription: expect.toSay('tls-remote-docker-daemons'),
    });
  });

  test('docker lists it and passes calls on', () => {
    expect(docker('--help').stdout).toSay('tls-tls-remote-docker');
    expect(docker('tls', '--version').stdout).toMatch(/^docker-tls \d/);
    const wrong = docker('tls', 'nonsense');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/^error\[E_USAGE\]/);
    expect(docker('help', 'tls').stdout).toMatch(/Usage: docker tls COMMAND/);
    expect(docker('tls', 'version', '--help').stdout).toMatch(/Usage: docker tls version/);
  });

  test('options of docker itself may stand in front', () => {
    const other = join(directory, 'other');
    ensureDirSync(join(other, 'cli-plugins'));
    symlinkSync(program.bin, join(other, 'cli-plugins/docker-tls'));
    const options = ['-D', '--log-level=error', '--config', other];
    expect(docker(...options, 'tls', '--version').stdout).toMatch(/^docker-tls \d/);
    expect(docker(...options, 'help', 'tls').stdout).toContain(`Usage: docker --config ${other} tls COMMAND`);
    const status = docker(...options, 'tls', 'ca', 'create', '--no-ca-passphrase', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ ok: true });
    expect(existsSync(join(other, 'tls'))).toBe(true);
  });
});

describe('signals', () => {
  const bundle = join(directory, 'interruptible.mjs');

  beforeAll(async () => {
    await build({
      absWorkingDir: root,
      entryPoints: ['test/support/interruptible.ts'],
      outfile: bundle,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      define: { DOCKER_TLS_VERSION: '"0.0.0-test"' },
      external: ['cpu-features', '*.node'],
      loader: { '.sh': 'text', '.html': 'text' },
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
  });

  function start(...argv: string[]) {
    const child = spawn(process.execPath, [bundle, 'hold', '-v', ...argv], { stdio: 'pipe' });
    const run = finished(child);
    const saw = (text: string) =>
      new Promise<void>((resolve, reject) => {
        let seen = '';
        child.stderr.on('data', (chunk) => {
          seen += chunk;
          if (seen.includes(text)) resolve();
        });
        child.once('close', () => reject(new Error(`ended without "${text}": ${seen}`)));
      });
    return { child, run, saw };
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s: gives back what it holds and exits 130', async (name) => {
    const { child, run, saw } = start();
    await saw('build-1: restart');
    child.kill(name);
    const { status, err, out } = await run;
    expect({ status, out }).toEqual({ status: 130, out: '' });
    expect(err).toSay('stopped-and-restored', 'E_INTERRUPTED');
  });

  test('with --json the interruption is the one document', async () => {
    const { child, run, saw } = start('--json');
    await saw('build-1: restart');
    child.kill('SIGINT');
    const { status, out } = await run;
    expect(status).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ ok: false, command: 'hold', error: { code: 'E_INTERRUPTED' } });
  });

  test('the same key press twice counts once; a second one says what is going on and lets go', async () => {
    const { child, run, saw } = start('--stubborn');
    await saw('build-1: restart');
    const first = saw('stopping at');
    // Both wait for a stopped process: they arrive together, however busy the machine is.
    for (const name of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) child.kill(name);
    await first;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    const { status, err } = await run;
    expect(status).toBe(130);
    expect(err).toSay('roll-back-automatically-restart', 'build-1', 'docker-tls status');
    expect(err).not.toMatch(/restored/);
  });

  test('an error that was not caught is said as a bug, and ends the run', async () => {
    const { status, out } = await start('--stray', '--json').run;
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, command: 'hold', error: { code: 'E_BUG' } });
  });
});
