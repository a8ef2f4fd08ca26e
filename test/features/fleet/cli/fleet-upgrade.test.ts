/** Fleet files of every earlier version (test/core/golden/upgrade), read by this one; one of a newer version is refused. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const GOLDEN = new URL('../../../core/golden/upgrade/', import.meta.url);
const versions = readdirSync(GOLDEN).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
afterAll(removeHomes);

describe.each(versions)('of version %s', (version) => {
  const kept = readFileSync(new URL(`${version}/fleet.yaml`, GOLDEN), 'utf8');

  async function cli(text: string, ...argv: string[]) {
    const home = newHome();
    await issueStore(home, { hosts: { 'build-1': {} }, clients: { ops: undefined } });
    writeFileSync(join(dirname(home), 'fleet.yaml'), text);
    return runCli([...argv, '-f', 'fleet.yaml', '--home', home, '--json'], {
      cwd: dirname(home),
      env: { HOME: dirname(home) },
    });
  }

  test('it is read', async () => {
    const { exit, json } = await cli(kept, 'status', '--offline');
    expect({ exit, error: json.error }).toEqual({ exit: 0, error: undefined });
  });

  test('of a newer version: refused with the reason', async () => {
    const { exit, json } = await cli(kept.replace('version: 1', 'version: 2'), 'plan');
    expect([exit, json.error]).toMatchObject([2, { code: 'E_FLEET' }]);
    expect(json.error?.message).toSay('newer-docker-tls-version-reads', '2', '1');
    expect(json.error?.hints.join()).toSay('install-newer-docker-tls');
  });
});
