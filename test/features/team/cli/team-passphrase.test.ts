/** `ca passphrase` in a shared store: one commit, for every operator who can open the CA. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { offeredCommands } from '../../../../src/core/seams/offered-commands.ts';
import { runCli } from '../../../support/cli.ts';
import { removeHomes } from '../../../support/store.ts';
import { type Member, newTeam } from '../support/team.ts';

afterAll(removeHomes);

const as = (who: Member, words: string, ...argv: string[]) => shown(who, words, ...argv, '--json');

/** The commands that every removal of an operator with the CA names, the first first. */
const NEXT = ['ca passphrase', ...offeredCommands('new CA').map((one) => one.replace('docker-tls ', ''))];

function shown({ env, home, name }: Member, words: string, ...argv: string[]) {
  return runCli([...argv, '--home', home], {
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
  expect(log.json.result.entries[1].lines).toEqual([expect.toSay('another-passphrase', 'docker-tls')]);

  // The operator who left knew the old one: the first of the next commands is another. The client of the same name is revoked already.
  await done(ada, fresh, 'client', 'add', 'bob', '--yes');
  const remove = ['operator', 'remove', 'bob'];
  const nextOf = ({ out }: { out: string }) => out.match(/(ca passphrase|rotate ca|client revoke bob)$/gm);
  expect(nextOf(await shown(ada, fresh, ...remove, '--dry-run'))).toEqual([...NEXT, 'client revoke bob']);
  await done(ada, fresh, 'client', 'revoke', 'bob', '--yes');
  expect(nextOf(await shown(ada, fresh, ...remove, '--dry-run'))).toEqual(NEXT);
  const result = { removed: 'bob', left: ['ada', 'carol'], rotate: ['ca'], passphrase: true };
  const planned = await as(ada, fresh, ...remove, '--dry-run');
  expect(planned.json.result).toEqual({ ...result, dryRun: true });
  expect(nextOf(await shown(ada, fresh, ...remove, '--yes'))).toEqual(NEXT);
  // An operator without the CA knows no passphrase of its keys. The last who can open it stays, and a dry run says so too.
  const looker = await as(ada, fresh, 'operator', 'remove', 'carol', '--yes');
  expect(looker.json.result).toEqual({ removed: 'carol', left: ['ada'], rotate: [], passphrase: false });
  const last = await as(ada, fresh, 'operator', 'remove', 'ada', '--dry-run');
  expect(last.json.error?.code).toBe('E_OPERATOR');
});
