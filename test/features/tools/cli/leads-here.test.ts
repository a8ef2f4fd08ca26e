/** Other commands that name `schedule`. */

import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('renew leads to what renews without a person', async () => {
  const home = newHome();
  await issueStore(home, { hosts: { 'build-1': {} }, clients: { laptop: undefined } });
  const { exit, out } = await runCli(['renew', '--home', home, '--json'], { env: { HOME: home } });
  expect([exit, JSON.parse(out).error.hints.at(-1)]).toEqual([2, expect.stringMatching(/^docker-tls .*schedule$/)]);
});
