import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { lookAt, namesAt } from '../../src/core/adapters/store/look.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { envAtOnce, plainWords } from '../../src/core/commands/env-at-once.ts';
import { SHELLS } from '../../src/core/domain/shell-environment.ts';
import { runCli } from '../support/cli.ts';
import { newHome, removeHomes, sampleClient, sampleHost } from '../support/store.ts';

let home: string;
const cwd = '/';

function client(name: string, which: number, record: object = {}) {
  const sample = sampleClient(name, which);
  return { ...sample, record: { ...sample.record, hosts: undefined, copies: undefined, ...record } };
}

function host(name: string, which: number, record: object = {}) {
  const sample = sampleHost(name, which);
  return { ...sample, record: { ...sample.record, ...record } };
}

beforeEach(async () => {
  home = newHome();
  const store = openStore(home);
  await store.withLock('test', () =>
    store.write({
      hosts: {
        'build-1': host('build-1', 0, { port: 2377 }),
        v6: host('v6', 1, { address: '2001:db8::7' }),
        away: host('away', 2, { reach: 'ssh' }),
        few: host('few', 3, { clients: ['ci'] }),
      },
      clients: {
        laptop: client('laptop', 0, { own: true }),
        ci: client('ci', 1),
        gone: client('gone', 2, { revokedAt: '2026-01-01T00:00:00.000Z' }),
        keyless: { ...client('keyless', 3), key: undefined },
        guest: client('guest', 4, { reaches: [{ name: 'far', address: 'far.example', port: 2376 }] }),
      },
    }),
  );
});
afterAll(removeHomes);

const env = () => ({ DOCKER_TLS_HOME: home, HOME: dirname(home), SHELL: '/bin/bash' });

describe('what it answers is what the command prints', () => {
  test.each([
    [['env', 'build-1']],
    [['env', 'build-1', '--client', 'ci']],
    [['env', '--client=ci', 'build-1']],
    [['env', 'v6', '--shell', 'fish']],
    [['env', 'few']],
    [['env', 'far']],
    [['env', '--unset']],
    [['tls', 'env', 'build-1']],
    ...SHELLS.map((shell): [string[]] => [['env', 'build-1', '--format', shell]]),
    ...SHELLS.map((shell): [string[]] => [['env', '--unset', '--shell', shell]]),
  ])('%j', async (argv) => {
    const { exit, err, out } = await runCli(argv, { env: env(), cwd });
    expect([exit, err]).toEqual([0, '']);
    expect(envAtOnce(argv, { env: env(), cwd })).toBe(out);
  });

  test('with --home, DOCKER_TLS_CLIENT and as a plugin of docker', async () => {
    const around = {
      DOCKER_TLS_CLIENT: 'ci',
      HOME: '/nowhere',
      DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: '/usr/bin/docker',
    };
    const argv = ['--config', '/c', 'tls', 'env', '--home', home, 'build-1'];
    const { out } = await runCli(argv, { env: around, cwd });
    expect(out).toContain(`/clients/ci'`);
    expect(out).toContain('docker --config /c tls env build-1');
    expect(envAtOnce(argv, { env: around, cwd })).toBe(out);
  });

  test('the only host needs no name', async () => {
    const store = openStore(home);
    await store.withLock('test', () => store.write({ removeHosts: ['v6', 'away', 'few'], removeClients: ['guest'] }));
    const { out } = await runCli(['env'], { env: env(), cwd });
    expect(envAtOnce(['env'], { env: env(), cwd })).toBe(out);
    expect(out).toContain('build-1');
  });
});

