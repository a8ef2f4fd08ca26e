/** Changes by other runs to the store, or to a host, between a run's plan and its writes. */

import { afterAll, expect, test } from 'vitest';
import type { ActionContext } from '../../../src/core/actions/action-context.ts';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import { addClients } from '../../../src/core/commands/client-add.ts';
import { rollBack } from '../../../src/core/commands/rollback.ts';
import { isFrom } from '../../../src/core/domain/pki/inspect.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { Planned } from '../../../src/core/engine/intent.ts';
import type { Probe } from '../../../src/core/runtime.ts';
import { interrupted } from '../../../src/errors/errors.ts';
import { answeringHosts } from '../../support/answering-hosts.ts';
import { issueStore } from '../../support/issued-store.ts';
import { newHome, removeHomes } from '../../support/store.ts';

afterAll(removeHomes);
const now = new Date();

/** A first run of `client add ann`; another run makes the CA while this one waits for its passphrase. */
async function secondFirstRun(asks: boolean, signal = new AbortController().signal) {
  const home = newHome();
  const store = openStore(home);
  const context = {
    global: { home, yes: !asks, dryRun: false },
    runtime: { env: {}, cwd: home, now: () => now, signal },
    progress: {
      host: () => ({ phase() {}, done() {}, failed() {}, pause() {} }),
      note() {},
      print() {},
      askedMs: () => 0,
      changes() {},
    },
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
  expect(error).toMatchObject({ code: 'E_STORE_CHANGED', exit: 4 });
  expect([state.ca?.record.name, [...state.clients.keys()]]).toEqual(['test', ['bob']]);
});

test('a run that is stopped before its consent, which --yes gives at once, asks for no passphrase and makes nothing', async () => {
  const { error, state } = await secondFirstRun(false, AbortSignal.abort(interrupted('stopped by Ctrl-C')));
  expect(error).toMatchObject({ code: 'E_INTERRUPTED', exit: 130 });
  expect([state.ca, state.clients.size]).toEqual([undefined, 0]);
});

test('without a yes nothing changes; a host that changed since its plan was shown is shown, and asked about, again', async () => {
  const home = newHome();
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
  const { hosts, clients } = await openStore(home).read();
  const chain = hosts.get('h1')?.serverCert ?? '';
  const probe: Probe = async ({ credentials, maxVersion }) =>
    credentials?.cert === clients.get('laptop')?.cert && maxVersion === undefined
      ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
      : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
  const facts: Record<string, string> = {};
  const changed: string[] = [];
  const seen: string[] = [];
  const answers = ['enter'];
  const context = {
    global: { home, yes: false, dryRun: false },
    runtime: {
      ...{ env: {}, cwd: home, now: () => now, signal: new AbortController().signal, operator: 'me', probe },
      connect: answeringHosts({ home, now, facts, onChange: (phase) => changed.push(phase) }),
    },
    progress: {
      host: () => ({ phase() {}, done() {}, failed() {}, pause() {} }),
      note() {},
      print() {},
      askedMs: () => 0,
      changes() {},
    },
    prompts: {
      interactive: true,
      show: async (text: string) => seen.push(text.trim()),
      // Enter alone means no.
      confirm: async (question: { default?: boolean }) => {
        seen.push('asked');
        const answer = answers.shift();
        if (answer === 'enter') return question.default;
        // Another administrator makes the same change by hand while the question waits.
        facts['file:/etc/docker/tls/current'] = 'link 777 0:0\n1';
        return true;
      },
    },
    renderPlanned: async ({ hosts: [one] }: Planned) =>
      `${one?.kind === 'done' ? one.value.plan.files.length : 'no'} files`,
  } as unknown as ActionContext;
  const back = () => rollBack(context, ['h1'], { to: 1, allowRevoked: false });
  await expect(back()).rejects.toMatchObject({
    code: 'E_DECLINED',
    exit: 130,
    message: expect.stringContaining('on a host'),
  });
  expect([seen.splice(0), changed]).toEqual([['1 files', 'asked'], []]);
  const { results } = await back();
  expect(results.map(({ kind }) => kind)).toEqual(['done']);
  expect([seen, changed]).toEqual([['1 files', 'asked', '0 files', 'asked'], []]);
});

test('a change that was never confirmed is rolled back first, also where nothing else is to be done', async () => {
  const home = newHome();
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
  const { hosts, clients } = await openStore(home).read();
  const chain = hosts.get('h1')?.serverCert ?? '';
  const probe: Probe = async ({ credentials, maxVersion }) =>
    credentials?.cert === clients.get('laptop')?.cert && maxVersion === undefined
      ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
      : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
  const facts: Record<string, string> = { transaction: 'abc', 'file:/etc/docker/tls/current': 'link 777 0:0\n1' };
  const changed: string[] = [];
  const onChange = (phase: string): void => {
    changed.push(phase);
    if (phase === 'hold') delete facts.transaction;
  };
  const context = {
    global: { home, yes: true, dryRun: false },
    runtime: {
      ...{ env: {}, cwd: home, now: () => now, signal: new AbortController().signal, operator: 'me', probe },
      connect: answeringHosts({ home, now, facts, onChange, answers: { hold: 'again', undo: 'nothing' } }),
    },
    progress: {
      host: () => ({ phase() {}, done() {}, failed() {}, pause() {} }),
      note() {},
      print() {},
      askedMs: () => 0,
      changes() {},
    },
    prompts: { interactive: false, show: async () => {}, confirm: async () => true },
    renderPlanned: async () => '',
  } as unknown as ActionContext;
  const { results } = await rollBack(context, ['h1'], { to: 1, allowRevoked: false });
  expect(results).toMatchObject([{ kind: 'done', value: { changed: false, plan: { warnings: [] } } }]);
  expect(changed).toEqual(['hold', 'undo']);
});

test.each([['h1'], ['h1', 'h2']])('hosts whose plan fails are closed: %s %s', async (...names) => {
  const home = newHome();
  await issueStore(home, { now, hosts: { h1: {}, h2: {} }, clients: { laptop: undefined } });
  const connect = answeringHosts({ home, now });
  const closed: string[] = [];
  const context = {
    global: { home, yes: true, dryRun: false },
    runtime: {
      ...{ env: {}, cwd: home, now: () => now, signal: new AbortController().signal },
      connect: async (at: { host: string }) => ({
        ...(await connect(at)),
        close: async () => void closed.push(at.host),
      }),
    },
    progress: {
      host: () => ({ phase() {}, done() {}, failed() {}, pause() {} }),
      note() {},
      print() {},
      askedMs: () => 0,
      changes() {},
    },
    prompts: { interactive: false, confirm: async () => true },
  } as unknown as ActionContext;
  const { results } = await rollBack(context, names, { to: 9, allowRevoked: false } as Parameters<typeof rollBack>[2]);
  expect(results.flatMap((one) => (one.kind === 'failed' ? one.errors : []))).toEqual(
    names.map((where) => expect.objectContaining({ code: 'E_NO_GENERATION', where })),
  );
  expect(closed.toSorted()).toEqual(names);
});
