/** The passphrase of a CA that is there: typed, and typed again where the key does not open. */

import { expect, test } from 'vitest';
import type { Prompts } from '../../src/cli/prompts.ts';
import { passphraseSource } from '../../src/cli/secrets.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Runtime } from '../../src/runtime.ts';

const OPTIONS = { caName: undefined, caDays: undefined, caPassphraseFile: undefined, noCaPassphrase: false };

function source(answers: readonly string[], env: Runtime['env'] = {}) {
  const requested: (string | undefined)[] = [];
  const prompts = {
    interactive: true,
    password: async ({ explain }: { explain?: string }) => {
      requested.push(explain);
      return new Secret(answers[requested.length - 1] ?? '');
    },
  } as unknown as Prompts;
  return { requested, source: passphraseSource(OPTIONS, { env, cwd: '/' } as Runtime, prompts) };
}

const opens = async (words: Secret) => words.revealText() === 'right';

test.each([
  [['right'], 'right', 1],
  [['wrong', 'right'], 'right', 2],
  [['wrong', 'wrong', 'wrong', 'right'], 'wrong', 3],
])('of %j it is %s', async (answers, wanted, questions) => {
  const { requested, source: passphrase } = source(answers);
  expect((await passphrase.forExistingCa(opens)).revealText()).toBe(wanted);
  expect(requested).toHaveLength(questions);
  expect(requested.slice(1)).toEqual(requested.slice(1).map(() => 'The key does not open with that one.'));
});

test('what was given beforehand is not asked for', async () => {
  const { requested, source: passphrase } = source([], { DOCKER_TLS_CA_PASSPHRASE: 'wrong' });
  expect((await passphrase.forExistingCa(opens)).revealText()).toBe('wrong');
  expect(requested).toEqual([]);
});