describe('what is not certain is left to the command', () => {
  test.each([
    [['env']],
    [['env', 'none']],
    [['env', '../hosts/build-1']],
    [['env', 'away']],
    [['env', 'build-1', '--client', 'none']],
    [['env', 'build-1', '--client', 'gone']],
    [['env', 'build-1', '--client', 'keyless']],
    [['env', 'build-1', '--client', 'guest']],
    [['env', 'few', '--client', 'laptop']],
    [['env', 'build-1', '--format', 'prometheus']],
    [['env', 'build-1', '--shell', 'ksh']],
    [['env', 'build-1', '--shell', 'sh', '--format', 'fish']],
    [['env', 'build-1', '--json']],
    [['env', 'build-1', '-q']],
    [['env', '--help']],
    [['env', 'build-1', 'v6']],
    [['env', 'build-1', '--store', 'git+ssh://x/y']],
    [['env', 'build-1', '--client']],
    [['env', 'build-1', '--client', '']],
    [['env', 'build-1', '--client', '--unset']],
    [['env', 'build-1', '--clien', 'ci']],
    [['env', 'build-1', '--unset=yes']],
    [['env', '--', 'build-1']],
    [['status']],
  ])('%j', (argv) => {
    expect(envAtOnce(argv, { env: env(), cwd })).toBeUndefined();
  });

  test('a shared store that the environment names', () => {
    const around = { ...env(), DOCKER_TLS_STORE: 'git+ssh://git@example.org/store.git' };
    expect(envAtOnce(['env', 'build-1'], { env: around, cwd })).toBeUndefined();
  });

  const key = () => join(home, 'clients/laptop/key.pem');
  const record = () => join(home, 'hosts/build-1/host.json');
  const clientRecord = () => join(home, 'clients/laptop/client.json');
  const edit = (file: string, change: object) => {
    const text = JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change });
    writeFileSync(file, text);
  };
  test.each<[string, () => void]>([
    ['a key that others can read', () => chmodSync(key(), 0o440)],
    ['a record that others can change', () => chmodSync(record(), 0o666)],
    ['a store that others can change', () => chmodSync(home, 0o777)],
    ['a directory of hosts that others can change', () => chmodSync(join(home, 'hosts/build-1'), 0o770)],
    ['a collection of hosts that others can change', () => chmodSync(join(home, 'hosts'), 0o777)],
    [
      'a link in place of the collection of hosts',
      () => {
        renameSync(join(home, 'hosts'), join(home, 'moved'));
        symlinkSync('moved', join(home, 'hosts'));
      },
    ],
    ['a server key that others can read', () => chmodSync(join(home, 'hosts/build-1/server-key.pem'), 0o644)],
    ['a host without its CA', () => rmSync(join(home, 'hosts/build-1/ca.pem'))],
    ['a directory of clients that others can change', () => chmodSync(join(home, 'clients'), 0o720)],
    [
      'a link in place of a key',
      () => {
        renameSync(key(), join(home, 'key'));
        symlinkSync(join(home, 'key'), key());
      },
    ],
    [
      'a link in place of a host',
      () => {
        renameSync(join(home, 'hosts/build-1'), join(home, 'moved'));
        symlinkSync(join(home, 'moved'), join(home, 'hosts/build-1'));
      },
    ],
    ['a link among the clients', () => symlinkSync('laptop', join(home, 'clients/also'))],
    ['a change that is half made', () => mkdirSync(join(home, '.change'), { mode: 0o700 })],
    ['a change that is taken back', () => mkdirSync(join(home, '.undo'), { mode: 0o700 })],
    ['a newer store', () => edit(join(home, 'store.json'), { schema: 2 })],
    ['a copy of a shared store', () => edit(join(home, 'store.json'), { store: 'git+ssh://x/y' })],
    ['the record of another host', () => edit(record(), { name: 'build-2' })],
    ['an address that is no text', () => edit(record(), { address: ['x'] })],
    ['a port that is no number', () => edit(record(), { port: '2376; reboot' })],
    ['clients that are no list', () => edit(record(), { clients: 'laptop' })],
    ['an address with a newline', () => edit(record(), { address: 'a\nb' })],
    ['an address that is empty', () => edit(record(), { address: '' })],
    ['a way to the host that is no text', () => edit(record(), { reach: 5 })],
    ['a record that is far too large', () => appendFileSync(record(), ' '.repeat(1024 * 1024))],
    ['a directory of a client that others can change', () => chmodSync(join(home, 'clients/laptop'), 0o770)],
    ['the record of another client', () => edit(clientRecord(), { name: 'ci' })],
    ['hosts of a client that are no list', () => edit(clientRecord(), { hosts: 'build-1' })],
    ['a time of revocation that is no text', () => edit(clientRecord(), { revokedAt: 5 })],
    ['a host of a client without an address', () => edit(clientRecord(), { reaches: [{ name: 'x', port: 1 }] })],
    ['a CA of a client that is cut off', () => truncateSync(join(home, 'clients/laptop/ca.pem'), 100)],
    [
      'a pipe in place of a record, which is not waited for',
      () => {
        rmSync(record());
        execFileSync('mkfifo', ['-m', '600', record()]);
      },
    ],
    ['a certificate that is cut off', () => truncateSync(join(home, 'clients/laptop/cert.pem'), 100)],
    [
      'a key that is empty',
      () => {
        rmSync(key());
        writeFileSync(key(), '', { mode: 0o400 });
      },
    ],
    ['a record that is not JSON', () => truncateSync(record(), 10)],
  ])('%s', (_, spoil) => {
    expect(envAtOnce(['env', 'build-1'], { env: env(), cwd })).toBeDefined();
    spoil();
    expect(envAtOnce(['env', 'build-1'], { env: env(), cwd })).toBeUndefined();
  });

  test('a store that changes while it is read', () => {
    const parse = JSON.parse;
    const spy = vi.spyOn(JSON, 'parse').mockImplementation((text) => {
      // Another run begins and ends.
      writeFileSync(join(home, 'lock'), '');
      rmSync(join(home, 'lock'));
      return parse(text);
    });
    try {
      expect(lookAt(home, 'build-1')).toBeUndefined();
    } finally {
      spy.mockRestore();
    }
    expect(lookAt(home, 'build-1')).toBeDefined();
  });

  test('a directory among the hosts whose name is none', () => {
    mkdirSync(join(home, 'hosts', 'x y'), { mode: 0o700 });
    expect(namesAt(home, 'host')).toBeUndefined();
  });

  test.runIf(process.getuid?.() === 0)('a key of another user', () => {
    chownSync(key(), 65_534, 65_534);
    expect(lookAt(home, 'build-1')).toBeUndefined();
  });
});

