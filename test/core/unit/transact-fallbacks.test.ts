/** End of a change after broken connections, the host's own rollback, or an interruption. */

import { expect, test } from 'vitest';
import { kindOf } from '../../../src/core/domain/plan/host-kind.ts';
import type { ProbeCheck } from '../../../src/core/domain/plan/outcome.ts';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { repairHints } from '../../../src/core/domain/plan/preflight.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { transact } from '../../../src/core/engine/steps/transact.ts';
import type { HostSession, Runtime, SshOptions } from '../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import { desired, FACTS_TIME_MS, factsOf, GOOD_FACTS, sent } from '../../support/host-facts.ts';
import { printFacts } from '../../support/sections.ts';

/** The host's outcome by phase; LOST: the connection breaks. */
type Answers = Readonly<Record<string, string>>;
const LOST = 'lost';
const plan = planHost(factsOf(), desired);
const lost = () => new DockerTlsError('E_SSH_LOST', 'the connection is gone');
const WITHIN = completeHost({ name: 'h1', ssh: { destination: 'h1' } }).confirmWithin;

type Setting = {
  /** Over the connection of the plan, then over each later one; none: it cannot be opened. */
  readonly answers: readonly (Answers | undefined)[];
  readonly verify?: (stop: AbortController) => readonly ProbeCheck[];
  /** The host's generation by its own records. */
  readonly generation?: number;
  /** When a person presses Ctrl-C. */
  readonly stopped?: 'before' | 'apply';
};

