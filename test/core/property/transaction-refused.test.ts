/** Refused changes, as the engine runs them: the real scripts in a sandbox, and the resulting error of each. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HostFacts } from '../../../src/core/domain/plan/facts.ts';
import type { PathState } from '../../../src/core/domain/plan/host-files.ts';
import { kindOf } from '../../../src/core/domain/plan/host-kind.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { endTransaction, holdHost, startTransaction } from '../../../src/core/engine/host-transaction.ts';
import type { HostChange } from '../../../src/core/engine/intent.ts';
import { transact } from '../../../src/core/engine/steps/transact.ts';
import guardModule from '../../../src/core/host/guard.sh';
import type { HostSession } from '../../../src/core/runtime.ts';
import {
  CREDENTIALS,
  change,
  type Entry,
  factsOfTree,
  planOf,
  put,
  Sandbox,
  transactionOf,
} from '../../support/host-sandbox.ts';

describe.runIf(process.getuid?.() === 0)('a change that may not go through, as the engine runs it', () => {
  const path = '/etc/docker/daemon.json';
  const file = (content: string): Entry => ({ kind: 'file', mode: 0o644, uid: 0, content });
  const plan = planOf([change('/etc/default/docker', file('new'))]);
  const spec = completeHost({ name: 'box', ssh: { destination: 'box' } });
  const TIMER = 'exec dash /var/lib/docker-tls/txn/rollback.sh clean undo timer';

  /** Session that runs its scripts in the sandbox. */
  function sessionOf(box: Sandbox): HostSession {
    const close = async (): Promise<void> => {};
    return {
      host: 'box',
      user: 'root',
      dialled: '10.0.0.1',
      login: { destination: 'box' },
      run: async ({ script, input = [] }) => {
        const bytes = input.map((part) => Buffer.from(part instanceof Secret ? part.reveal() : part));
        return { status: 0, stdout: Buffer.from(box.run(script, Buffer.concat(bytes))), stderr: '' };
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  function changeOf(box: Sandbox, verify: () => void = () => {}): HostChange & { readonly books: string[] } {
    const books: string[] = [];
    const session = sessionOf(box);
    const signal = new AbortController().signal;
    const runtime = { operator: 'me', now: () => new Date(0), signal, connect: async () => session };
    return {
      id: randomBytes(6).toString('hex'),
      plan,
      facts: factsOfTree(box.state()),
      credentials: CREDENTIALS,
      spec,
      session,
      reach: { runtime } as unknown as HostChange['reach'],
      reason: 'test',
      progress: { phase() {}, done() {}, failed() {}, pause() {} },
      verify: async () => {
        verify();
        return [];
      },
      save: async () => void books.push('save'),
      unsave: async () => void books.push('unsave'),
      books,
    };
  }

  /** A host with a daemon.json; afterwards it must match the result of `work`, by default the original. */
  async function refused(
    work: (box: Sandbox) => Promise<unknown>,
    left: 'as before' | 'half done' = 'as before',
  ): Promise<unknown> {
    const box = new Sandbox(['dash']);
    try {
      put(box.directory, path, file('{ "icc": true }'));
      const old = box.state();
      const error = await work(box).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const now = box.state();
      if (left === 'as before') {
        expect(now.get('/default/docker')).toBeUndefined();
        expect(now.get('/docker/tls/1')).toBeUndefined();
      } else expect(Object.fromEntries(now)).not.toEqual(Object.fromEntries(old));
      return error;
    } finally {
      box.remove();
    }
  }

  const [planned, stored] = [8, 9].map((number) => ({ id: 'a', number, hash: `${number}-abcdef12` }));
  test.each([
    ['that has its change, not the one from which it was planned', stored, stored],
    ['from which its change was planned, if nobody can say which one has it', undefined, planned],
  ])('a host keeps the revision of the store %s', async (_what, saved, kept) => {
    const box = new Sandbox(['dash']);
    onTestFinished(() => box.remove());
    await transact({ ...changeOf(box), mark: planned, save: async () => saved });
    const state = JSON.parse(readFileSync(join(box.directory, 'var/docker-tls/state.json'), 'utf8'));
    expect(state).toMatchObject({ name: 'box', generation: 1, store: kept });
  });

  test('E_HOST_LOCKED: held for another change; the change of the same number takes it over, and its end gives it back', async () => {
    const box = new Sandbox(['dash']);
    onTestFinished(() => box.remove());
    const session = sessionOf(box);
    const kind = kindOf(factsOfTree(box.state()));
    const held = { id: 'a1a1', kind };
    const hold = (id: string) => holdHost(session, { id, kind }, { who: 'ada@laptop', seconds: 100 });
    await hold(held.id);
    await hold(held.id);
    await expect(hold('b2b2')).rejects.toMatchObject({
      code: 'E_HOST_LOCKED',
      message: expect.stringContaining('ada@laptop'),
    });
    await expect(transact(changeOf(box))).rejects.toMatchObject({ code: 'E_HOST_LOCKED' });
    // A run without the lock releases nothing.
    expect((await endTransaction(session, { id: 'b2b2', kind }, 'undo')).ending).toBe('nothing');
    await transact({ ...changeOf(box), id: held.id });
    await hold('b2b2');
    expect((await endTransaction(session, { id: 'b2b2', kind }, 'undo')).ending).toBe('undone');
    await hold('c3c3');
  });

  test('E_HOST_CHANGED: another administrator wrote a file that the plan was made from', async () => {
    const error = await refused(async (box) => {
      const one = changeOf(box);
      put(box.directory, path, file('{ "icc": false }'));
      await transact(one).finally(() => expect(one.books).toEqual([]));
    });
    expect(error).toMatchObject({ code: 'E_HOST_CHANGED', exit: 4, message: expect.stringContaining(path) });
  });

  test('E_HOST_CHANGED: or one that an earlier change of ours wrote', async () => {
    const managed = '/etc/systemd/system/docker-tls.socket';
    const error = await refused(async (box) => {
      put(box.directory, managed, file('edited'));
      const { facts: known, ...one } = changeOf(box);
      const state = {
        schema: 1,
        name: 'box',
        generation: 0,
        generations: [],
        managed: [{ kind: 'file', path: managed }],
      };
      const written: PathState = { kind: 'file', mode: '644', owner: '0:0', content: 'ours' };
      const files = new Map([...known.files, [managed, written] as const]);
      await transact({ ...one, facts: { ...known, files, state } as unknown as HostFacts });
    });
    expect(error).toMatchObject({ code: 'E_HOST_CHANGED', exit: 4, message: expect.stringContaining(managed) });
  });

  test.each([
    ['the unit of the daemon', 'fragment', '/etc/systemd/system/docker.service', 'planned'],
    ['a drop-in of it', 'dropIns', '/etc/systemd/system/docker.service.d/own.conf', 'planned'],
    ['a file of its environment', 'environmentFiles', '/etc/default/own', 'planned'],
    ['one that was not there', 'environmentFiles', '/etc/default/own', undefined],
  ] as const)('E_HOST_CHANGED: or %s', async (_, which, watched, before) => {
    const error = await refused(async (box) => {
      put(box.directory, watched, file('edited'));
      const { facts: known, ...one } = changeOf(box);
      const unit = { ...known.docker.unit, [which]: which === 'fragment' ? watched : [watched] };
      const was: PathState =
        before === undefined ? { kind: 'absent' } : { kind: 'file', mode: '644', owner: '0:0', content: before };
      const files = new Map([...known.files, [watched, was] as const]);
      await transact({ ...one, facts: { ...known, files, docker: { ...known.docker, unit } } });
    });
    expect(error).toMatchObject({ code: 'E_HOST_CHANGED', exit: 4, message: expect.stringContaining(watched) });
  });

  test('E_HOST_CHANGED: or a drop-in that came since, and that systemd has not read', async () => {
    const dropIn = '/etc/systemd/system/docker.service.d/own.conf';
    const error = await refused(async (box) => {
      const { facts: known, ...one } = changeOf(box);
      const unit = { ...known.docker.unit, fragment: '/usr/lib/systemd/system/docker.service' };
      put(box.directory, dropIn, file('[Service]'));
      await transact({ ...one, facts: { ...known, docker: { ...known.docker, unit } } });
    });
    expect(error).toMatchObject({ code: 'E_HOST_CHANGED', exit: 4, message: expect.stringContaining(dropIn) });
  });

  test('E_HOST_LOCKED: the change of another run has its time', async () => {
    const error = await refused(async (box) => {
      const lock = join(box.directory, 'run/docker-tls.lock');
      const text = `who=ann@desk\nsince=1\nexpires=${Math.floor(Date.now() / 1000) + 3600}\ntransaction=def456\n`;
      writeFileSync(lock, text);
      await transact(changeOf(box)).finally(() => expect(readFileSync(lock, 'utf8')).toBe(text));
    });
    expect(error).toMatchObject({ code: 'E_HOST_LOCKED', exit: 4, message: expect.stringContaining('ann@desk') });
  });

  test.each([
    ['lives', 'sleep 60; :', 'E_HOST_LOCKED', false],
    ['was killed', 'exit', 'E_STALE_CHANGE', true],
  ])('a change that waits for its confirmation, and whose guard %s: %s', async (_, work, code, abandoned) => {
    const error = await refused(async (box) => {
      const { session, facts } = changeOf(box);
      await startTransaction(session, transactionOf(plan, facts), { timeoutMs: 20_000 });
      const run = (text: string): string => box.run(text, Buffer.alloc(0));
      const guard = spawn('sh', ['-c', work, '/var/lib/docker-tls/txn/rollback.sh', 'timer', '90']);
      onTestFinished(() => void guard.kill());
      if (abandoned) await once(guard, 'close');
      run(`printf %s ${guard.pid} >/var/lib/docker-tls/txn/timer`);
      const [functions, found] = [guardModule, 'lost_guard /var/lib/docker-tls/txn && echo abandoned'];
      expect(run(`${functions}\n${found}`)).toBe(abandoned ? 'abandoned\n' : '');
      await transact(changeOf(box)).finally(() => run(TIMER));
    });
    expect(error).toMatchObject({ code });
  });

  test.each([
    ['in part', []],
    ['as another one', [Buffer.from('CAcERTKEY')]],
  ])('E_APPLY: a certificate arrives %s', async (_, input) => {
    const error = await refused(async (box) => {
      const { session, facts } = changeOf(box);
      await startTransaction(session, { ...transactionOf(plan, facts), input }, { timeoutMs: 1000 });
    });
    expect(error).toMatchObject({ code: 'E_APPLY', exit: 4, message: expect.toSay('did-not-arrive-whole') });
  });

  test('E_APPLY: the timer for the rollback does not start, which shows late: nothing is in place by then', async () => {
    const error = await refused(async (box) => {
      const words = '#!/bin/sh\nsleep 0.5\necho no bus >&2\nexit 1\n';
      writeFileSync(join(box.directory, 'stub/systemd-run'), words);
      await transact(changeOf(box));
    });
    const message = expect.toSay('not-prepared', 'arm', 'no bus');
    expect(error).toMatchObject({ code: 'E_APPLY', exit: 4, message });
  });

  test('E_DAEMON_CONFIG: dockerd refuses its configuration, which it says late: nothing is in place by then', async () => {
    const error = await refused(async (box) => {
      const { session, facts } = changeOf(box);
      const transaction = transactionOf(plan, facts);
      const script = transaction.script.replace(/^VALIDATE=''$/m, "VALIDATE='sleep 0.5; echo unknown flag; exit 1'");
      expect(script).not.toBe(transaction.script);
      await startTransaction(session, { ...transaction, script }, { timeoutMs: 1000 });
    });
    expect(error).toMatchObject({ code: 'E_DAEMON_CONFIG', exit: 4, details: ['unknown flag'] });
  });

  test('E_APPLY: a step fails while dockerd still validates: that ends first, and never had the mutex', async () => {
    const error = await refused(async (box) => {
      const { session, facts } = changeOf(box);
      const transaction = transactionOf(plan, facts);
      const validate = "VALIDATE='sleep 0.5; [ -e /proc/self/fd/9 ] || : >/run/validated'";
      const script = transaction.script
        .replace(/^VALIDATE=''$/m, validate)
        .replace(/^step keep$/m, 'step keep; fail "no space"');
      expect(script).toContain('fail "no space"');
      await startTransaction(session, { ...transaction, script }, { timeoutMs: 1000 }).finally(() =>
        expect(existsSync(join(box.directory, 'run/validated'))).toBe(true),
      );
    });
    expect(error).toMatchObject({ code: 'E_APPLY', exit: 4, message: expect.stringContaining('(keep): no space') });
  });

  test('E_STALE_CHANGE: a change that its controller never confirmed goes back before the next one', async () => {
    const error = await refused(async (box) => {
      const one = changeOf(box);
      const transaction = transactionOf(plan, one.facts);
      await startTransaction(one.session, transaction, { timeoutMs: 1000 });
      expect(box.state().get('/default/docker')).toBeDefined();
      const lock = join(box.directory, 'run/docker-tls.lock');
      writeFileSync(lock, readFileSync(lock, 'utf8').replace(/^expires=.*$/m, 'expires=1'));
      await transact(one);
    });
    expect(error).toMatchObject({ code: 'E_STALE_CHANGE', exit: 4 });
  });

  test('E_NOT_CONFIRMED: the host has rolled back by itself when it is told to keep the change', async () => {
    const error = await refused(async (box) => {
      const one = changeOf(box, () => void box.run(TIMER, Buffer.alloc(0)));
      await transact(one).finally(() => expect(one.books).toEqual(['save', 'unsave']));
    });
    expect(error).toMatchObject({ code: 'E_NOT_CONFIRMED', exit: 5 });
  });

  test('E_ROLLBACK: a change that failed and cannot be taken back either', async () => {
    const error = await refused(async (box) => {
      const broken = (): void => {
        for (const name of ['mv', 'rm']) writeFileSync(join(box.directory, 'stub', name), '#!/bin/sh\nexit 1\n');
        throw new Error('not verified');
      };
      await transact(changeOf(box, broken));
    }, 'half done');
    expect(error).toMatchObject({
      code: 'E_ROLLBACK',
      exit: 6,
      hints: expect.arrayContaining([expect.stringContaining('rollback.sh')]),
    });
  });
});
