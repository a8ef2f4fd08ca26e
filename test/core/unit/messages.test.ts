/** Messages are named in tests and have their words in golden files (test/support/messages.ts). */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FEATURES } from '../../support/import-rules.ts';
import { goldenOf, readMessages, requireDeniable, says } from '../../support/messages.ts';

const root = new URL('../../..', import.meta.url).pathname;
const { assertionsIn } = await import(`${root}scripts/prose.d/assertions.mjs`);

test('no more assertions on whole sentences than the ceiling (scripts/prose --tests)', () => {
  const { status, stdout } = spawnSync(process.execPath, [`${root}scripts/prose`, '--tests'], { encoding: 'utf8' });
  expect({ status, stdout }).toMatchObject({ status: 0 });
  expect(stdout).toMatch(/^ *\d+ of at most \d+$/m);
});

test('an assertion on a sentence is counted, and one on a code, data, a command or a name of a message is not', () => {
  const counted = (source: string) => assertionsIn(source).length;
  expect(counted("expect(x).toBe('the host was not changed');")).toBe(1);
  expect(counted('expect(x).toMatchObject({ message: expect.stringMatching(/the host .* was not changed/) });')).toBe(
    1,
  );
  expect(counted("test.each([['a', /the host was not changed/]])('of the case that is here', () => {});")).toBe(1);
  expect(counted("expect(x).toEqual(['E_CLOCK', 'build-1', 2376]);")).toBe(0);
  expect(counted("expect(x).toContain('docker-tls client add NAME --host build-1');")).toBe(0);
  expect(counted("expect(x).toSay('host-was-not-changed', 'build-1');")).toBe(0);
});

test('every name in a test has words, and all words have a test', () => {
  const used = new Map<string, Map<string, Set<string>>>();
  for (const name of readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.test.ts') || name.endsWith('/messages.test.ts')) continue;
    const ids = [...readFileSync(`${root}test/${name}`, 'utf8').matchAll(/\btoSay\(\s*'([^']+)'/g)];
    if (ids.length === 0) continue;
    const golden = goldenOf(`${root}test/${name}`).pathname;
    const tests = used.get(golden) ?? new Map<string, Set<string>>();
    const test = basename(name, '.test.ts');
    const known = tests.get(test) ?? [];
    used.set(golden, tests.set(test, new Set([...known, ...ids.map(([, id]) => `${test}/${id}`)])));
  }
  expect(used.size).toBeGreaterThan(1);
  const whole = FEATURES.every((name) => existsSync(`${root}src/features/${name}`));
  for (const [golden, tests] of used) {
    const words = [...readMessages(pathToFileURL(golden)).keys()];
    // Where a feature is deleted, tests on hosts and those of two features go with it (scripts/without); their words may stay.
    const gone = !whole && /^test\/(?:e2e|features)\//.test(golden.slice(root.length));
    const known = gone ? words.filter((key) => tests.has(key.split('/')[0] ?? '')) : words;
    expect(known.sort(), golden).toEqual([...tests.values()].flatMap((ids) => [...ids]).sort());
  }
});

describe('a message', () => {
  const golden = (words: string) => {
    const file = pathToFileURL(join(mkdtempSync(join(tmpdir(), 'messages-')), 'messages.txt'));
    writeFileSync(file, `a/other: other words\na/one: ${words}\n`);
    return file;
  };
  const said = (words: string, text: unknown, values: (string | number)[] = [], update = false) =>
    says({ file: golden(words), key: 'a/one' }, text, values, update).pass;

  test('is said by a line with its words and values', () => {
    expect(said('{1} rejects {2}', 'x\nbuild-1 rejects eve: revoked', ['build-1', 'eve'])).toBe(true);
    expect(said('{1} rejects {2}', 'build-1 rejects ann', ['build-1', 'eve'])).toBe(false);
    expect(said('{1} rejects {2}', 'build-1 accepts eve', ['build-1', 'eve'])).toBe(false);
    expect(said('port {1} is taken', 'port 23760 is taken', [2376])).toBe(false);
    expect(said('is due {*} left', 'is due in\n3 days left')).toBe(false);
    expect(said('is due {**} left', 'is due in\n3 days left')).toBe(true);
    expect(said('ran (in [a] b)?', ['never', { why: 'it ran (in [a] b)?' }])).toBe(true);
    expect(said('try it again', Object.assign(new Error('no'), { hints: ['try it again'] }))).toBe(true);
    expect(said('', 'anything')).toBe(false);
  });

  test('has a place for each value: none goes unseen', () => {
    expect(said('rejects', 'rejects eve', ['eve'])).toBe(false);
  });

  test('takes new words where it is asked to, with its values in them, and never other values', () => {
    const words = '{1} rejects {2} from now on';
    const key = 'a/one';
    const file = golden(words);
    const text = 'done: 3 hosts\nfrom now on build-1 rejects eve, as of 2026-12-01\n';

    expect(says({ file, key }, text, ['build-1', 'eve'], false).pass).toBe(false);
    expect(says({ file, key }, text, ['build-1', 'ann'], true).pass).toBe(false);
    expect(says({ file, key }, 'eve and build-1 have nothing in common', ['build-1', 'eve'], true).pass).toBe(false);
    const other = 'eve is a client that build-1 rejects';
    expect(says({ file, key }, other, ['build-1', 'eve'], true).pass).toBe(false);
    expect(readMessages(file).get(key)).toBe(words);
    expect(says({ file, key }, text, ['build-1', 'eve'], true).pass).toBe(true);
    expect(readMessages(file).get(key)).toBe('from now on {1} rejects {2}, as of {*}');
    expect(readMessages(file).get('a/other')).toBe('other words');
  });

  test('of one or two words and no value is too loose, also as a new one', () => {
    expect(said('not found', 'it was not found')).toBe(false);
    expect(said('is not {*}', 'it is not found')).toBe(false);
    expect(said('', 'not found', [], true)).toBe(false);
    expect(said('', 'it was not found', [], true)).toBe(true);
  });

  test('is denied only with words, a place for each value, and a text', () => {
    const deny = (words: string, text: unknown, values: (string | undefined)[] = []) =>
      requireDeniable(golden(words), 'a/one', text, values);
    expect(() => deny('{1} rejects {2}', 'something', ['build-1', 'eve'])).not.toThrow();
    expect(() => requireDeniable(golden('some words here'), 'a/two', 'something', [])).toThrow('(none)');
    expect(() => deny('{1} rejects', 'something', ['build-1', 'eve'])).toThrow('no place');
    expect(() => deny('{1} rejects', 'something', [undefined])).toThrow('no place');
    for (const nothing of [undefined, '', [], { code: 1 }])
      expect(() => deny('{1} rejects', nothing, ['build-1'])).toThrow('no text');
    const unknown = 'no-such-message';
    expect(() => expect('something').not.toSay(unknown)).toThrow('(none)');
  });
});
