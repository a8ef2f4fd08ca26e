/** What others do to the store between the plan of a run and its writes. */

import { afterAll, expect, test } from 'vitest';
import type { ActionContext } from '../../src/actions/action-context.ts';
import { addClients } from '../../src/actions/client-access.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import { Secret } from '../../src/domain/secret.ts';
import { isFrom } from '../../src/domain/trust/trust.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

afterAll(removeHomes);
const now = new Date();

/** A first run of `client add ann`; another one makes the CA while this one waits for its passphrase. */
async function secondFirstRun(asks: boolean) {
  const home = newHome();
  const store = openStore(home);
  const context = {
    global: { home, yes: !asks, dryRun: false },
    runtime: { env: {}, cwd: home, now: () => now, signal: new AbortController().signal },
    progress: { host: () => ({ phase() {}, done() {}, failed() {}, pause() {} }), note() {}, askedMs: () => 0 },
    prompts: {
      interactive: true,
      show: async () => {},
      confirm: async () => true,
      password: async () => {
        await issueStore(home, { now, clients: { bob: undefined } });
        return new Secret('none');
      },
    },
    renderPlanned: async () => '',
  } as unknown as ActionContext;
  const options = { hosts: [], days: 90, keyType: undefined, rejectOtherClients: false, caName: 'second' };
  const error = await addClients(context, ['ann'], options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, state: await store.read() };
}

test('a second first run issues from the CA that the first has made', async () => {
  const { error, state } = await secondFirstRun(false);
  expect([error, state.ca?.record.name, state.oldCas.length]).toEqual([undefined, 'test', 0]);
  for (const name of ['ann', 'bob'])
    expect(isFrom(state.clients.get(name)?.cert ?? '', state.ca?.cert ?? '', 'client', now)).toBe(true);
});

test('or, where a person agreed to a plan with a new CA, does nothing', async () => {
  const { error, state } = await secondFirstRun(true);
  expect(error).toMatchObject({ code: 'E_STORE_CHANGED', exit: 5 });
  expect([state.ca?.record.name, [...state.clients.keys()]]).toEqual(['test', ['bob']]);
});
