/** Hints that name the key of the fleet file beside a flag. */

import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { hintPrefix } from '../../../../src/cli/hint-prefix.ts';
import { createPrompts } from '../../../../src/cli/prompts.ts';
import type { Io } from '../../../../src/core/runtime.ts';

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
