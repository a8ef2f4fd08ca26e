/** Hints that name the key of the fleet file beside a flag. */

import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { hintPrefix } from '../../../../src/cli/hint-prefix.ts';
import { createPrompts } from '../../../../src/cli/prompts.ts';
import type { PlannedHost, Run } from '../../../../src/core/engine/intent.ts';
import { withHostKey } from '../../../../src/core/engine/steps/key-on-host.ts';
import type { HostProgress, Io } from '../../../../src/core/runtime.ts';
import { factsOf } from '../../../support/host-facts.ts';

test('a question without a terminal', async () => {
  const prompts = createPrompts({
    io: { inIsTerminal: false, errIsTerminal: false, columns: 80, colour: false } as Io,
    yes: false,
    signal: new AbortController().signal,
    suspend: <T>(work: () => Promise<T>) => work(),
    words: hintPrefix('docker-tls', '/srv/tls'),
    answered: () => undefined,
    hasChanged: () => false,
    interrupt: () => undefined,
    input: new PassThrough(),
    output: new PassThrough(),
  } as unknown as Parameters<typeof createPrompts>[0]);
  await expect(
    prompts.input({ message: 'Address?', flag: '--address ADDR', key: 'hosts.build-1.address' }),
  ).rejects.toMatchObject({ hints: [expect.toSay('question', '--address ADDR', 'hosts.build-1.address')] });
});

test('a host that cannot make its key', async () => {
  const run = async () => ({ status: 3, stdout: Buffer.alloc(0), stderr: 'openssl is not installed\n' });
  const session = { login: { destination: '10.0.0.1', user: 'root' }, run };
  const prepared = { spec: { name: 'build-1', keyType: 'p256' }, session, facts: factsOf({ os: 'ID=fedora\n' }) };
  const progress = { phase: () => {} } as unknown as HostProgress;
  const work = () => Promise.reject(new Error('it has no key'));
  await expect(
    withHostKey(prepared as unknown as PlannedHost, { runtime: {} } as unknown as Run, progress, work),
  ).rejects.toMatchObject({ hints: expect.arrayContaining([expect.toSay('key-in-store')]) });
});
