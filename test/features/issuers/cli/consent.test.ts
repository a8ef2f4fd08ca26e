/** No sign command runs before consent. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { counts, directory, factory, NOTHING, run, signed } from '../../../support/consent.ts';
import { writeSignScript } from '../../../support/sign-script.ts';

/** A store with an imported CA that signs by a command. */
async function signCommand(): Promise<void> {
  const ca = factory.issue('company', { ca: true });
  const script = writeSignScript(join(directory, 'sign'), ca);
  writeFileSync(script, readFileSync(script, 'utf8').replace('set -e', `set -e\necho run >>'${signed}'`));
  await run(['ca', 'import', '--cert', ca.certFile, '--sign-command', script, '--no-ca-passphrase']);
  const set = (argv: string[]) => run([...argv, '--yes']);
  await set(['client', 'add', 'laptop']);
  writeFileSync(signed, '');
}

describe('with a sign command', () => {
  test.each([
    ['plan', ['127.0.0.3']],
    ['setup', ['root@h9', '--client', 'laptop', '--dry-run']],
    ['apply', ['127.0.0.3', '--dry-run']],
    ['rotate client', ['--all', '--dry-run']],
    ['client add', ['ci', '--dry-run']],
  ])('%s runs it not once', async (name, argv) => {
    await signCommand();
    const { done } = await counts(() => run([...name.split(' '), ...argv]));
    expect(done).toEqual(NOTHING);
  });

  test('which is counted when it does run', async () => {
    await signCommand();
    const { run: made, done } = await counts(() => run(['client', 'add', 'ci', '--yes']));
    expect(made.json.ok, made.out).toBe(true);
    // One for its issuing CA, then one for itself.
    expect(done).toMatchObject({ signCommandRuns: 1, keys: 2 });
  });
});
