/** How a change that cannot be kept goes back, while others hold the store. */

import { expect, test } from 'vitest';
import { completeHost } from '../../src/config/spec.ts';
import { planHost } from '../../src/plan/plan.ts';
import type { HostSession, Runtime } from '../../src/runtime.ts';
import { changeHost } from '../../src/workflows/change-host.ts';
import { desired, FACTS_TIME_MS, factsOf } from '../support/host-facts.ts';

/** A host that answers as its scripts do; `asked` is what it was asked for, in order. */
function hostThat(answers: Readonly<Record<string, string>>, asked: string[]): HostSession {
  return {
    host: 'h1',
    login: { destination: 'h1' },
    run: async ({ phase }: { phase: string }) => {
      asked.push(phase);
      return { stdout: Buffer.from(`@result ${answers[phase]}\n`), stderr: '', status: 0 };
    },
    close: async () => {},
  } as unknown as HostSession;
}

function change(answers: Readonly<Record<string, string>>, asked: string[], books: { save: string; unsave: string }) {
  const facts = factsOf();
  const session = hostThat(answers, asked);
  const act = (what: string) => async () => {
    asked.push(what);
    if (what.startsWith('!')) throw new Error('the store is held');
  };
  return changeHost({
    plan: planHost(facts, desired),
    facts,
    papers: desired.papers,
    spec: completeHost({ name: 'h1', ssh: { destination: 'h1' } }),
    session,
    context: {
      runtime: {
        now: () => new Date(FACTS_TIME_MS),
        signal: new AbortController().signal,
        operator: 'me',
        connect: async () => session,
      } as unknown as Runtime,
      reason: 'test',
    },
    progress: { phase() {}, done() {}, failed() {} },
    prove: async () => [],
    save: act(books.save),
    unsave: act(books.unsave),
  });
}

test('the host goes back before the store does, and also where the store cannot', async () => {
  const asked: string[] = [];
  const failed = await change({ apply: 'switched', undo: 'undone' }, asked, { save: '!save', unsave: '!unsave' }).catch(
    (error: unknown) => error,
  );
  expect(asked).toEqual(['apply', '!save', 'undo', '!unsave']);
  expect(failed).toMatchObject({
    exit: 5,
    message: 'the store is held; the host is as it was before',
    details: ['the store still has the change: the store is held'],
  });
});

test('what the host has kept stays in the store', async () => {
  const asked: string[] = [];
  await change({ apply: 'switched', commit: 'odd', undo: 'committed' }, asked, {
    save: 'save',
    unsave: 'unsave',
  }).catch(() => undefined);
  expect(asked).toEqual(['apply', 'save', 'commit', 'undo']);
});

test('where the script on the host died, nobody is told to take a way back that has been taken', async () => {
  const failed = await change({ apply: '', undo: 'undone' }, [], { save: 'save', unsave: 'unsave' }).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 'E_UNANSWERED', exit: 5, hints: ['run the same command again'] });
});
