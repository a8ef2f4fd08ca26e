/** Parts of commands that no host answers: words for a CA, hosts that failed. */

import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Prompts } from '../../src/core/actions/ask.ts';
import { passphraseSource } from '../../src/core/actions/ca-passphrase.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let directory: string;

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
});
afterAll(removeHomes);

test('the words for a new CA that are to be asked for are asked for twice, those of one that is there once', async () => {
  const requested: { confirm?: boolean }[] = [];
  const prompts = {
    show: async () => {},
    password: async (question: { confirm?: boolean }) => {
      requested.push(question);
      return new Secret('correct horse');
    },
  } as unknown as Prompts;
  const source = passphraseSource({ noCaPassphrase: false } as never, { env: {} } as Runtime, prompts, 'prompt');
  await source.forNewCa();
  await source.forExistingCa(async () => true);
  expect(requested.map(({ confirm }) => confirm === true)).toEqual([true, false]);
});

test('rotate --dry-run --json has every host, those that failed too', async () => {
  await issueStore(home, { hosts: { b1: { address: '10.0.0.1' } }, clients: { ops: undefined } });
  const { exit, json } = await runCli(['rotate', 'server', '--all', '--dry-run', '--json', '--home', home], {
    cwd: directory,
    connect: () => Promise.reject(new DockerTlsError('E_SSH_REFUSED', 'no answer')),
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker') },
  });
  expect(exit).toBe(4);
  expect(json.result.hosts).toMatchObject([{ host: 'b1', result: 'failed', errors: [{ code: 'E_SSH_REFUSED' }] }]);
});
