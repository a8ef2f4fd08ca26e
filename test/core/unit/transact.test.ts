/** Rollback of a change that cannot be kept, while other runs hold the store. */

import { describe, expect, test } from 'vitest';
import type { HostFacts } from '../../../src/core/domain/plan/facts.ts';
import type { FileChange } from '../../../src/core/domain/plan/file-change.ts';
import type { ProbeCheck } from '../../../src/core/domain/plan/outcome.ts';
import { type HostPlan, planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { transact } from '../../../src/core/engine/steps/transact.ts';
import type { HostSession, Runtime } from '../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import { desired, FACTS_TIME_MS, factsOf, sent } from '../../support/host-facts.ts';

/** A host that answers as its scripts do; `requested` collects the requests in order. */
function hostThat(answers: Readonly<Record<string, string>>, requested: string[]): HostSession {
  return {
    host: 'h1',
    login: { destination: 'h1' },
    run: async ({ phase }: { phase: string }) => {
      requested.push(phase);
      if (answers[phase] === 'lost') throw new Error('the connection is lost');
      return { stdout: Buffer.from(`@result ${answers[phase]}\n`), stderr: '', status: 0 };
    },
    close: async () => {},
  } as unknown as HostSession;
}

function change(
  answers: Readonly<Record<string, string>>,
  requested: string[],
  records: { save: string; unsave: string },
  /** The phase that a person interrupts. */
  interrupted = '',
  /** Number of new connections that sshd refuses. */
  refused = 0,
  /** Error of new connections. */
  elsewhere?: DockerTlsError,
) {
  const facts = factsOf();
  const session = hostThat(answers, requested);
  const stop = new AbortController();
  const act = (what: string) => async (): Promise<undefined> => {
    requested.push(what);
    if (what === interrupted) stop.abort();
    if (what === '!locked') throw new DockerTlsError('E_STORE_LOCKED', 'another run holds the store');
    if (what.startsWith('!')) throw new Error('the store is held');
  };
  return transact({
    id: 'a1',
    plan: planHost(facts, desired),
    facts,
    credentials: sent,
    spec: completeHost({ name: 'h1', ssh: { destination: 'h1' } }),
    session,
    reach: {
      runtime: {
        now: () => new Date(FACTS_TIME_MS),
        signal: stop.signal,
        operator: 'me',
        connect: async ({ signal }: { signal?: AbortSignal }) => {
          if (refused > 0) {
            refused -= 1;
            throw new DockerTlsError('E_SSH_REFUSED', 'nothing listens on h1:22');
          }
          if (elsewhere !== undefined) throw elsewhere;
          if (requested.includes('undo')) requested.push(signal?.aborted ? 'connect in vain' : 'connect');
          return session;
        },
      } as unknown as Runtime,
    },
    reason: 'test',
    progress: { phase() {}, done() {}, failed() {}, pause() {} },
    verify: async () => {
      if (interrupted === 'verify') stop.abort();
      return [];
    },
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
    message: expect.toSay('store-held-host-back'),
    details: [expect.toSay('store-still-change-store')],
  });
});

test('what ends a change that had begun ends the run with 5, whatever its own status is', async () => {
  const answers = { apply: 'switched', undo: 'undone -' };
  const failed = await change(answers, [], { save: '!locked', unsave: 'unsave' }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'E_STORE_LOCKED', exit: 5 });
});

test.each([
  ['verify', ['apply', 'undo', 'unsave']],
  ['save', ['apply', 'save', 'undo', 'unsave']],
])('Ctrl-C before the host is asked to keep the change, in %s: all goes back', async (interrupted, order) => {
  const requested: string[] = [];
  const answers = { apply: 'switched', commit: 'committed', undo: 'undone -' };
  const failed = await change(answers, requested, { save: 'save', unsave: 'unsave' }, interrupted).catch(
    (error: unknown) => error,
  );
  expect(requested).toEqual(order);
  expect(failed).toMatchObject({ exit: 130, message: expect.toSay('interrupted-host-back-previous') });
});

test('after Ctrl-C the host is reached anew where the connection is lost: what was interrupted does not end that', async () => {
  const requested: string[] = [];
  const answers = { apply: 'switched', undo: 'lost' };
  const failed = await change(answers, requested, { save: 'save', unsave: 'unsave' }, 'save').catch(
    (error: unknown) => error,
  );
  expect(requested.slice(-4)).toEqual(['undo', 'connect', 'undo', 'unsave']);
  expect(failed).toMatchObject({ exit: 130, message: expect.toSay('rolls-back-itself-within', '90') });
});

