import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoreChange } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { contextNameOf } from '../../../../src/core/domain/names.ts';
import { checkContextName } from '../../../../src/features/contexts/domain/context-name.ts';
import { runCli } from '../../../support/cli.ts';
import { newHome, picture, removeHomes, sampleClient, sampleHost } from '../../../support/store.ts';

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

describe('context', () => {
  test.each([
    ['ada@web', 'ada-web'],
    ['x', 'docker-x'],
    ['default', 'docker-default'],
  ])('the context of a host named %s is %s, which docker takes', (host, context) => {
    expect(contextNameOf(host)).toBe(context);
    expect(() => checkContextName(context)).not.toThrow();
  });

  test.each([
    [
      ['context', 'web', '--context', 'web'],
      'E_CLIENT_AMBIGUOUS',
      'docker-tls context web --context web --json --client ci',
    ],
    [
      ['context', '--context=wbe', 'wbe', '--use'],
      'E_HOST_UNKNOWN',
      'docker-tls context --context=wbe web --use --json',
    ],
    [['context', 'nowhere'], 'E_HOST_UNKNOWN', 'docker-tls status'],
    [
      ['context', 'web', '--client', 'laptop', '--context', 'a b'],
      'E_CONTEXT_NAME',
      'docker-tls context HOST --context NAME',
    ],
  ])('%j: %s', async (argv, code, hint) => {
    await two();
    const before = picture(home);
    const { exit, json } = await run(...argv, '--json');
    expect(exit).toBe(2);
    expect(json.error).toMatchObject({ code, hints: expect.arrayContaining([hint]) });
    expect(picture(home)).toEqual(before);
  });

  const contextsOf = async (name: string) =>
    (await openStore(home).read()).clients.get(name)?.record.copies?.flatMap((one) => one.contexts) ?? [];

  test('created, recorded with its client, and unchanged by a second call', async () => {
    await two();
    const first = await run('context', 'web', '--client', 'ci', '--use');
    expect(first).toMatchObject({ exit: 0, err: '' });
    expect(first.out).toSay('context-created', 'web', 'tcp://web.example:2376', 'ci', 'docker version');
    expect(await contextsOf('ci')).toEqual(['web']);
    const [store, config] = [picture(home), picture(dockerConfig)];
    expect((await run('context', 'web', '--client', 'ci', '--use')).out).toSay('context-date', 'web');
    expect([picture(home), picture(dockerConfig)]).toEqual([store, config]);
  });

  test('the docker CLI reads it, and its files stay through another write', async () => {
    await two();
    await run('context', 'build-1', '--context', 'prod');
    await run('context', 'build-1', '--context', 'prod', '--use');
    const found = spawnSync('docker', ['context', 'inspect', 'prod'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, DOCKER_CONFIG: dockerConfig },
    });
    expect(found.error).toBeUndefined();
    const [context] = JSON.parse(found.stdout);
    expect(context).toMatchObject({
      Name: 'prod',
      Endpoints: { docker: { Host: 'tcp://build-1.example:2376', SkipTLSVerify: false } },
      TLSMaterial: { docker: ['ca.pem', 'cert.pem', 'key.pem'] },
    });
    expect(JSON.parse(readFileSync(join(dockerConfig, 'config.json'), 'utf8')).currentContext).toBe('prod');
  });

  test('a context that changes hands belongs to its new client only', async () => {
    await two();
    await run('context', 'web', '--client', 'ci');
    await run('context', 'web', '--client', 'laptop');
    expect([await contextsOf('ci'), await contextsOf('laptop')]).toEqual([[], ['web']]);
  });

  test("--config-directory puts the files where docker looks by itself, and other people's files are not overwritten", async () => {
    await two();
    mkdirSync(dockerConfig);
    writeFileSync(join(dockerConfig, 'key.pem'), 'mine');
    const refused = await run('context', 'build-1', '--config-directory', '--json');
    expect(refused.json.error?.code).toBe('E_CLIENT_FILES_EXIST');
    expect(Object.keys(picture(dockerConfig))).toEqual(['', 'key.pem']);
    const taken = await run('context', 'build-1', '--config-directory', '--replace', '--json');
    expect(taken.json.result.kept).toEqual([join(dockerConfig, 'key.pem.before-docker-tls')]);
    expect(statSync(join(dockerConfig, 'key.pem')).mode & 0o777).toBe(0o400);
    expect((await openStore(home).read()).clients.get('laptop')?.record.copies).toEqual([
      { dockerConfig, contexts: ['build-1'], directory: true },
    ]);
  });

  test('of a host that this machine reaches through ssh only says so, and one without a port has none', async () => {
    const web = sampleHost('web', 1);
    const recorded = (more: object) => fill({ hosts: { web: { ...web, record: { ...web.record, ...more } } } });
    await two();
    await recorded({ reach: 'ssh' });
    expect((await run('context', 'web', '--client', 'ci')).err).toContain('(--reach ssh)');
    await recorded({ listen: ['none'] });
    const none = await run('context', 'web', '--client', 'ci', '--json');
    expect([none.exit, none.json.error?.code]).toEqual([2, 'E_NO_PORT']);
  });

  test('--dry-run writes nothing', async () => {
    await two();
    const before = picture(home);
    const { exit, out } = await run('context', 'build-1', '--dry-run');
    expect([exit, out]).toEqual([0, expect.toSay('write-context', 'build-1', 'tcp://build-1.example:2376', 'laptop')]);
    expect(picture(home)).toEqual(before);
    expect(() => statSync(dockerConfig)).toThrow();
  });

  test('--dry-run refuses what the run would, and a config.json that cannot be changed leaves no context behind', async () => {
    await two();
    const meta = join(dockerConfig, 'contexts/meta', createHash('sha256').update('theirs').digest('hex'));
    mkdirSync(meta, { recursive: true });
    writeFileSync(join(meta, 'meta.json'), '{"Name":"theirs","Metadata":{},"Endpoints":{}}');
    writeFileSync(join(dockerConfig, 'key.pem'), 'mine');
    writeFileSync(join(dockerConfig, 'config.json'), '{"auths":');
    const before = picture(dockerConfig);
    for (const [code, ...words] of [
      ['E_CONTEXT_EXISTS', '--context', 'theirs'],
      ['E_CLIENT_FILES_EXIST', '--config-directory'],
      ['E_DOCKER_CONFIG', '--use'],
    ] as const) {
      const dry = await run('context', 'build-1', ...words, '--dry-run', '--json');
      const wet = await run('context', 'build-1', ...words, '--json');
      expect([dry.exit, dry.json.error?.code, wet.exit, wet.json.error?.code]).toEqual([2, code, 2, code]);
    }
    expect(picture(dockerConfig)).toEqual(before);
  });

  test('a variable that beats the current context is said', async () => {
    await two();
    const env = { DOCKER_CONFIG: dockerConfig, DOCKER_HOST: 'tcp://other:2376' };
    const { out } = await runCli(['context', 'build-1', '--use', '--home', home], { env });
    expect(out).toSay('shell-beats-current-context', 'DOCKER_HOST');
  });
});
