/** Notice for docker after its commands: one line if a renewal is due for the context or the variables in use, otherwise nothing. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJsonSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { giveContext } from '../../../../src/features/contexts/actions/give-context.ts';
import { hookAnswer } from '../../../../src/features/notices/cli/notice.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';

const DAY_MS = 86_400_000;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-notice-'));
const dockerConfig = join(directory, 'docker');
const home = join(dockerConfig, 'tls');
const now = new Date();
const env = { DOCKER_CONFIG: dockerConfig };

beforeAll(async () => {
  const hosts = { 'build-1': { address: '10.0.0.1' }, web: { address: '10.0.0.2' } };
  await issueStore(home, { now, days: 90, hosts, clients: { ci: undefined, laptop: undefined } });
  const more = { dockerConfig, replace: false, configDirectory: false, now: () => now, store: openStore(home) };
  await giveContext({ ...more, host: 'build-1', client: 'ci', context: 'build-1', use: false });
  await giveContext({ ...more, host: 'web', client: 'laptop', context: 'web', use: true });
});
afterAll(() => removeSync(directory));

const said = (days: number, argv: readonly string[], more: object = {}): string => {
  const answer = hookAnswer({ ...env, ...more }, argv, new Date(now.getTime() + days * DAY_MS));
  return answer === '' ? '' : JSON.parse(answer).Template;
};

test('quiet while nothing is due, and where docker goes elsewhere', () => {
  expect(said(10, ['--context', 'build-1', 'ps'])).toBe('');
  for (const argv of [
    ['-H', 'tcp://10.0.0.9:2376', 'ps'],
    ['--context', 'default', 'ps'],
    ['--context=other', 'ps'],
  ])
    expect(said(80, argv)).toBe('');
  expect(said(80, ['ps'], { DOCKER_HOST: 'tcp://10.0.0.9:2376' })).toBe('');
  expect(said(80, ['ps'], { DOCKER_CONFIG: join(directory, 'none') })).toBe('');
});

test('one line names what is due, for how long, and the command', () => {
  expect(said(69.5, ['--context', 'build-1', 'ps'])).toSay(
    'client-expires-days',
    'ci',
    '20',
    'docker tls rotate client ci; the certificate of build-1 expires in 20 days: docker tls rotate server build-1',
  );
  expect(said(100, ['-c', 'build-1', 'ps'])).toSay('client-expired', 'ci', 'docker tls rotate client ci');
  // The current context, and before it the one of the environment.
  expect(said(69.5, ['ps'])).toContain('the client laptop');
  expect(said(69.5, ['ps'], { DOCKER_CONTEXT: 'build-1' })).toContain('the client ci');
});

test('the lines of env lead to the store too', () => {
  const variables = { DOCKER_HOST: 'tcp://10.0.0.2:2376', DOCKER_CERT_PATH: join(home, 'clients/ci') };
  expect(said(69.5, ['ps'], variables)).toSay('client-certificate', 'ci', 'web');
  expect(said(69.5, ['ps'], { ...variables, DOCKER_CONFIG: directory })).toContain(`rotate client ci --home ${home}`);
});

test('another configuration of docker: its contexts, and the command that finds its store', () => {
  const elsewhere = { DOCKER_CONFIG: directory };
  const words = `docker --config ${dockerConfig} tls rotate`;
  expect(said(69.5, ['--config', dockerConfig, 'ps'], elsewhere)).toSay(
    'client-expires-days-client',
    'laptop',
    '20',
    words,
    'web',
  );
});

test('a damaged file keeps no user from docker', () => {
  writeFileSync(join(directory, 'config.json'), '{');
  expect(said(80, ['ps'], { DOCKER_CONFIG: directory })).toBe('');
});

test('on and off: our own keys of config.json, and nothing else of it', async () => {
  const file = join(dockerConfig, 'config.json');
  const before = readJsonSync(file);
  const turn = (setting: string) => runCli(['notices', setting, '--json'], { env: { ...env, HOME: directory } });
  expect((await turn('on')).json.result).toMatchObject({ notices: 'on', changed: true });
  const on = readJsonSync(file);
  expect(on).toMatchObject({ ...before, features: { hooks: 'true' } });
  expect(on.plugins.tls.hooks.split(',')).toContain('ps');
  expect((await turn('on')).json.result.changed).toBe(false);
  await turn('off');
  expect(readJsonSync(file).plugins).toEqual({});
});
