/** What docker waits for after its commands: answered by a shell script, which starts Node only where there may be something to say. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { giveContext } from '../../src/actions/context.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import { hookAnswer } from '../../src/cli/notice.ts';
import { issueStore } from '../support/issued-store.ts';

const PLUGIN = fileURLToPath(new URL('../../bin/docker-tls-plugin', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-quiet-'));
const dockerConfig = join(directory, 'docker');
const quiet = join(dockerConfig, '.docker-tls-quiet');
const config = join(dockerConfig, 'config.json');
const NOW_S = Math.floor(Date.now() / 1000);

mkdirSync(join(directory, 'bin'));
writeFileSync(join(directory, 'bin/node'), '#!/bin/sh\nprintf "node %s" "$DOCKER_TLS_NOTICE_KEY"\n', { mode: 0o755 });
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the script prints: of itself, or what the stand-in for Node does. `options`: of the program that starts it. */
function plugin(words: string, env: Record<string, string> = {}, options: readonly string[] = []): string {
  const PATH = `${join(directory, 'bin')}:${process.env.PATH}`;
  return execFileSync('/bin/sh', [...options, '-c', `${PLUGIN} ${words}; :`], {
    encoding: 'utf8',
    env: { PATH, HOME: directory, DOCKER_CONFIG: dockerConfig, ...env },
  });
}

const hook = (env?: Record<string, string>, options?: readonly string[]) =>
  plugin('tls docker-cli-plugin-hooks', env, options);

beforeEach(() => {
  mkdirSync(dockerConfig, { recursive: true });
  writeFileSync(config, '{}');
  utimesSync(config, NOW_S - 60, NOW_S - 60);
  rmSync(quiet, { force: true });
});

test('everything else is for Node', () => {
  expect(plugin('tls status')).toMatch(/^node /);
});

test('quiet until the time that was noted for these variables and options, and this configuration', () => {
  const [, key = ''] = /^node (.*)$/.exec(hook()) ?? [];
  const note = (until: number) => writeFileSync(quiet, `${until} other\n${until} ${key}\n`);
  note(NOW_S + 600);
  expect(hook()).toBe('');
  expect(hook({ DOCKER_HOST: 'tcp://10.0.0.1:2376' })).toMatch(/^node /);
  expect(hook({ DOCKER_CONTEXT: 'web' })).toMatch(/^node /);
  expect(hook({}, ['-e'])).toMatch(/^node .*\|-e/);
  note(NOW_S - 1);
  expect(hook()).toMatch(/^node /);
  note(NOW_S + 600);
  utimesSync(config, NOW_S + 60, NOW_S + 60);
  expect(hook()).toMatch(/^node /);
});

test('it is noted while nothing is due, for a day at most, and not longer than until the first is due', async () => {
  const home = join(dockerConfig, 'tls');
  const now = new Date();
  await issueStore(home, { now, days: 90, hosts: { web: { address: '10.0.0.2' } }, clients: { ci: undefined } });
  const more = { dockerConfig, replace: false, configDirectory: false, now: () => now, store: openStore(home) };
  await giveContext({ ...more, host: 'web', client: 'ci', context: 'web', use: true });
  utimesSync(config, NOW_S - 60, NOW_S - 60);
  const noted = (days: number, key: string) => {
    const at = new Date(now.getTime() + days * 86_400_000);
    const answer = hookAnswer({ DOCKER_CONFIG: dockerConfig, DOCKER_TLS_NOTICE_KEY: key }, ['ps'], at);
    const text = statSync(quiet, { throwIfNoEntry: false }) && readFileSync(quiet, 'utf8');
    return { answer, lines: text?.trim().split('\n'), at: Math.floor(at.getTime() / 1000) };
  };
  const first = noted(0, 'a');
  expect(first).toMatchObject({ answer: '', lines: [`${first.at + 86_400} a`] });
  expect(statSync(quiet).mode & 0o777).toBe(0o600);
  expect(noted(0, 'b').lines).toEqual([`${first.at + 86_400} b`, `${first.at + 86_400} a`]);
  // The configuration is another one: what was noted of the old one is forgotten.
  utimesSync(config, NOW_S + 600, NOW_S + 600);
  expect(noted(0, 'c').lines).toEqual([`${first.at + 86_400} c`]);
  utimesSync(config, NOW_S - 60, NOW_S - 60);
  expect(noted(0, 'a|--config|/x').lines).toHaveLength(1);
  const due = noted(80, 'd');
  expect(due.answer).toContain('expires in');
  expect(due.lines?.join()).not.toContain('d');
  const days = Array.from({ length: 90 }, (_, day) => day).find((day) => noted(day, 'e').answer !== '') as number;
  const before = noted(days - 1, 'f');
  expect(Number(before.lines?.[0]?.split(' ')[0])).toBeLessThan(before.at + 86_400);
});
