/** Exec started before its script is ready: it saves the run that start, and costs nothing if it fails. */

import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Channel, ExecContext, SudoKnowledge } from '../../../src/core/adapters/ssh/channel.ts';
import { prepareRun, runScript } from '../../../src/core/adapters/ssh/exec.ts';
import { openLocalChannel } from '../../../src/core/adapters/ssh/local-session.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import type { Reach } from '../../../src/core/engine/intent.ts';
import { openHost } from '../../../src/core/engine/steps/open-host.ts';
import type { HostSession } from '../../../src/core/runtime.ts';

/** A real shell on this machine; `opened` counts its execs. */
function host({ fails = 0, sudo = {}, rootless = true }: { fails?: number; sudo?: SudoKnowledge; rootless?: boolean }) {
  const opened: Channel[] = [];
  let tries = 0;
  const open = async (words: readonly string[]): Promise<Channel> => {
    tries += 1;
    if (tries <= fails) throw new Error('no session');
    const channel = await openLocalChannel(words);
    opened.push(channel);
    return channel;
  };
  const options = { host: 'build-1', destination: 'build-1', rootless } as ExecContext['options'];
  const login = { destination: 'build-1' };
  const context: ExecContext = { options, login, user: 'ada', operator: 'ada', open, sudo, waiting: {} };
  return { context, opened, tries: () => tries };
}

const REQUEST = { phase: 'test', script: 'cat', input: [Buffer.from('in')], asRoot: true, timeoutMs: 20_000 };
const said = async (context: ExecContext) => (await runScript(context, REQUEST)).stdout.toString();

test('the run takes the exec that waits, and only the next run does', async () => {
  const { context, tries } = host({});
  prepareRun(context);
  prepareRun(context);
  expect(tries()).toBe(1);
  expect([await said(context), tries()]).toEqual(['in', 1]);
  expect([await said(context), tries()]).toEqual(['in', 2]);
});

test('one that fails, or has ended by then, is begun anew', async () => {
  const refused = host({ fails: 1 });
  prepareRun(refused.context);
  expect([await said(refused.context), refused.tries()]).toEqual(['in', 2]);
  const gone = host({});
  prepareRun(gone.context);
  await expect.poll(() => gone.opened.length).toBe(1);
  gone.opened[0]?.kill();
  await gone.opened[0]?.ended;
  expect([await said(gone.context), gone.tries()]).toEqual(['in', 2]);
});

test('what the exec prints before the run takes it is kept, whatever the time between', async () => {
  const { context, opened, tries } = host({});
  prepareRun(context);
  await expect.poll(() => opened.length).toBe(1);
  await setTimeout(300);
  expect([await said(context), tries()]).toEqual(['in', 1]);
});

test('one whose shell ended while it waited is begun anew, though its output was never read', async () => {
  const { context, opened, tries } = host({});
  prepareRun(context);
  await expect.poll(() => opened.length).toBe(1);
  await setTimeout(300);
  opened[0]?.endInput();
  await opened[0]?.ended;
  expect([await said(context), tries()]).toEqual(['in', 2]);
});

test('where sudo would ask for a password, nothing waits: its prompt would be answered by no one', () => {
  const { context, tries } = host({ sudo: { password: new Secret('x'), asks: true }, rootless: false });
  prepareRun(context);
  expect(tries()).toBe(0);
});

test('where a change follows, its exec is begun behind that of the facts, and waits for no answer of theirs', async () => {
  const order: string[] = [];
  const session = {
    host: 'build-1',
    user: 'root',
    run: ({ phase }: { phase: string }) => {
      order.push(phase);
      return new Promise((_, reject) => setImmediate(() => reject(new Error('no facts'))));
    },
    prepare: () => order.push('prepare'),
    close: async () => void order.push('close'),
  } as unknown as HostSession;
  const runtime = { connect: async () => session, now: () => new Date(0), signal: new AbortController().signal };
  const spec = completeHost({ name: 'build-1', ssh: { destination: 'build-1' } });
  const progress = { phase() {}, done() {}, failed() {}, pause() {} };
  const open = (changes?: boolean) => openHost(spec, { runtime } as unknown as Reach, progress, changes);
  await expect(open(true)).rejects.toThrow('no facts');
  expect(order.splice(0)).toEqual(['facts', 'prepare', 'close']);
  await expect(open()).rejects.toThrow('no facts');
  expect(order).toEqual(['facts', 'close']);
});
