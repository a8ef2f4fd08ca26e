/** Clients of others in a CA rotation: their requests, and copies of their files. No host answers. */

import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { isFrom } from '../../../../src/core/domain/pki/inspect.ts';
import '../../../../src/features/bundles/feature.ts';
import { runCli, runUnreached } from '../../../support/cli.ts';
import { type IssuedOptions, issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { tell, trustingHosts } from '../../../support/told-hosts.ts';

let home: string;
let directory: string;
let dialled: string[];

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
  dialled = [];
});
afterAll(removeHomes);

const at = (place: string, ...argv: string[]) =>
  runUnreached({ home: place, directory }, argv, (host) => dialled.push(host));
const run = (...argv: string[]) => at(home, ...argv);
const state = () => openStore(home).read();
const two: IssuedOptions = { hosts: { 'build-1': {}, 'build-2': {} } };
const listed = { ...two, clients: { laptop: undefined, ci: ['build-2'] } };

test("a colleague's renewal in the middle of a rotation goes on getting in where only the old CA is known", async () => {
  await issueStore(home, listed);
  await at(newHome(), 'client', 'request', 'ann', '--out', join(directory, 'ann.csr'));
  await run('client', 'sign', 'ann.csr', '--out', 'ann.tar');
  await tell(home, 'build-1', 'build-2');
  await run('rotate', 'ca', '--yes');
  const { exit, json } = await run('client', 'sign', 'ann.csr', '--out', 'ann-2.tar');
  expect([exit, json.result.oldCa]).toEqual([0, true]);
  expect(await trustingHosts(home, 'ann')).toEqual(['build-1', 'build-2']);
});

test("a colleague's first renewal after stage 1 is of the new CA, also where hosts list clients one by one", async () => {
  await issueStore(home, listed);
  await at(newHome(), 'client', 'request', 'ann', '--out', join(directory, 'ann.csr'));
  await run('client', 'sign', 'ann.csr', '--out', 'ann.tar');
  await tell(home, 'build-1', 'build-2');
  await run('rotate', 'ca', '--yes');
  await tell(home, 'build-1', 'build-2');
  const { json } = await run('client', 'sign', 'ann.csr', '--out', 'ann-2.tar');
  expect(json.result.oldCa).toBeUndefined();
  const { clients, ca } = await state();
  expect(isFrom(clients.get('ann')?.cert ?? '', ca?.cert ?? '', 'client', new Date())).toBe(true);
  expect(await trustingHosts(home, 'ann')).toEqual(['build-1', 'build-2']);
});

test('copies outside the store that the new CA leaves behind are named, with what renews each', async () => {
  await run('ca', 'create', '--no-ca-passphrase');
  await run('client', 'add', 'ci');
  expect((await run('client', 'export', 'ci', '--out', 'ci.tar')).exit).toBe(0);
  const file = join(directory, 'ci.tar');
  const outdated = [
    {
      client: 'ci',
      what: expect.stringContaining(file),
      renew: expect.stringMatching(/^docker-tls client export ci /),
    },
  ];
  const rotated = await run('rotate', 'ca', '--yes', '--no-ca-passphrase');
  expect(rotated.json.result).toMatchObject({ outdated });
  expect((await run('rotate', 'ca', '--drop', '--dry-run')).json.result).toMatchObject({ outdated });
  expect((await run('client', 'export', 'ci', '--out', 'ci.tar', '--replace')).exit).toBe(0);
  expect((await run('rotate', 'ca', '--drop', '--yes')).json.result).toMatchObject({ outdated: [] });
});

test('a drop that leaves copies with the old CA behind names them with --quiet too', async () => {
  await run('ca', 'create', '--no-ca-passphrase');
  await run('client', 'add', 'ci');
  await run('client', 'export', 'ci', '--out', 'ci.tar');
  await run('rotate', 'ca', '--yes', '--no-ca-passphrase');
  const { exit, out } = await runCli(['rotate', 'ca', '--drop', '--yes', '-q', '--home', home], {
    env: { HOME: home },
  });
  expect(exit).toBe(0);
  expect(out).toSay('copies-still-hold-old');
  expect(out).toContain(join(directory, 'ci.tar'));
  expect(out).not.toContain('no longer accepted');
});
