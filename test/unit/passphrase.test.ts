/** The passphrase of a CA that is there: typed, and typed again where the key does not open. */

import { expect, test } from 'vitest';
import { passphraseSource } from '../../src/cli/host-options.ts';
import type { Prompts } from '../../src/cli/prompts.ts';
import type { Runtime } from '../../src/runtime.ts';
import { Secret } from '../../src/secret.ts';

const OPTIONS = { caName: undefined, caDays: undefined, caPassphraseFile: undefined, noCaPassphrase: false };

function source(answers: readonly string[], env: Runtime['env'] = {}) {
  const asked: (string | undefined)[] = [];
  const prompts = {
    interactive: true,
    password: async ({ explain }: { explain?: string }) => {
      asked.push(explain);
      return new Secret(answers[asked.length - 1] ?? '');
    },
  } as unknown as Prompts;
  return { asked, source: passphraseSource(OPTIONS, { env, cwd: '/' } as Runtime, prompts) };
}

const opens = async (words: Secret) => words.revealText() === 'right';

test.each([
  [['right'], 'right', 1],
  [['wrong', 'right'], 'right', 2],
  [['wrong', 'wrong', 'wrong', 'right'], 'wrong', 3],
])('of %j it is %s', async (answers, wanted, questions) => {
  const { asked, source: passphrase } = source(answers);
  expect((await passphrase.forExistingCa(opens)).revealText()).toBe(wanted);
  expect(asked).toHaveLength(questions);
  expect(asked.slice(1)).toEqual(asked.slice(1).map(() => 'The key does not open with that one.'));
});

test('what was given beforehand is not asked for', async () => {
  const { asked, source: passphrase } = source([], { DOCKER_TLS_CA_PASSPHRASE: 'wrong' });
  expect((await passphrase.forExistingCa(opens)).revealText()).toBe('wrong');
  expect(asked).toEqual([]);
});
