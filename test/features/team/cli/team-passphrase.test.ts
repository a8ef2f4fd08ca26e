/** `ca passphrase` in a shared store: one commit, for every operator who can open the CA. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { removeHomes } from '../../../support/store.ts';
import { type Member, newTeam } from '../support/team.ts';

afterAll(removeHomes);

function as({ env, home, name }: Member, words: string, ...argv: string[]) {
  return runCli([...argv, '--home', home, '--json'], {
    env: { HOME: env.HOME, DOCKER_TLS_CA_PASSPHRASE: words },
    cwd: env.HOME ?? '/',
    operator: `${name}@laptop`,
  });
}

test('each operator issues with the new one, and who cannot open the CA changes nothing', async () => {
  const { url, member } = newTeam();
  const [ada, bob, carol] = [member('ada'), member('bob'), member('carol')];
  const [old, fresh] = ['correct horse', 'battery staple'];
  const done = async (who: Member, words: string, ...argv: string[]) =>
    expect(await as(who, words, ...argv), argv.join(' ')).toMatchObject({ exit: 0 });
  await done(ada, old, 'operator', 'add', 'ada', '--store', url);
  await done(ada, old, 'ca', 'create');
  await done(ada, old, 'client', 'add', 'carol', '--yes');
  await done(ada, old, 'operator', 'add', 'bob', bob.recipient);
  await done(ada, old, 'operator', 'add', 'carol', carol.recipient, '--without-ca', '--client', 'carol');

  for (const one of [ada, carol]) writeFileSync(join(one.env.HOME ?? '', 'new'), `${fresh}\n`, { mode: 0o600 });
  const change = ['ca', 'passphrase', '--new-passphrase-file', 'new'];
  const refused = await as(carol, old, ...change, '--store', url);
  expect(refused.json.error?.code).toBe('E_STORE_READ_ONLY');
  await done(ada, old, ...change);
  const { json } = await as(bob, old, 'client', 'add', 'ci', '--yes', '--store', url);
  expect(json.error?.code).toBe('E_KEY_PASSPHRASE');
  await done(bob, fresh, 'client', 'add', 'ci', '--yes', '--store', url);

  const log = await as(ada, fresh, 'log');
  expect(log.json.result.entries[1].lines).toEqual([expect.stringContaining('CA docker-tls')]);
  // The operator who left knew the old one: the first of the next commands is another.
  const removed = await as(ada, fresh, 'operator', 'remove', 'bob', '--yes');
  expect(removed.json.result).toMatchObject({ removed: 'bob', rotate: ['ca'] });
}, 60_000);