test.each([
  ['undone -', expect.toSay('another-host-answers-host')],
  ['lost', expect.toSay('another-host-answers-host-cannot', '90')],
])('a host that another one answers for is not confirmed: the first one (%s) goes back', async (undo, message) => {
  const requested: string[] = [];
  const other = new DockerTlsError('E_SSH_OTHER_HOST', 'another host answers');
  const records = { save: 'save', unsave: 'unsave' };
  const failed = await change({ apply: 'switched', undo }, requested, records, '', 0, other).catch(
    (error: unknown) => error,
  );
  expect(requested).toEqual(['apply', 'undo', 'unsave']);
  expect(failed).toMatchObject({ code: 'E_SSH_OTHER_HOST', exit: 5, message });
});

test('what the host has kept stays in the store', async () => {
  const requested: string[] = [];
  await change({ apply: 'switched', commit: 'odd', undo: 'committed' }, requested, {
    save: 'save',
    unsave: 'unsave',
  }).catch(() => undefined);
  expect(requested).toEqual(['apply', 'save', 'commit', 'undo']);
});

/** Texts travel as base64. */
const sentText = (text: string) => Buffer.from(text).toString('base64');

test.each([
  ['the lock of another run', `locked ${sentText('who=other')} ${sentText('0')}`, 'E_HOST_LOCKED'],
  ['a change since the plan', `changed ${sentText('/x')}`, 'E_HOST_CHANGED'],
  ['an earlier change that went back', 'again', 'E_STALE_CHANGE'],
  ['an earlier change that is stuck', 'blocked', 'E_ROLLBACK'],
  ['a step that failed before anything was changed', `failed ${sentText('keep')} ${sentText('why')}`, 'E_APPLY'],
])(
  'where the host ended it itself, by %s, nothing is taken back: it may be the change of another run',
  async (_by, apply, code) => {
    const requested: string[] = [];
    const failed = await change({ apply, undo: 'undone -' }, requested, { save: 'save', unsave: 'unsave' }).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code });
    expect(requested).toEqual(['apply']);
  },
);

test('where the script on the host died, no hint says to take a rollback that has been taken', async () => {
  const failed = await change({ apply: '', undo: 'undone -' }, [], { save: 'save', unsave: 'unsave' }).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 'E_UNANSWERED', exit: 5, hints: [expect.toSay('run-same-command-again')] });
});

