/** `setup` where another program has a docker context of the host's name. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const now = new Date();
let phases: string[];
let home: string;
let directory: string;

beforeEach(async () => {
  home = newHome();
  directory = dirname(home);
  phases = [];
  await issueStore(home, { now, hosts: {}, clients: { laptop: undefined } });
  const meta = join(directory, 'docker/contexts/meta', createHash('sha256').update('h9').digest('hex'));
  mkdirSync(meta, { recursive: true });
  const theirs = { Name: 'h9', Metadata: {}, Endpoints: { docker: { Host: 'ssh://h9' } } };
  writeFileSync(join(meta, 'meta.json'), JSON.stringify(theirs));
});
afterAll(removeHomes);

const setup = (...more: string[]) =>
  runCli(['setup', 'root@h9', '--yes', '--client', 'laptop', ...more], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: answeringHosts({ home, now, onChange: (phase) => phases.push(phase) }),
    probe: async () => ({ kind: 'refused', cause: 'client-refused', reason: '', chain: '', elapsedMs: 1 }),
  });

test('it is left alone, and setup says so', async () => {
  const { err } = await setup('--dry-run');
  expect(err).toSay('other-context-stays', 'h9');
  expect((await setup('--dry-run', '--no-context')).err).not.toContain('the docker context');
});

test.each([[['--context', 'h9']], [['--use']]])('%j: refused before the host changes', async (options) => {
  const { exit, json } = await setup(...options, '--json');
  expect([exit, json.error?.code, json.error?.where, phases]).toEqual([2, 'E_CONTEXT_EXISTS', 'h9', []]);
  expect(json.error?.hints).toEqual(['choose another name: --context NAME', 'docker context inspect h9']);
});

test('a host without a port has none: refused before a login', async () => {
  const { exit, json } = await setup('--listen', 'none', '--context', 'mine', '--json');
  expect([exit, json.error?.code, phases]).toEqual([2, 'E_USAGE', []]);
  expect(json.error?.hints).toEqual(['leave out --context, --use and --config-directory']);
});
