import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoreChange } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { runCli } from '../support/cli.ts';
import { newHome, picture, removeHomes, sampleClient, sampleHost } from '../support/store.ts';

let home: string;
let dockerConfig: string;

beforeEach(() => {
  home = newHome();
  dockerConfig = join(dirname(home), 'docker');
});
afterAll(removeHomes);

async function fill(change: StoreChange): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', () => store.write(change));
}

function client(name: string, which: number, record: object = {}) {
  const sample = sampleClient(name, which);
  return { ...sample, record: { ...sample.record, copies: undefined, ...record } };
}

const run = (...argv: string[]) =>
  runCli(argv, {
    env: { DOCKER_TLS_HOME: home, DOCKER_CONFIG: dockerConfig, HOME: dirname(home), SHELL: '/bin/bash' },
  });

const two = () =>
  fill({
    hosts: { 'build-1': sampleHost('build-1', 0), web: sampleHost('web', 1) },
    clients: { laptop: client('laptop', 0), ci: client('ci', 1, { hosts: ['web'] }) },
  });

describe('env', () => {
  test('the only host and its only client need no name; a shell can evaluate the lines', async () => {
    await fill({ hosts: { 'build-1': sampleHost('build-1', 0) }, clients: { laptop: client('laptop', 0) } });
    const { exit, out, err } = await runCli(['env', '--home', home], { env: { SHELL: '/bin/bash' } });
    expect([exit, err]).toEqual([0, '']);
    const printed = execFileSync('sh', ['-c', `${out}\nenv`], { encoding: 'utf8', env: {} });
    expect(printed).toContain('DOCKER_HOST=tcp://build-1.example:2376\n');
    expect(printed).toContain('DOCKER_TLS_VERIFY=1\n');
    const directory = /^DOCKER_CERT_PATH=(.*)$/m.exec(printed)?.[1] as string;
    expect(readFileSync(join(directory, 'cert.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');
    expect(statSync(join(directory, 'key.pem')).mode & 0o777).toBe(0o400);
    expect(out).toContain(`# eval "$(docker-tls env build-1 --client laptop --shell sh --home ${home})"`);
  });

  test('--format is another word for --shell; both may not differ', async () => {
    await two();
    const shell = await run('env', 'build-1', '--shell', 'github');
    expect((await run('env', 'build-1', '--format', 'github')).out).toBe(shell.out);
    expect(shell.out).toContain('DOCKER_TLS_VERIFY=1');
    expect((await run('env', 'build-1', '--format', 'fish', '--shell', 'sh')).exit).toBe(2);
  });

  test('the client that the host accepts is found; --json says what was chosen', async () => {
    await two();
    const { json } = await run('env', 'build-1', '--json', '--shell', 'fish');
    expect(json).toMatchObject({
      command: 'env',
      ok: true,
      result: {
        shell: 'fish',
        host: 'build-1',
        client: 'laptop',
        variables: { DOCKER_HOST: 'tcp://build-1.example:2376', DOCKER_TLS_VERIFY: '1' },
      },
    });
  });

  test.each([
    [['env'], 'E_HOST_AMBIGUOUS', 'docker-tls env build-1 --json'],
    [['env', '--format', 'fish'], 'E_HOST_AMBIGUOUS', 'docker-tls env build-1 --format fish --json'],
    [['env', '--format', 'fish', 'wbe'], 'E_HOST_UNKNOWN', 'docker-tls env --format fish web --json'],
    [['env', 'web', '--format', 'fish'], 'E_CLIENT_AMBIGUOUS', 'docker-tls env web --format fish --json --client ci'],
    [['env', 'web', '--client', 'lpatop'], 'E_CLIENT_UNKNOWN', 'docker-tls env web --json --client laptop'],
    [['rename', 'wbe', 'wbe'], 'E_HOST_UNKNOWN', 'docker-tls rename web wbe --json'],
    [['env', 'build-1', '--client', 'ci'], 'E_CLIENT_NOT_ACCEPTED', 'docker-tls client list'],
  ])('%j: %s', async (argv, code, hint) => {
    await two();
    const before = picture(home);
    const { exit, json } = await run(...argv, '--json');
    expect(exit).toBe(2);
    expect(json.error).toMatchObject({ code, hints: expect.arrayContaining([hint]) });
    expect(picture(home)).toEqual(before);
  });

  test('an empty store, a revoked client and a key that is elsewhere are said', async () => {
    expect((await run('env', '--json')).json.error?.code).toBe('E_NO_HOSTS');
    await fill({
      hosts: { 'build-1': sampleHost('build-1', 0) },
      clients: {
        gone: client('gone', 0, { revokedAt: '2026-11-25T10:00:00.000Z' }),
        away: { ...client('away', 1), key: undefined },
      },
    });
    expect((await run('env', '--json')).json.error).toMatchObject({
      code: 'E_CLIENT_NO_KEY',
      message: expect.toSay('key-away-not-another'),
    });
    await fill({ removeClients: ['away'] });
    expect((await run('env', '--json')).json.error?.code).toBe('E_NO_CLIENTS');
    await fill({ clients: { away: { ...client('away', 1), key: undefined } } });
    expect((await run('env', '--client', 'gone', '--json')).json.error?.code).toBe('E_CLIENT_REVOKED');
    expect((await run('env', '--client', 'away', '--json')).json.error?.code).toBe('E_CLIENT_NO_KEY');
  });

  test('--unset needs no store', async () => {
    const { exit, out } = await run('env', '--unset', '--shell', 'sh');
    expect(exit).toBe(0);
    const script = `export DOCKER_HOST=x DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=y\n${out}\nenv`;
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8', env: {} })).not.toMatch(/^DOCKER_/m);
  });
});