describe('the connection that a change is confirmed over', () => {
  /** Order of events; the host answers its steps one by one, and each connection has a name. */
  async function run(
    plan: Partial<HostPlan>,
    {
      result = 'switched',
      early = 'answers',
      stopped = false,
      docker = {} as Partial<HostFacts['docker']>,
      held = true,
      verify = async (_order: string[]): Promise<ProbeCheck[]> => [],
    } = {},
  ) {
    const order: string[] = [];
    const stop = new AbortController();
    const session = hostThat({ commit: 'committed', undo: 'undone -' }, order);
    const facts = factsOf();
    const apply = async ({ phase, onLine }: { phase: string; onLine?: (line: string) => void }) => {
      for (const step of ['switch', 'restart']) onLine?.(`@ ${step}`);
      if (held) onLine?.('@open');
      order.push(`${phase} ends`);
      if (stopped) stop.abort();
      return { stdout: Buffer.from(`@result ${result}\n`), stderr: '', status: 0 };
    };
    const planned = planHost(facts, desired);
    const outcome = transact({
      id: 'a1',
      plan: { ...planned, ...plan },
      facts: { ...facts, docker: { ...facts.docker, ...docker } },
      credentials: sent,
      spec: completeHost({ name: 'h1', ssh: { destination: 'h1' } }),
      session: { ...session, run: apply } as unknown as HostSession,
      reach: {
        runtime: {
          now: () => new Date(FACTS_TIME_MS),
          signal: stop.signal,
          operator: 'me',
          connect: async () => {
            order.push('connect');
            if (early === 'refused' && order.length === 1) throw new Error('refused');
            return { ...session, close: async () => void order.push('close') };
          },
        } as unknown as Runtime,
      },
      reason: 'test',
      progress: { phase() {}, done() {}, failed() {}, pause() {} },
      verify: () => verify(order),
      save: async () => {},
      unsave: async () => {},
    });
    await outcome.catch((error: unknown) => order.push((error as { code: string }).code));
    return order;
  }

  test.each([
    ['once the daemon starts, where systemd holds the port', 'systemd', true],
    ['while the daemon restarts, where nothing says when it starts', 'firewall', false],
  ] as const)('is opened %s', async (_when, listening, held) => {
    expect(await run({ listening }, { held })).toEqual(['connect', 'apply ends', 'commit', 'close']);
    expect((await run({ listening: 'systemd' }, { held: false })).slice(0, 2)).toEqual(['apply ends', 'connect']);
  });

  test.each<readonly [string, Partial<HostPlan>]>([
    ['sshd', { reloads: ['sshd'] }],
    ['audit rules', { reloads: ['audit rules'] }],
    ['another file', { files: [{ kind: 'sysctl', path: 'net.ipv4.ip_forward', mode: '0' } as FileChange] }],
    ['daemon.json', { files: [{ kind: 'file', path: '/etc/docker/daemon.json', after: '{}' } as FileChange] }],
    ['a generation that comes back', { purpose: 'rollback' }],
  ])('is opened after the restart where the change is of %s', async (_what, plan) => {
    expect((await run(plan)).slice(0, 2)).toEqual(['apply ends', 'connect']);
  });

  test.each<readonly [string, Partial<HostFacts['docker']>]>([
    ['settings that another program edited take effect', { edited: ['/etc/docker/daemon.json'] }],
    ['settings take effect that another program may have edited', { edited: undefined }],
    ['the daemon did not run', { unit: { ...factsOf().docker.unit, active: 'inactive' } }],
  ])('is opened after the restart where %s with it', async (_what, docker) => {
    expect((await run({}, { docker })).slice(0, 2)).toEqual(['apply ends', 'connect']);
  });

  test('is closed where a person stops the run during the restart', async () => {
    const order = await run({}, { stopped: true });
    expect(order.filter((what) => what === 'connect')).toHaveLength(order.filter((what) => what === 'close').length);
    expect(order).toContain('close');
  });

  test('is opened again where it was refused meanwhile', async () => {
    expect(await run({}, { early: 'refused' })).toEqual(['connect', 'apply ends', 'connect', 'commit', 'close']);
  });

  test('is closed where the host has rolled back', async () => {
    const order = await run({}, { result: 'rolled-back cmVzdGFydA== eA== - -' });
    expect(order).toEqual(['connect', 'apply ends', 'close', 'E_DAEMON_START']);
  });

  describe('what is verified while the daemon starts', () => {
    const check = (ok: boolean): ProbeCheck => ({
      who: 'client a',
      expected: 'accepted',
      ok,
      outcome: '',
      elapsedMs: 1,
    });
    const verify =
      (...results: boolean[]) =>
      async (order: string[]): Promise<ProbeCheck[]> => {
        order.push('verify');
        return [check(results.shift() ?? true)];
      };

    test('counts where all of it is as it must be', async () => {
      const order = await run({}, { verify: verify(true, false) });
      expect(order).toEqual(['connect', 'verify', 'apply ends', 'commit', 'close']);
    });

    test('is verified again where it is not', async () => {
      const order = await run({}, { verify: verify(false, true) });
      expect(order).toEqual(['connect', 'verify', 'apply ends', 'verify', 'commit', 'close']);
    });

    test('does not count where it fails again', async () => {
      const order = await run({}, { verify: verify(false, false) });
      expect(order.slice(0, 4)).toEqual(['connect', 'verify', 'apply ends', 'verify']);
      expect(order).toContain('undo ends');
      expect(order).not.toContain('commit');
    });

    test('does not keep a change whose daemon did not start', async () => {
      const order = await run({}, { verify: verify(true), result: 'rolled-back cmVzdGFydA== eA== - -' });
      expect(order).toEqual(['connect', 'verify', 'apply ends', 'close', 'E_DAEMON_START']);
    });

    test('waits for the end where more than TLS changes, and where no port is held', async () => {
      const files = [{ kind: 'file', path: '/etc/docker/daemon.json', after: '{}' } as FileChange];
      const order = await run({ files }, { verify: verify(true) });
      expect(order.slice(0, 2)).toEqual(['apply ends', 'verify']);
      expect((await run({ listening: 'firewall' }, { held: false, verify: verify(true) })).slice(0, 3)).toEqual([
        'connect',
        'apply ends',
        'verify',
      ]);
    });
  });
});

test('an sshd that stopped with the daemon is waited for', async () => {
  const requested: string[] = [];
  const answers = { apply: 'switched', commit: 'committed' };
  await change(answers, requested, { save: 'save', unsave: 'unsave' }, '', 2);
  expect(requested).toEqual(['apply', 'save', 'commit']);
});
