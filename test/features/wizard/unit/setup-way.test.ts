/** Choices of the wizard when clients cannot dial the TLS port: working ones, and an end before any change. */

import { expect, test } from 'vitest';
import type { PromptChoice, Prompts } from '../../../../src/core/actions/ask.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import type { OpenedHost } from '../../../../src/core/engine/intent.ts';
import type { Probe } from '../../../../src/core/runtime.ts';
import type { SetupAnswers, SetupContext } from '../../../../src/core/seams/wizard.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { withOpenWay } from '../../../../src/features/wizard/actions/wizard.ts';

type Asked = Parameters<Prompts['select']>[0];
const SSH_CODES = { open: 'E_SSH_UNREACHABLE', forbidden: 'E_SSH_FORWARDING' } as const;

/** A host whose port drops direct connections; through SSH it is open (nothing listens yet), forbidden by sshd, or silent as well. */
async function offered(through: keyof typeof SSH_CODES | 'silent', answer: string, listen?: readonly string[]) {
  const asked: Asked[] = [];
  const dial = async () => {
    throw new DockerTlsError(SSH_CODES[through as 'open'], 'ssh to h1 does not forward');
  };
  const probe: Probe = async (request) => {
    const refused = { kind: 'refused', reason: '', chain: '', elapsedMs: 0, stage: 'connect' } as const;
    if (request.dial === undefined || through === 'silent') return { ...refused, cause: 'timed-out' };
    const error = await request.dial().catch((cause) => cause);
    if (error instanceof DockerTlsError) throw error;
    return { ...refused, cause: 'connection-refused' };
  };
  const prompts = {
    select: async (question: Asked) => {
      asked.push(question);
      return answer;
    },
    input: async () => 'other.example.org',
  };
  const tunnel = { via: 'ssh to h1', open: dial, ended: new Promise(() => {}) };
  const opened = {
    facts: { texts: new Map(), addresses: [] },
    session: { dialled: '10.0.0.1', login: { destination: 'h1' }, tunnel },
  };
  const spec = completeHost({ name: 'h1', ssh: { destination: 'h1' }, listen });
  const client = { name: 'ann', requested: false };
  const answers: SetupAnswers = { spec, client, file: undefined, takeOver: false, rejectOthers: false };
  const around = { prompts, runtime: { probe }, options: {}, flags: { ssh: {} } } as unknown as SetupContext;
  const got = withOpenWay(around, answers, opened as unknown as OpenedHost);
  const choices = (): readonly PromptChoice<unknown>[] => asked[0]?.choices ?? [];
  return { got: await got.catch((error: unknown) => error), asked, choices };
}

test('through ssh', async () => {
  const { got, asked, choices } = await offered('open', 'ssh');
  expect(got).toMatchObject({ spec: { reach: 'ssh' } });
  expect(asked[0]).toMatchObject({ default: 'ssh', flag: '--reach ssh, or --address NAME', key: 'hosts.h1.reach' });
  expect(asked[0]?.explain).toSay('port-does-not-answer', '2376', '10.0.0.1');
  expect(choices()[0]).toMatchObject({ name: expect.stringContaining('through ssh to h1') });
  expect(choices()[0]?.disabled).toBeUndefined();
});

test('not where there is no port to dial', async () => {
  const { got, asked } = await offered('silent', 'end', ['none']);
  expect(asked).toEqual([]);
  expect(got).toMatchObject({ spec: { name: 'h1', reach: 'direct' } });
});

test.each([
  ['forbidden', 'does not forward'],
  ['silent', 'does not answer'],
] as const)('not through an ssh that does not lead there either: %s', async (through, why) => {
  const { choices, asked } = await offered(through, 'end');
  expect(choices()[0]?.disabled).toContain(why);
  expect(asked[0]?.default).toBe('address');
});

test('another address, or an end with what is to be opened', async () => {
  expect((await offered('open', 'address')).got).toMatchObject({
    spec: { reach: 'direct', address: 'other.example.org' },
  });
  expect((await offered('open', 'end')).got).toMatchObject({ code: 'E_PORT_FILTERED' });
});
