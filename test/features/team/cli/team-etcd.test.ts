/** Team commands on a real etcd: moving to it, history, and what other operators change. */

import { renameSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliSetting, runCli } from '../../../support/cli.ts';
import { removeHomes } from '../../../support/store.ts';
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

test('a directory becomes a store in etcd; its history, its operators, and what bob changes', async () => {
  const { url, member } = membersOf(`etcd://${etcd.endpoints}/ops/docker-tls?tls=off`);
  const [ada, bob] = [member('ada'), member('bob')];
  await as(ada, ['ca', 'create', '--no-ca-passphrase', '--yes']);
  expect((await as(ada, ['store', 'copy', '--to', url])).exit).toBe(0);
  renameSync(ada.home, `${ada.home}.before`);
  renameSync(`${ada.home}.team`, ada.home);
  expect((await as(ada, ['operator', 'add', 'bob', bob.recipient])).exit).toBe(0);
  expect((await as(bob, ['store', 'check', '--store', url])).exit).toBe(0);

  expect((await as(bob, ['client', 'add', 'carol', '--yes'])).exit).toBe(0);

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
