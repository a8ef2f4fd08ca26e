/**
 * Plugin hook that docker waits for after its commands: a shell script prints the cached notice, and Node refreshes it in the background.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { giveContext } from '../../../../src/features/contexts/actions/give-context.ts';
import { hookAnswer } from '../../../../src/features/notices/cli/notice.ts';
import { issueStore } from '../../../support/issued-store.ts';

const PLUGIN = fileURLToPath(new URL('../../../../bin/docker-tls-plugin', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-plugin-'));
const dockerConfig = join(directory, 'docker');
const note = join(dockerConfig, '.docker-tls-notice');
const config = join(dockerConfig, 'config.json');
const cert = join(directory, 'cert.pem');
const looked = join(directory, 'looked');
const NOW_S = Math.floor(Date.now() / 1000);

mkdirSync(join(directory, 'bin'));
const stub = `#!/bin/sh
case "$*" in *hooks*) printf '%s' "$DOCKER_TLS_NOTICE_KEY" >${looked}.new && mv ${looked}.new ${looked} ;; *) printf 'node %s' "$*" ;; esac
`;
writeFileSync(join(directory, 'bin/node'), stub, { mode: 0o755 });
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Output of the script, or of the stand-in for Node. `options`: of the program that starts it. */
function plugin(words: string, env: Record<string, string> = {}, options: readonly string[] = []): string {
  const PATH = `${join(directory, 'bin')}:${process.env.PATH}`;
  return execFileSync('/bin/sh', [...options, '-c', `${PLUGIN} ${words}; :`], {
    encoding: 'utf8',
    env: { PATH, HOME: directory, DOCKER_CONFIG: dockerConfig, ...env },
  });
}

/** The hook's answer, and the key of the refresh that it started in the background. */
async function hook(env?: Record<string, string>, options?: readonly string[], looks = true) {
  rmSync(looked, { force: true });
  const answer = plugin('tls docker-cli-plugin-hooks', env, options);
  if (looks) await vi.waitUntil(() => existsSync(looked), { timeout: 60_000, interval: 10 });
  return { answer, key: existsSync(looked) ? readFileSync(looked, 'utf8') : undefined };
}

function touch(file: string, seconds: number): void {
  utimesSync(file, NOW_S + seconds, NOW_S + seconds);
}

beforeEach(() => {
  mkdirSync(dockerConfig, { recursive: true });
  for (const file of [config, cert]) {
    writeFileSync(file, '{}');
    touch(file, -60);
  }
  rmSync(note, { force: true });
});

test('everything else is for Node', () => {
  expect(plugin('tls status')).toMatch(/^node .* tls status$/);
});

test('what was noted is said, for these variables and options, this configuration and these certificates', async () => {
  const { key = '', answer } = await hook();
  expect(answer).toBe('');
  const noted = (until: number, text = '{"Template":"due"}') =>
    writeFileSync(note, `${until}\tother\t-\t-\tnot this\n${until}\t${key}\t${cert}\t-\t${text}\n`);
  noted(NOW_S + 600);
  expect(await hook({}, [], false)).toEqual({ answer: '{"Template":"due"}', key: undefined });
  expect((await hook({ DOCKER_HOST: 'tcp://10.0.0.1:2376' })).answer).toBe('');
  expect((await hook({ DOCKER_CONTEXT: 'web' })).answer).toBe('');
  expect(await hook({}, ['-e'])).toEqual({ answer: '', key: key.replace('|-c', '|-e|-c') });
  // An expired notice is shown once more while Node refreshes it.
  noted(NOW_S - 1);
  expect(await hook()).toEqual({ answer: '{"Template":"due"}', key });
  noted(NOW_S + 600, '');
  expect(await hook({}, [], false)).toEqual({ answer: '', key: undefined });
  for (const file of [config, cert]) {
    noted(NOW_S + 600);
    touch(file, 3600);
    expect(await hook()).toEqual({ answer: '', key });
    touch(file, -60);
  }
});

test.each([['--config', 'DIR'], ['--config=DIR'], ['--config', '/nowhere', '--context', 'web', '--config', 'DIR']])(
  'the notes of the configuration that docker was told to use: %s %s',
  async (...words) => {
    const env = { PATH: `${join(directory, 'bin')}:${process.env.PATH}`, HOME: directory, DOCKER_CONFIG: '/nowhere' };
    const options = words.map((word) => word.replace('DIR', dockerConfig));
    // The shell that stands in for docker has them among its own arguments.
    const line = ['-c', `${PLUGIN} tls docker-cli-plugin-hooks; :`, ...options, 'ps'];
    const ask = () => execFileSync('/bin/sh', line, { encoding: 'utf8', env });
    rmSync(looked, { force: true });
    expect(ask()).toBe('');
    await vi.waitUntil(() => existsSync(looked), { timeout: 60_000, interval: 10 });
    const key = readFileSync(looked, 'utf8');
    writeFileSync(note, `${NOW_S + 600}\t${key}\t${cert}\t-\tdue\n`);
    expect(ask()).toBe('due');
  },
);

test('a day at most is noted as quiet, not longer than until the first is due; what is due for an hour', async () => {
  const home = join(dockerConfig, 'tls');
  const now = new Date();
  await issueStore(home, { now, days: 90, hosts: { web: { address: '10.0.0.2' } }, clients: { ci: undefined } });
  const more = { dockerConfig, replace: false, configDirectory: false, now: () => now, store: openStore(home) };
  await giveContext({ ...more, host: 'web', client: 'ci', context: 'web', use: true });
  touch(config, -60);
  const noted = (days: number, key: string) => {
    const at = new Date(now.getTime() + days * 86_400_000);
    const answer = hookAnswer({ DOCKER_CONFIG: dockerConfig, DOCKER_TLS_NOTICE_KEY: key }, ['ps'], at);
    const lines = readFileSync(note, 'utf8').trimEnd().split('\n');
    return { answer, lines, fields: lines[0]?.split('\t') ?? [], at: Math.floor(at.getTime() / 1000) };
  };
  const first = noted(0, 'a');
  expect(first).toMatchObject({
    answer: '',
    lines: [expect.stringMatching(/\ta\t.*cert\.pem\t.*web\/server-cert\.pem$/)],
  });
  expect(first.fields[0]).toBe(`${first.at + 86_400}`);
  expect(statSync(note).mode & 0o777).toBe(0o600);
  expect(noted(0, 'b').lines).toHaveLength(2);
  // After a renewal, or with another configuration, the earlier notice is dropped.
  touch(join(home, 'hosts/web/server-cert.pem'), 3600);
  expect(noted(0, 'c').lines).toHaveLength(1);
  touch(join(home, 'hosts/web/server-cert.pem'), -60);
  touch(config, 3600);
  expect(noted(0, 'd').lines).toHaveLength(1);
  touch(config, -60);
  const due = noted(80, 'e');
  expect(due.answer).toContain('expires in');
  expect([due.fields[0], due.fields[1], due.fields.at(-1)]).toEqual([`${due.at + 3600}`, 'e', due.answer]);
  const days = Array.from({ length: 90 }, (_, day) => day).find((day) => noted(day, 'f').answer !== '') as number;
  const before = noted(days - 1, 'g');
  expect(Number(before.fields[0])).toBeLessThan(before.at + 86_400);
});
