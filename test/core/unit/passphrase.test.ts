/** Passphrase of an existing CA: typed, and typed again if it does not open the key. */

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Prompts } from '../../../src/core/actions/ask.ts';
import { passphraseSource } from '../../../src/core/actions/ca-passphrase.ts';
import type { StoreState } from '../../../src/core/adapters/store/records.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { type PassphraseSource, protectKeys } from '../../../src/core/engine/key-protection.ts';
import type { Runtime } from '../../../src/core/runtime.ts';
import { offeredCommands } from '../../../src/core/seams/offered-commands.ts';

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
  [['wrong', 'wrong', 'wrong', 'right'], 'right', 4],
])('of %j it is %s', async (answers, wanted, questions) => {
  const { requested, source: passphrase } = source(answers);
  expect((await passphrase.forExistingCa(opens)).revealText()).toBe(wanted);
  expect(requested).toHaveLength(questions);
  expect(requested.slice(1, 3).join()).not.toContain('--lost-passphrase');
  for (const explain of requested.slice(1)) expect(explain).toSay('key-does-not-open');
  for (const explain of requested.slice(3))
    for (const one of offeredCommands('new CA', '--lost-passphrase')) expect(explain).toContain(one);
});

test('what was given beforehand is not asked for', async () => {
  const { requested, source: passphrase } = source([], { DOCKER_TLS_CA_PASSPHRASE: 'wrong' });
  expect((await passphrase.forExistingCa(opens)).revealText()).toBe('wrong');
  expect(requested).toEqual([]);
});

test('Enter declines a new one, and the output says so; one that was given and is weak gets a word', async () => {
  const shown: string[] = [];
  const prompts = {
    interactive: true,
    show: async (text: string) => shown.push(text),
    password: async ({
      allowEmpty,
      validate,
    }: {
      allowEmpty?: boolean;
      validate?: (text: string) => true | string;
    }) => {
      expect([allowEmpty, validate?.(''), validate?.('none')]).toEqual([
        true,
        true,
        expect.toSay('too-short-least-characters', '8'),
      ]);
      return new Secret('');
    },
  } as unknown as Prompts;
  const from = (env: Runtime['env']) => passphraseSource(OPTIONS, { env, cwd: '/' } as Runtime, prompts).forNewCa();
  expect(await from({})).toBeUndefined();
  expect(shown.splice(0)).toEqual([expect.toSay('key-ca-no-passphrase')]);
  for (const weak of ['x', 'aaaaaaaaaa', 'password1']) await from({ DOCKER_TLS_CA_PASSPHRASE: weak });
  expect(shown.join('')).toMatch(/weak\. Too short[\s\S]*Too simple[\s\S]*Too common/);
});

test.each(['x', 'seven c'])('a new one of %j is too short to protect anything', async (typed) => {
  const checks: (true | string)[] = [];
  const prompts = {
    interactive: true,
    confirm: async () => true,
    password: async ({ validate }: { validate?: (text: string) => true | string }) => {
      checks.push(validate?.(typed) ?? true, validate?.('correct staple') ?? true);
      return new Secret('correct staple');
    },
  } as unknown as Prompts;
  await passphraseSource(OPTIONS, { env: {}, cwd: '/' } as Runtime, prompts).forNewCa();
  expect(checks).toEqual([expect.toSay('too-short-least-characters', '8'), true]);
});

describe('a key that a typed passphrase was tried on', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const keyPem = new Secret(
    privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'right' }).toString(),
  );
  const state = { ca: { keyPem, record: {} }, oldCas: [], issuers: new Map() } as unknown as StoreState;
  /** Asks with `typed`, and then says that it was `answer`. */
  const keys = (typed: string, answer: string, found: boolean[] = []) =>
    protectKeys(state, {
      forExistingCa: async (opens: (words: Secret) => Promise<boolean>) => {
        found.push(await opens(new Secret(typed)));
        return new Secret(answer);
      },
    } as unknown as PassphraseSource);

  test('is not decrypted again', async () => {
    const found: boolean[] = [];
    const { open, unlock } = keys('right', 'another', found);
    await unlock();
    expect((await open(keyPem)).revealText()).toBe(key);
    expect(found).toEqual([true]);
  });

  test('is decrypted if that one was wrong, and no new key comes under a passphrase that does not open it', async () => {
    const found: boolean[] = [];
    const { open, unlock } = keys('wrong', 'right', found);
    await unlock();
    expect((await open(keyPem)).revealText()).toBe(key);
    expect(found).toEqual([false]);
    await expect(keys('wrong', 'wrong').protect(new Secret(key))).rejects.toMatchObject({ code: 'E_KEY_PASSPHRASE' });
  });
});
