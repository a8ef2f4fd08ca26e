/** `status --watch` of a store in a directory. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { heldToFirstKey } from '../../../../src/core/adapters/ssh/first-key.ts';
import { hostKeyOf } from '../../../../src/core/adapters/ssh/known-hosts.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { makeKey } from '../../../support/ssh-server.ts';
import { newHome, removeHomes, sampleCa, sampleHost } from '../../../support/store.ts';
import { watching } from '../support/watching.ts';

afterAll(removeHomes);

test('a directory is watched as well, and --watch has no end that --json or --check could wait for', async () => {
  const home = newHome();
  const store = openStore(home);
  await store.withLock('test', () => store.write({ ca: sampleCa(0), hosts: { web: sampleHost('web', 0) } }));
  const look = watching(['--home', home], runCli);
  await look.until(/web/);
  await store.withLock('test', () => store.write({ hosts: { db: sampleHost('db', 1) } }));
  await look.until(/db/);
  await look.stop();
  for (const flag of ['--json', '--check'])
    expect((await runCli(['status', '--watch', flag, '--home', home])).exit).toBe(2);
});

test('--watch: each round takes the key that a host shows then', async () => {
  const home = newHome();
  await issueStore(home, { hosts: { h1: {} } });
  const answer = answeringHosts({ home, now: new Date() });
  const stop = new AbortController();
  const outcomes: string[] = [];
  const { connect, forgetFirstKeys } = heldToFirstKey(async (options) => {
    const blob = Buffer.from(makeKey().publicKey.split(' ')[1] ?? '', 'base64');
    return { ...(await answer(options)), hostKey: hostKeyOf(blob) };
  });
  const { exit } = await runCli(['status', '--watch', '--home', home], {
    connect: async (options) => {
      const session = connect(options);
      outcomes.push(
        await session.then(
          () => 'connected',
          ({ code }) => code,
        ),
      );
      return session;
    },
    forgetFirstKeys,
    probe: async () => ({ kind: 'refused', cause: 'timed-out', reason: 'why', chain: '', elapsedMs: 1 }),
    env: { HOME: dirname(home) },
    signal: stop.signal,
    io: {
      out() {
        if (outcomes.length === 2) stop.abort();
        // A change of the store begins the next round.
        else writeFileSync(join(home, 'round'), '');
      },
    },
  });
  expect([exit, ...outcomes]).toEqual([130, 'connected', 'connected']);
});
