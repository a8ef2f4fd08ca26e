/** One golden --json document of each command of a team's store. UPDATE_GOLDEN=1 writes them. */

import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';
import { enrol, type Member, newTeam, type Team } from '../support/team.ts';

afterAll(removeHomes);

const directory = new URL('json/', import.meta.url);

type Run = (team: Team, ada: Member) => Promise<readonly string[]>;

/** The words of each command, on a store of ada and bob. */
const RUNS: Readonly<Record<string, Run>> = {
  log: async () => ['log'],
  'operator add': async (team) => ['operator', 'add', 'carol', team.member('carol').recipient, '--without-ca'],
  'operator list': async () => ['operator', 'list'],
  'operator remove': async () => ['operator', 'remove', 'bob', '--yes'],
  'store check': async () => ['store', 'check'],
  'store copy': async (_, ada) => ['store', 'copy', '--to', `${ada.home}-copy`],
  'store export': async () => ['store', 'export', '--out', 'store.tar.age'],
  'store refresh': async () => ['store', 'refresh', '--valid-for', '30'],
  'store restore': async () => ['store', 'restore', '--yes'],
};

test.each(Object.entries(RUNS))('%s', async (name, words) => {
  const team = newTeam();
  const ada = team.member('ada');
  await enrol(ada, team.member('bob'));
  const { HOME = '/' } = ada.env;
  const argv = [...(await words(team, ada)), '--json', '--store', team.url, '--home', ada.home];
  const made = await runCli(argv, { env: { HOME }, cwd: HOME, operator: 'ada@laptop' });
  expect(made.json.command).toBe(name);
  expectGolden(directory, made, {});
});
