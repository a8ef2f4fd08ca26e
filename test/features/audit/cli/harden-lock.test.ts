/** `harden` of several hosts: the store is free for other runs while the hosts work; and how often a host is audited. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { recordedBytes } from '../support/audit-facts.ts';

afterAll(removeHomes);

test('no host is changed under the lock of the store', async () => {
  const [home, now] = [newHome(), new Date()];
  await issueStore(home, { now, hosts: { h1: {}, h2: {} }, clients: { laptop: undefined } });
  const locked: boolean[] = [];
  await runCli(['harden', 'h1', 'h2', '--only', 'log-limits', '--yes', '--json'], {
    cwd: dirname(home),
    env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: answeringHosts({
      ...{ home, now, outputs: { audit: recordedBytes('fresh-trixie') } },
      onChange: (phase) => {
        if (phase === 'apply') locked.push(existsSync(join(home, 'lock')));
      },
    }),
    probe: async () => ({ kind: 'unreachable', reason: 'no way', elapsedMs: 1 }) as never,
  });
  expect(locked).toEqual([false, false]);
});

test('several hosts with --yes: the audit before the change comes before it', async () => {
  const [home, now] = [newHome(), new Date()];
  await issueStore(home, { now, hosts: { h1: {}, h2: {} }, clients: { laptop: undefined } });
  let isChanged = false;
  const report = join(dirname(home), 'report.html');
  const { json, out } = await runCli(
    ['harden', 'h1', 'h2', '--only', 'log-limits', '--yes', '--report', report, '--json'],
    {
      cwd: dirname(home),
      env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker'), DOCKER_TLS_HOME: home },
      now: () => now,
      connect: answeringHosts({
        ...{ home, now },
        outputs: {
          get audit() {
            return recordedBytes(isChanged ? 'good-trixie' : 'bad-trixie');
          },
        },
        onChange: (phase) => {
          isChanged ||= phase === 'apply';
        },
      }),
      probe: async () => ({ kind: 'refused', cause: 'connection-refused', reason: '', chain: '', elapsedMs: 0 }),
    },
  );
  expect(isChanged, out).toBe(true);
  const { scores } = json.result;
  expect(scores).toHaveLength(2);
  for (const { before, after } of scores) expect(before.passed).toBeLessThan(after.passed);
});

test('one host with --yes is audited twice: for its plan, which is also its score before the change, and after it', async () => {
  const [home, now] = [newHome(), new Date()];
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
  const phases: string[] = [];
  const connect = answeringHosts({
    ...{ home, now },
    outputs: {
      get audit() {
        return recordedBytes(phases.includes('apply') ? 'good-trixie' : 'bad-trixie');
      },
    },
  });
  const { json, out } = await runCli(['harden', 'h1', '--only', 'log-limits', '--yes', '--json'], {
    cwd: dirname(home),
    env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: async (options) => {
      const session = await connect(options);
      const run: typeof session.run = (request) => {
        phases.push(request.phase);
        return session.run(request);
      };
      return { ...session, run };
    },
    probe: async () => ({ kind: 'refused', cause: 'connection-refused', reason: '', chain: '', elapsedMs: 0 }),
  });
  expect(
    phases.filter((phase) => ['audit', 'apply'].includes(phase)),
    out,
  ).toEqual(['audit', 'apply', 'audit']);
  const [{ before, after }] = json.result.scores;
  expect(before.passed).toBeLessThan(after.passed);
});
