/** How a change that cannot be kept goes back, while others hold the store. */

import { expect, test } from 'vitest';
import { planHost } from '../../src/domain/plan/plan.ts';
import { completeHost } from '../../src/domain/settings.ts';
import { transact } from '../../src/engine/steps/transact.ts';
import type { HostSession, Runtime } from '../../src/runtime.ts';
import { desired, FACTS_TIME_MS, factsOf, sent } from '../support/host-facts.ts';

/** A host that answers as its scripts do; `asked` is what it was asked for, in order. */
function hostThat(answers: Readonly<Record<string, string>>, requested: string[]): HostSession {
  return {
    host: 'h1',
    login: { destination: 'h1' },
    run: async ({ phase }: { phase: string }) => {
      requested.push(phase);
      return { stdout: Buffer.from(`@result ${answers[phase]}\n`), stderr: '', status: 0 };
    },
    close: async () => {},
  } as unknown as HostSession;
}

function change(
  answers: Readonly<Record<string, string>>,
  requested: string[],
  records: { save: string; unsave: string },
) {
  const facts = factsOf();
  const session = hostThat(answers, requested);
  const act = (what: string) => async () => {
    requested.push(what);
    if (what.startsWith('!')) throw new Error('the store is held');
  };
  return transact({
    plan: planHost(facts, desired),
    facts,
    credentials: sent,
    spec: completeHost({ name: 'h1', ssh: { destination: 'h1' } }),
    session,
    reach: {
      runtime: {
        now: () => new Date(FACTS_TIME_MS),
        signal: new AbortController().signal,
        operator: 'me',
        connect: async () => session,
      } as unknown as Runtime,
    },
    reason: 'test',
    progress: { phase() {}, done() {}, failed() {}, pause() {} },
    verify: async () => [],
    save: act(records.save),
    unsave: act(records.unsave),
  });
}

test('the host goes back before the store does, and also where the store cannot', async () => {
  const requested: string[] = [];
  const failed = await change({ apply: 'switched', undo: 'undone -' }, requested, {
    save: '!save',
    unsave: '!unsave',
  }).catch((error: unknown) => error);
  expect(requested).toEqual(['apply', '!save', 'undo', '!unsave']);
  expect(failed).toMatchObject({
    exit: 5,
    message: 'the store is held; the host is as it was before',
    details: ['the store still has the change: the store is held'],
  });
});

test('what the host has kept stays in the store', async () => {
  const requested: string[] = [];
  await change({ apply: 'switched', commit: 'odd', undo: 'committed' }, requested, {
    save: 'save',
    unsave: 'unsave',
  }).catch(() => undefined);
  expect(requested).toEqual(['apply', 'save', 'commit', 'undo']);
});

test('where the script on the host died, no hint says to take a rollback that has been taken', async () => {
  const failed = await change({ apply: '', undo: 'undone -' }, [], { save: 'save', unsave: 'unsave' }).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 'E_UNANSWERED', exit: 5, hints: ['run the same command again'] });
});
