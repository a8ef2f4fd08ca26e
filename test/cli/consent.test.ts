/**
 * Nothing is signed before consent. Every command that changes something runs with --dry-run and without consent, while the test counts all
 * its possible effects. A command that is in neither table fails the test.
 */

import { existsSync, readdirSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { type Changing, counts, type FeatureConsent, NOTHING, ownCa, run } from '../support/consent.ts';

/** Additions of features, each in its own directory. */
const directory = new URL('../features/', import.meta.url);
const tables = (existsSync(directory) ? readdirSync(directory) : [])
  .map((name) => new URL(`${name}/support/consent.ts`, directory))
  .filter((table) => existsSync(table));
const FEATURES = await Promise.all(
  tables.map(async ({ pathname }) => (await import(pathname)).CONSENT as FeatureConsent),
);
const OUTPUTS = Object.assign({}, ...FEATURES.map(({ outputs }) => outputs));

const CHANGING: readonly Changing[] = [
  ['setup', ['root@h9', '--client', 'new'], true],
  ['plan', ['h1', '127.0.0.3'], false],
  ['apply', ['h1', '127.0.0.3'], true],
  ['rotate server', ['--all'], true],
  ['rotate client', ['--all'], false],
  ['client add', ['ci', '--hosts', 'h1'], true],
  ['client add', ['ci'], false],
  ['client revoke', ['eve'], true],
  ['client use', ['ann'], false],
  ['rollback', ['h1'], true],
  ['remove', ['h1', 'h2'], true],
  ['forget', ['h1'], true],
  ['rename', ['h1', 'h9'], false],
  ['ca create', [], false],
  ['ca passphrase', ['--no-ca-passphrase'], true],
  ...FEATURES.flatMap(({ changing }) => changing),
];

/** Commands that only read, or that write only files for a client or for docker on this machine. */
const OTHERS = /^(verify|status|env|version|client list|ca (show|export))$/;

test('every command is in one of the tables', () => {
  const others = [OTHERS, ...FEATURES.map((one) => one.others)];
  const listed = new Set(CHANGING.map(([name]) => name));
  expect(
    COMMANDS.map(({ name }) => name).filter((name) => !listed.has(name) && !others.some((one) => one.test(name))),
  ).toEqual([]);
});

function words(name: string, argv: readonly string[]): string[] {
  return [...name.split(' '), ...argv];
}

describe('with the key of the CA here', () => {
  beforeEach(ownCa);

  test.each(CHANGING)('%s %j --dry-run does nothing', async (name, argv) => {
    const { run: made, done } = await counts(() => run([...words(name, argv), '--dry-run'], OUTPUTS));
    expect(done, made.out).toEqual(NOTHING);
    expect(made.json.error?.code, made.out).not.toBe('E_BUG');
    // Fields without a value are absent.
    expect(JSON.stringify(made.json)).not.toMatch(/:"-"|"generation":"/);
  });

  test.each(CHANGING.filter(([, , asks]) => asks))('%s %j does nothing without consent', async (name, argv) => {
    const { run: made, done } = await counts(() => run(words(name, argv), OUTPUTS));
    expect(made.json.error?.code, made.out).toBe('E_NO_TERMINAL');
    expect(done).toEqual(NOTHING);
  });
});

test('in an empty store a dry run of setup makes no CA, and asks for no passphrase', async () => {
  const { run: made, done } = await counts(() => run(['setup', 'root@h9', '--dry-run']));
  expect([made.exit, done]).toEqual([0, NOTHING]);
  expect(made.json.result.credentials[0]).toMatchObject({ change: 'create-ca', issues: true });
});
