/** `status --watch` of a store in etcd: what other operators change. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliSetting, runCli } from '../../../support/cli.ts';
import { removeHomes } from '../../../support/store.ts';
import { type EtcdServers, startEtcd } from '../../team/support/etcd.ts';
import { type Member, membersOf } from '../../team/support/team.ts';
import { watching } from '../support/watching.ts';

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

test('is shown again when another operator changes the store', async () => {
  const { url, member } = membersOf(`etcd://${etcd.endpoints}/ops/docker-tls?tls=off`);
  const [ada, bob] = [member('ada'), member('bob')];
  expect((await as(ada, ['operator', 'add', 'ada', '--store', url])).exit).toBe(0);
  expect((await as(ada, ['ca', 'create', '--no-ca-passphrase', '--yes'])).exit).toBe(0);
  expect((await as(ada, ['operator', 'add', 'bob', bob.recipient])).exit).toBe(0);
  const look = watching([], (argv, setting) => as(ada, argv, setting));
  await look.until(/All is well/);
  expect((await as(bob, ['client', 'add', 'carol', '--yes', '--store', url])).exit).toBe(0);
  await look.until(/carol/);
  await look.stop();
});
