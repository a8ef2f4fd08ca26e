/**
 * Data of every earlier version (test/core/golden/upgrade), opened by this one: the store, the state of a host. Data of a newer version
 * is refused.
 */

import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parseState } from '../../src/core/domain/plan/host-state.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { newHome, removeHomes } from '../support/store.ts';

const GOLDEN = new URL('../core/golden/upgrade/', import.meta.url);
/** Facts of a host that was set up, as this version gathers them, except for a state written by a newer version. */
const newerHost = Buffer.from(
  readFileSync(new URL('../core/golden/plan/trixie-set-up.facts', import.meta.url), 'latin1').replace(
    '"schema": 1',
    '"schema": 2',
  ),
  'latin1',
);
const versions = readdirSync(GOLDEN).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
afterAll(removeHomes);

test('this version is among them', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(versions, 'run: node test/core/golden/upgrade/record.mjs').toContain(version);
});

describe.each(versions)('of version %s', (version) => {
  const kept = (name: string): Buffer => readFileSync(new URL(`${version}/${name}`, GOLDEN));
  const about = JSON.parse(kept('about.json').toString()) as { at: string; address: string };
  let home: string;

  beforeEach(() => {
    home = newHome();
    const files: Record<string, { mode: number; text: string }> = JSON.parse(kept('store.json').toString());
    for (const [path, { mode, text }] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(home, path), text);
      chmodSync(join(home, path), mode);
    }
  });

  function cli(...argv: string[]): Promise<CliRun> {
    const session = { user: 'root', login: { user: 'root', destination: about.address }, dialled: about.address };
    return runCli([...argv, '--home', home, '--json'], {
      cwd: dirname(home),
      env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker') },
      now: () => new Date(about.at),
      connect: async ({ host }) => ({
        ...session,
        host,
        run: async () => ({ status: 0, stdout: newerHost, stderr: '' }),
        close: async () => {},
        [Symbol.asyncDispose]: async () => {},
      }),
    });
  }

  test('the store opens, with host, clients and CA, and can be written', async () => {
    const { exit, json } = await cli('status', '--offline');
    expect({ exit, error: json.error }).toEqual({ exit: 0, error: undefined });
    expect(JSON.stringify(json.result)).toMatch(/build-1.*"ops"|"ops".*build-1/s);
    expect((await cli('client', 'list')).json.result).toMatchObject({ clients: expect.anything() });
    expect((await cli('env', 'build-1')).exit).toBe(0);
    expect((await cli('rename', 'build-1', 'build-2', '--yes')).exit).toBe(0);
    expect(JSON.stringify((await cli('status', '--offline')).json.result)).toContain('build-2');
  });

  test('the state of the host is read, with both generations and their settings', () => {
    const content = kept('state.json').toString();
    const state = parseState('state.json', { kind: 'file', mode: '600', owner: '0:0', content });
    expect(state).toMatchObject({ name: 'build-1', generation: 2 });
    expect(state?.generations.map(({ number, settings }) => [number, settings?.port])).toEqual([
      [1, 2376],
      [2, 2376],
    ]);
    expect(state?.managed.map(({ path }) => path)).toContain('/etc/docker/tls/current');
  });

  test('the store and the host of a newer version are refused, each with its reason, and left as they are', async () => {
    const host = await cli('apply', 'build-1', '--yes');
    expect([host.exit, host.json.error]).toMatchObject([4, { code: 'E_HOST_SCHEMA' }]);
    expect(host.json.error?.message).toSay('changed-newer-docker-tls-schema', '2', '1');
    expect(host.json.error?.hints.join()).toSay('install-newer-docker-tls');

    writeFileSync(join(home, 'store.json'), '{"schema":2}\n');
    const before = readFileSync(join(home, 'hosts/build-1/host.json'), 'utf8');
    const store = await cli('rename', 'build-1', 'build-2', '--yes');
    expect([store.exit, store.json.error]).toMatchObject([2, { code: 'E_STORE_SCHEMA' }]);
    expect(store.json.error?.hints.join()).toSay('install-newer-docker-tls');
    expect(readFileSync(join(home, 'hosts/build-1/host.json'), 'utf8')).toBe(before);
  });
});
