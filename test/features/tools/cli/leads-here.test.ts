/** Who names `schedule`, and with which words. */

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

test('what would be written is printed, and how to write it with the words of the call is not in it', async () => {
  const home = newHome();
  const { out, err } = await runCli(['schedule', '--home', home, '--on-failure', 'mail me'], { env: { HOME: home } });
  expect(out).not.toContain('--install');
  expect(err).toContain(`docker-tls --home ${home} schedule --on-failure 'mail me' --install\n`);
});
