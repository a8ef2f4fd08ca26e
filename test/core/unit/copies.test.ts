/** Recorded copies of a client's files in a build without code for them. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { COPIES } from '../../../src/core/seams/copies.ts';
import { runCli } from '../../support/cli.ts';
import { changeClient, issueStore } from '../../support/issued-store.ts';
import { newHome, removeHomes } from '../../support/store.ts';

const code = COPIES.all as (typeof COPIES.all)[number][];
const before = [...code];
beforeAll(() => {
  code.splice(0);
});
afterAll(() => {
  code.splice(0, code.length, ...before);
  removeHomes();
});

let home: string;
beforeEach(async () => {
  home = newHome();
  await issueStore(home, { hosts: {}, clients: { ci: undefined, ann: undefined } });
});
const rotate = () => runCli(['rotate', 'client', 'ann', 'ci', '--home', home, '--json']);

test('a renewal says which client has copies that are old now', async () => {
  const copies = [{ dockerConfig: '/home/ann/.docker', contexts: ['web'], directory: false }];
  await changeClient(home, 'ci', { copies });
  const { exit, json } = await rotate();
  expect(exit).toBe(4);
  expect(json.error).toMatchObject({ code: 'E_NO_FEATURE', where: 'ci' });
});

test('clients without copies are renewed as ever', async () => {
  await changeClient(home, 'ci', { copies: [] });
  expect((await rotate()).exit).toBe(0);
});