async function play({ answers, verify = () => [], generation, stopped }: Setting) {
  /** `CONNECTION PHASE`, and the store's final state. */
  const log: string[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const stop = new AbortController();
  if (stopped === 'before') stop.abort();
  const state = { schema: 1, name: 'h1', generation, generations: [], managed: [] };
  const facts = printFacts({
    ...GOOD_FACTS,
    ...(generation === undefined
      ? {}
      : { 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}` }),
  });
  const session = (number: number) =>
    ({
      host: 'h1',
      login: { destination: 'h1' },
      run: async ({ phase }: { phase: string }) => {
        if (phase === 'facts') return { stdout: facts, stderr: '', status: 0 };
        log.push(`${number} ${phase}`);
        if (phase === stopped) stop.abort();
        const answer = answers[number]?.[phase];
        if (answer === undefined || answer === LOST) throw lost();
        return { stdout: Buffer.from(`@result ${answer}\n`), stderr: '', status: 0 };
      },
      close: async () => void log.push(`${number} close`),
    }) as unknown as HostSession;
  let opened = 0;
  const runtime = {
    now: () => new Date(FACTS_TIME_MS),
    signal: stop.signal,
    operator: 'me',
    connect: async ({ signal }: SshOptions) => {
      opened += 1;
      signals.push(signal);
      if (answers[opened] === undefined) throw lost();
      return session(opened);
    },
  } as unknown as Runtime;
  const error = await transact({
    id: 'a1',
    plan,
    facts: factsOf(),
    credentials: sent,
    spec: completeHost({ name: 'h1', ssh: { destination: 'h1' } }),
    session: session(0),
    reach: { runtime },
    reason: 'test',
    progress: { phase() {}, done() {}, failed() {}, pause() {} },
    verify: async () => [...verify(stop)],
    save: async () => void log.push('save'),
    unsave: async () => void log.push('unsave'),
  }).then(
    () => undefined,
    (thrown: unknown) => thrown as DockerTlsError,
  );
  return { error, log, signals };
}

const rejected: ProbeCheck = { who: 'client ann', expected: 'accepted', ok: false, outcome: 'no', elapsedMs: 1 };
const apply = { apply: 'switched' };

test('a change is kept over the connection that was opened after it', async () => {
  const { error, log } = await play({ answers: [apply, { commit: 'committed' }] });
  expect([error, log]).toEqual([undefined, ['0 apply', 'save', '1 commit', '1 close']]);
});

test('a change that is not verified is not kept', async () => {
  const { error, log } = await play({ answers: [{ ...apply, undo: 'undone -' }, {}], verify: () => [rejected] });
  expect(error).toMatchObject({
    code: 'E_VERIFY',
    exit: 7,
    message: expect.toSay('back-previous-state'),
  });
  expect(log).toEqual(['0 apply', '0 undo', 'unsave', '1 close']);
});

test('the rollback goes over a new connection where the old one is gone', async () => {
  const { error, log } = await play({ answers: [apply, undefined, { undo: 'undone -' }] });
  expect(log).toEqual(['0 apply', '0 undo', '2 undo', '2 close', 'unsave']);
  expect(error).toMatchObject({
    code: 'E_SSH_LOST',
    exit: 5,
    message: expect.toSay('back-previous-state'),
  });
});

test('also when a person has interrupted: that connection is not interrupted', async () => {
  const verify = (stop: AbortController) => {
    stop.abort();
    return [];
  };
  const { error, log, signals } = await play({ answers: [apply, {}, { undo: 'undone -' }], verify });
  expect(error).toMatchObject({
    code: 'E_INTERRUPTED',
    exit: 130,
    message: expect.toSay('back-previous-state'),
  });
  expect(log).not.toContain('save');
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
});

test('a run that is interrupted before the change begins changes nothing', async () => {
  const { error, log } = await play({ answers: [{ ...apply, undo: 'nothing' }], stopped: 'before' });
  expect([error?.exit, log]).toEqual([130, ['0 undo', 'unsave']]);
});

test('one that is interrupted while the change begins is not verified any further, and rolled back', async () => {
  let verified = false;
  const verify = () => {
    verified = true;
    return [];
  };
  const { error, log } = await play({ answers: [{ ...apply, undo: 'undone -' }], stopped: 'apply', verify });
  expect([error?.exit, verified, log]).toEqual([130, false, ['0 apply', '0 undo', 'unsave']]);
});

test('a host that cannot be reached goes back on its own, which is said', async () => {
  const { error } = await play({ answers: [apply] });
  expect(error?.message).toSay('host-cannot-reached-rolls', WITHIN);
  expect(error?.exit).toBe(5);
});

test('once it was told to keep the change it may have kept it, which is said as well', async () => {
  const { error, log } = await play({ answers: [apply, { commit: LOST }] });
  expect(error?.message).toSay('cannot-reached-kept-change');
  expect(log).toContain('save');
  const unclear = await play({ answers: [{ ...apply, undo: 'nothing' }, { commit: LOST }] });
  expect(unclear.error?.message).toSay('host-may-kept-change');
  expect(unclear.error?.hints).toEqual([expect.toSay('same-command-again')]);
});

test('a rollback that fails is graver than what led to it', async () => {
  const { error } = await play({ answers: [{ ...apply, undo: 'stuck - - -' }, {}], verify: () => [rejected] });
  expect(error).toMatchObject({
    code: 'E_ROLLBACK',
    exit: 6,
    hints: expect.arrayContaining([expect.stringContaining('rollback.sh')]),
  });
});

test('a verification that came too late met the old state', async () => {
  const { error } = await play({ answers: [{ ...apply, undo: 'nothing' }, {}], verify: () => [rejected] });
  expect(error).toMatchObject({ code: 'E_NOT_CONFIRMED', exit: 5 });
});

test('a host that had gone back when it was told to keep the change has nothing to roll back, and the store follows', async () => {
  const { error, log } = await play({ answers: [apply, { commit: 'nothing' }] });
  expect(error).toMatchObject({ code: 'E_NOT_CONFIRMED', exit: 5 });
  expect(log).toEqual(['0 apply', 'save', '1 commit', 'unsave', '1 close']);
});

test.each([
  ['it has kept the change', plan.generation as number, undefined],
  ['it has gone back', undefined, 'E_NOT_CONFIRMED'],
])('where the connection broke while it was told, its own records say that %s', async (_, generation, code) => {
  const { error, log } = await play({
    answers: [apply, { commit: LOST }, { commit: 'nothing' }],
    ...(generation === undefined ? {} : { generation }),
  });
  expect(error?.code).toBe(code);
  expect(log.includes('unsave')).toBe(code !== undefined);
});

test.each([
  ['E_HOST_LOCKED', 'locked - -'],
  ['E_HOST_CHANGED', `changed ${Buffer.from('/x').toString('base64')}`],
  ['E_STALE_CHANGE', 'again'],
  ['E_APPLY', 'rolled-back switch - - -'],
])('a host that says %s has ended the change itself', async (code, answer) => {
  const { error, log } = await play({ answers: [{ apply: answer }] });
  expect([error?.code, log]).toEqual([code, ['0 apply']]);
});

test.each([
  [
    'containers stopped that ran before: web (exit 137)',
    'E_CONTAINERS_STOPPED',
    expect.toSay('containers-stopped-exit-host', 'web', '137'),
  ],
  ['live-restore is on', 'E_NOT_CONFIRMED', expect.toSay('host-could-not-keep')],
])('a change that the host cannot keep, %j, is not a matter of time', async (why, code, message) => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const { error, log } = await play({
    answers: [{ ...apply, undo: `undone ${base64('x')}` }, { commit: `uncommitted ${base64(why)}` }],
  });
  expect(error).toMatchObject({ code, exit: 5, message });
  expect(error?.hints.join()).not.toContain('--confirm-within');
  expect(error?.hints.join()).toContain('journalctl');
  expect(log).toContain('0 undo');
});

test('a connection that is lost before the change may have begun leaves open whether it had', async () => {
  const { error } = await play({ answers: [{ apply: LOST, undo: 'nothing' }] });
  expect(error?.message).toSay('host-no-such-change');
});

test('what to do after a rollback that failed', () => {
  const hints = repairHints({ destination: 'h1' }, kindOf({})).join('\n');
  expect(hints).toContain('daemon.json');
  expect(hints).toSay('see-what-failed-docker-tls');
  expect(hints).not.toContain('usually');
});
