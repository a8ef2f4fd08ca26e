/** What a request is signed for. No host answers, so remaining work shows. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { runUnreached } from '../../../support/cli.ts';
import { type IssuedOptions, issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

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
const two: IssuedOptions = { hosts: { 'build-1': {}, 'build-2': {} } };

test('no credentials are written as long as a host would take them that must not', async () => {
  await issueStore(home, { ...two, clients: { laptop: undefined } });
  await at(newHome(), 'client', 'request', 'ann', '--out', join(directory, 'ann.csr'));
  const { exit, json } = await run('client', 'sign', 'ann.csr', '--hosts', 'build-1', '--out', 'ann.tar', '--yes');
  expect([exit, json.error?.code, json.error?.where]).toEqual([4, 'E_SSH_TIMEOUT', 'build-2']);
  expect(existsSync(join(directory, 'ann.tar'))).toBe(false);
  expect(dialled).toHaveLength(1);
  const everywhere = await run('client', 'sign', 'ann.csr', '--name', 'bea', '--out', 'bea.tar');
  expect([everywhere.exit, everywhere.json.result.hosts]).toEqual([0, ['build-1', 'build-2']]);
});
