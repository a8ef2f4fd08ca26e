/** Access with a CA that signs only leaf certificates: refused if it would need more. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../../src/cli/commands.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runUnreached } from '../../../support/cli.ts';
import { type IssuedOptions, issueStore } from '../../../support/issued-store.ts';
import { writeSignScript } from '../../../support/sign-script.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

let home: string;
let directory: string;
let dialled: string[];
const factory = new CertificateFactory();

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
  dialled = [];
});
afterAll(() => {
  removeHomes();
  factory.remove();
});

const run = (...argv: string[]) => runUnreached({ home, directory }, argv, (host) => dialled.push(host));
const state = () => openStore(home).read();
const two: IssuedOptions = { hosts: { 'build-1': {}, 'build-2': {} } };

describe('a CA that signs leaf certificates only', () => {
  beforeEach(async () => {
    const ca = factory.issue('company', { ca: true });
    await run(
      'ca',
      'import',
      '--cert',
      ca.certFile,
      '--leaf-only',
      '--sign-command',
      writeSignScript(join(directory, 'sign'), ca),
    );
    await issueStore(home, { ...two, clients: { laptop: undefined, eve: undefined } });
  });

  test.each<[string, string[]]>([
    ['client revoke', ['client', 'revoke', 'eve', '--yes']],
    ['client add --hosts', ['client', 'add', 'eve', '--hosts', 'build-1', '--yes']],
    ['client add of a new one', ['client', 'add', 'ci', '--hosts', 'build-1', '--yes']],
    ...FLEET_FILES.all.map((): [string, string[]] => [
      'apply with a fleet file that revokes',
      ['apply', '-f', 'fleet.yaml', '--yes'],
    ]),
  ])('%s is refused, and nothing of it stays', async (_, argv) => {
    writeFileSync(
      join(directory, 'fleet.yaml'),
      'version: 1\nhosts: { build-1: 127.0.0.1, build-2: 127.0.0.2 }\nclients: { eve: { revoked: true }, laptop: {} }\n',
    );
    const before = await state();
    const { exit, json } = await run(...argv);
    expect([exit, json.error?.code]).toEqual([2, 'E_CA_LEAF_ONLY']);
    expect(await state()).toEqual(before);
    expect(dialled).toEqual([]);
    if (!COMMANDS.some(({ name }) => name === 'rotate ca')) return;
    // Hosts that nobody reaches are all that stops it here.
    const { error } = (await run('rotate', 'ca', '--dry-run')).json;
    expect([error?.code, ...(error?.errors ?? []).map(({ code }) => code)]).toEqual([
      ...['E_SEVERAL', 'E_SSH_TIMEOUT', 'E_SSH_TIMEOUT', 'E_BREAKS_CLIENTS'],
    ]);
  });
});
