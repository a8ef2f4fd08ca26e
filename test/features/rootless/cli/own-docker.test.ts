/** A user's own Docker: found on a host that is new, and named where the login cannot become root. */

import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { type AnsweringHosts, answeringHosts } from '../../../support/answering-hosts.ts';
import { type CliRun, type CliSetting, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const now = new Date();
let home: string;
/** Scripts that change something, in order. */
let phases: string[];
afterAll(removeHomes);
beforeEach(async () => {
  home = newHome();
  phases = [];
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
});

function run(argv: readonly string[], hosts: Partial<AnsweringHosts> = {}, setting: CliSetting = {}): Promise<CliRun> {
  const directory = dirname(home);
  return runCli(argv, {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: answeringHosts({ home, now, onChange: (phase) => phases.push(phase), ...hosts }),
    ...setting,
  });
}

test('a Docker of the user is looked for on a host that is new, and not where the record says which one is meant', async () => {
  await run(['setup', 'ops@h9', '--dry-run'], { user: 'ops' });
  expect(phases).toEqual(['find']);
  phases = [];
  await run(['setup', 'h1', '--dry-run'], { user: 'ops' });
  expect(phases).toEqual([]);
});

test.each([
  ['own', ['for the rootless Docker of ops: docker-tls setup ops@h9 --rootless']],
  ['', []],
])('who may not become root, and has a Docker of their own (%j), is told of it', async (own, more) => {
  const open = answeringHosts({ home, now, user: 'ops' });
  const connect: CliSetting['connect'] = async (options) => {
    const session = await open(options);
    return {
      ...session,
      run: async (request) => {
        if (request.asRoot)
          throw new DockerTlsError('E_SUDO_PASSWORD', 'sudo asks', { hints: ['--ask-sudo-password'] });
        // The system's daemon runs as well.
        const theirs = request.phase === 'find' && !request.script.includes('docker.socket');
        return { status: 0, stdout: Buffer.from(theirs ? `${own}\n` : ''), stderr: '' };
      },
    };
  };
  const { exit, err } = await run(['setup', 'ops@h9', '--yes'], {}, { connect });
  expect(exit).toBe(4);
  expect(Array.from(err.matchAll(/hint: (.*)/g), ([, hint]) => hint)).toEqual([
    'docker-tls setup ops@h9 --yes --ask-sudo-password',
    ...more,
  ]);
});
