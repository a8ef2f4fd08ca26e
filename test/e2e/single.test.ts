/** The single executable: on its own, from any directory, whatever the directory and the environment say to Node.js. */

import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SINGLE } from '../support/cli.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-single-test-'));
const file = join(directory, 'docker-tls');
const checkout = join(directory, 'checkout');
const evil = join(checkout, 'ran');
const ATTACK = `require('node:fs').writeFileSync(${JSON.stringify(evil)}, '')`;

beforeAll(async () => {
  if (SINGLE !== undefined) copyFileSync(SINGLE, file);
  else await run('node', [join(ROOT, 'scripts/single.mjs'), `linux-${process.arch}`, file]);
  // All that a runtime might take for its configuration.
  const files: Record<string, string> = {
    'attack.js': ATTACK,
    'attack.cjs': ATTACK,
    '.env': `NODE_OPTIONS=--require=${checkout}/attack.cjs\nDOCKER_TLS_HOME=${checkout}/store\n`,
    'bunfig.toml': 'preload = ["./attack.js"]\n',
    '.npmrc': 'node-options=--require=./attack.cjs\n',
    'package.json': '{ "type": "module", "main": "attack.js", "imports": { "#x": "./attack.js" } }',
    'node.config.json': '{ "nodeOptions": { "import": ["./attack.cjs"] } }',
    'sea-config.json': '{ "main": "attack.js" }',
    'commands.json': '{}',
  };
  for (const name of ['ssh2', 'inquirer', 'yaml', 'execa', 'cpu-features', 'fs', 'vm', 'sea'])
    files[`node_modules/${name}/index.js`] = ATTACK;
  for (const [name, text] of Object.entries(files)) {
    ensureDirSync(join(checkout, name, '..'));
    writeFileSync(join(checkout, name), text);
  }
});
afterAll(() => removeSync(directory));

function call(argv: readonly string[], cwd: string, more: Readonly<Record<string, string>> = {}) {
  const env = { HOME: directory, PATH: '/usr/bin:/bin', ...more };
  const { status, stdout, stderr } = spawnSync(file, argv, { cwd, env, encoding: 'utf8' });
  return { status, stdout: stdout.replace(/"seconds": [\d.]+/, ''), stderr };
}

const COMMANDS = [
  ['--version'],
  ['version', '--json'],
  ['__complete', 'rotate', ''],
  ['env', '--unset', '--shell', 'sh'],
  ['setup', '--help'],
  ['status', '--offline', '--json'],
  ['plan', 'root@127.0.0.1:1', '--no-ca-passphrase', '--json'],
  ['docker-cli-plugin-metadata'],
];

test('a hostile checkout and variables of Node.js change nothing', () => {
  const before = readdirSync(checkout);
  const hostile = {
    NODE_OPTIONS: `--require=${checkout}/attack.cjs --no-such-option`,
    NODE_PATH: join(checkout, 'node_modules'),
    NODE_EXTRA_CA_CERTS: join(checkout, 'attack.js'),
  };
  for (const argv of COMMANDS) {
    const plain = call(argv, '/');
    expect([0, 4]).toContain(plain.status);
    expect(call(argv, checkout, hostile)).toEqual(plain);
  }
  expect(readdirSync(checkout)).toEqual(before);
});

test('TLS trusts nothing that NODE_EXTRA_CA_CERTS names, and NODE_TLS_REJECT_UNAUTHORIZED opens nothing', async () => {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name)) as [string, string];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'];
  await run('openssl', [...request, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]);
  let requests = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, answer) => {
    requests += 1;
    answer.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const store = `etcd://127.0.0.1:${(server.address() as AddressInfo).port}/store`;
    const env = {
      HOME: directory,
      PATH: '/usr/bin:/bin',
      NODE_EXTRA_CA_CERTS: cert,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    };
    const argv = ['status', '--offline', '--store', store, '--json'];
    const failed = await run(file, argv, { env }).catch((error) => error);
    expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false });
    expect(failed.stdout).toContain('certificate');
    expect(requests).toBe(0);
    // Node.js warns where it honours that variable.
    expect(failed.stderr).not.toContain('NODE_TLS_REJECT_UNAUTHORIZED');
  } finally {
    server.close();
  }
});

test('an answer to ssh goes through the executable itself', async () => {
  const server = createSocketServer((socket) => {
    socket.on('data', (data) => {
      const { words, prompt } = JSON.parse(data.toString());
      socket.end(JSON.stringify({ ok: words[0] === 'Password:', text: `${prompt}!\n` }));
    });
  });
  await new Promise<void>((resolve) => server.listen(join(directory, 'q'), resolve));
  try {
    const env = { SSH_ASKPASS_PROMPT: 'confirm' };
    expect((await run(file, ['__answer', directory, 'Password:'], { env })).stdout).toBe('confirm!\n');
    await expect(run(file, ['__answer', directory, 'other'], { env })).rejects.toMatchObject({ code: 1, stdout: '' });
  } finally {
    server.close();
  }
});

test('a link to it is a plugin of docker', async () => {
  const plugins = join(directory, '.docker/cli-plugins');
  ensureDirSync(plugins);
  await run('ln', ['-s', file, join(plugins, 'docker-tls')]);
  const env = { HOME: directory, PATH: '/usr/bin:/bin' };
  expect((await run('docker', ['tls', 'version'], { env })).stdout).toMatch(/^docker-tls \S+\nNode\.js 24\./);
  expect((await run('docker', ['--help'], { env })).stdout).toSay('tls-tls-remote-docker');
});

test('the schedule starts the executable alone', () => {
  const { stdout } = call(['schedule', '--form', 'cron'], checkout);
  expect(stdout).toContain(`${file} rotate server --due`);
  expect(stdout).not.toContain('node');
});