test('plain words mean the same to commander', async () => {
  const command = await COMMANDS.find(({ name }) => name === 'env')?.load();
  if (command === undefined) throw new Error('no env');
  const value = fc.constantFrom('build-1', 'ci', 'sh', 'fish', '/h', '~/h', '', '-', '--', '-q', 'a=b', '--unset');
  const option = fc.constantFrom('--client', '--format', '--shell', '--home', '--unset', '--json', '--clien', '-h');
  const word = fc.oneof(
    value,
    option,
    fc.tuple(option, value).map(([flag, text]) => `${flag}=${text}`),
  );
  const around = { env: { HOME: '/root' }, cwd };
  let plain = 0;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      const found = plainWords(words);
      const shells = [found?.format, found?.shell].every((one) => one === undefined || SHELLS.includes(one as 'sh'));
      if (found === undefined || !shells) return;
      plain += 1;
      const { args, options } = parseOptions(command, words, around);
      const { host, unset, ...said } = found;
      expect({ host: args.host, unset: options.unset }).toEqual({ host, unset });
      for (const name of ['client', 'format', 'shell', 'home'] as const) expect(options[name]).toBe(said[name]);
      expect([options.json, options.help]).toEqual([false, false]);
    }),
    { numRuns: 2000 },
  );
  expect(plain).toBeGreaterThan(100);
});
