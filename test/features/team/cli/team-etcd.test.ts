/** Team commands on a real etcd: moving to it, history, and a status that refreshes when other operators change something. */

import { renameSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { type CliSetting, runCli } from '../../../support/cli.ts';
import { newHome, removeHomes, sampleCa, sampleHost } from '../../../support/store.ts';
import { type EtcdServers, startEtcd } from '../support/etcd.ts';
import { type Member, membersOf } from '../support/team.ts';

let etcd: EtcdServers;

beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(async () => {
  await etcd.stop();
  removeHomes();
});

function as({ env, home, name }: Member, argv: readonly string[], setting: CliSetting = {}) {
  return runCli([...argv, '--home', home], {
    env: { HOME: env.HOME },
    cwd: env.HOME,
    operator: `${name}@laptop`,
    ...setting,
  });
}

/** `status --watch`, and a wait for its output. */
function watching(
  argv: readonly string[],
  run: (argv: readonly string[], setting: CliSetting) => ReturnType<typeof runCli>,
) {
  const stop = new AbortController();
  let shown = '';
  const io = {
    out(text: string) {
      shown += text;
    },
  };
  const ended = run(['status', '--offline', '--watch', ...argv], { signal: stop.signal, io });
  return {
    async until(words: RegExp) {
      for (let attempt = 0; attempt < 5000 && !words.test(shown); attempt++)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(shown).toMatch(words);
    },
    async stop() {
      stop.abort();
      expect((await ended).exit).toBe(130);
    },
  };
}

test('a directory becomes a store in etcd; its history, its operators, and what bob changes while ada looks', async () => {
  const { url, member } = membersOf(`etcd://${etcd.endpoints}/ops/docker-tls?tls=off`);
  const [ada, bob] = [member('ada'), member('bob')];
  await as(ada, ['ca', 'create', '--no-ca-passphrase', '--yes']);
  expect((await as(ada, ['store', 'copy', '--to', url])).exit).toBe(0);
  renameSync(ada.home, `${ada.home}.before`);
  renameSync(`${ada.home}.team`, ada.home);
  expect((await as(ada, ['operator', 'add', 'bob', bob.recipient])).exit).toBe(0);
  expect((await as(bob, ['store', 'check', '--store', url])).exit).toBe(0);

  const look = watching([], (argv, setting) => as(ada, argv, setting));
  await look.until(/All is well/);
  expect((await as(bob, ['client', 'add', 'carol', '--yes'])).exit).toBe(0);
  await look.until(/carol/);
  await look.stop();

  const log = await as(ada, ['log', '--json']);
  expect(log.json.result.entries.map(({ who, lines }: { who: string; lines: string[] }) => [who, lines[0]])).toEqual([
    ['bob (bob@laptop)', expect.stringMatching(/^client carol: added/)],
    // The login of the user who made it is the operator's name.
    [expect.stringMatching(/ \(ada@laptop\)$/), 'operator bob: added'],
    [expect.stringMatching(/ \(ada@laptop\)$/), expect.stringMatching(/^operator .*: added$/)],
  ]);
  expect(log.json.result.entries[2].lines).toEqual([expect.anything(), expect.stringMatching(/^CA .*: made$/)]);
  // The same store by another endpoint list and other credentials: it counts as the same.
  const [host, port] = etcd.endpoints.split(':');
  const other = `etcd://${host}:${port},127.0.0.1:1/ops/docker-tls?tls=off`;
  expect((await as(ada, ['operator', 'list', '--store', other])).exit).toBe(0);
  const wrong = await as(ada, ['operator', 'list', '--json', '--store', `etcd://${etcd.endpoints}/ops/other?tls=off`]);
  expect(wrong.json.error?.code).toBe('E_STORE_OTHER');
});

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
