/** The docker context of a host in `setup`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Prompts } from '../../../../src/core/actions/ask.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import { askContext, proposeContext } from '../../../../src/features/contexts/actions/setup-context.ts';

const spec = (more: object) => completeHost({ name: 'web', ssh: { destination: 'web.example' }, ...more });

test.each([
  ['direct', undefined, ['::'], 'web'],
  ['ssh', undefined, ['::'], undefined],
  ['ssh', 'mine', ['::'], 'mine'],
  ['direct', undefined, ['none'], undefined],
] as const)('--reach %s, --context %s, --listen %j', async (reach, context, listen, proposed) => {
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-proposal-'));
  const around = { runtime: { env: { HOME: home } } } as unknown as Parameters<typeof proposeContext>[2];
  expect((await proposeContext(spec({ reach, context, listen }), '10.0.0.1', around)).context).toBe(proposed);
  rmSync(home, { recursive: true });
});

const none = { use: false, configDirectory: false };

test('the question has the proposal as default, takes - as none, and refuses a name that docker does not take', async () => {
  const asked: Parameters<Prompts['input']>[0][] = [];
  const prompts = {
    input: async (question: Parameters<Prompts['input']>[0]) => {
      asked.push(question);
      return question.default ?? '';
    },
  } as Prompts;
  const ask = (before: object, options: object = {}) =>
    askContext(spec({}), spec(before), { options: { ...none, ...options }, prompts });
  expect([await ask({}), await ask({ context: 'old' })]).toEqual([undefined, 'web']);
  expect(asked.map((one) => one.default)).toEqual(['-', 'web']);
  expect([asked[0]?.validate?.('-'), asked[0]?.validate?.('mine')]).toEqual([true, true]);
  expect(asked[0]?.validate?.('a/b')).toEqual(expect.any(String));
  expect([await ask({}, { context: 'mine' }), await ask({}, { use: true })]).toEqual(['mine', undefined]);
  expect(asked.length).toBe(2);
});
