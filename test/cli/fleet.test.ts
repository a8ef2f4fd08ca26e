/** Commands on a fleet file, as far as they come without a host: who proves, which secrets are read, what counts later. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { DockerTlsError } from '../../src/errors.ts';
import type { SshOptions } from '../../src/runtime.ts';
import { openStore } from '../../src/store/store.ts';
import { type CliSetting, runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let folder: string;
/** How hosts were dialled; none answers. */
let dialled: SshOptions[];

beforeEach(() => {
  home = newHome();
  folder = dirname(home);
  dialled = [];
});
afterAll(removeHomes);

function cli(argv: readonly string[], setting: CliSetting = {}) {
  return runCli([...argv, '--home', home], {
    cwd: folder,
    connect: (options) => {
      dialled.push(options);
      return Promise.reject(new DockerTlsError({ code: 'E_SSH_REFUSED', exit: 4, message: 'nobody answers' }));
    },
    ...setting,
    env: { HOME: folder, DOCKER_CONFIG: join(folder, 'docker'), ...setting.env },
  });
}

const write = (text: string) => writeFileSync(join(folder, 'fleet.yaml'), text);
const store = () => openStore(home).read();

describe('who proves a host', () => {
  test.each([['apply'], ['plan']])('%s --client: a slip of the hand is no new client', async (verb) => {
    await issueStore(home, { clients: { laptop: undefined } });
    write('version: 1\nca: { passphrase: none }\nhosts: { b1: }\nclients: { laptop:, ops: }\n');
    const { exit, json } = await cli([verb, '-f', 'fleet.yaml', '--client', 'labtop', '--yes', '--json']);
    expect([exit, json.error?.code, json.error?.hints]).toEqual([2, 'E_CLIENT_UNKNOWN', ['--client laptop']]);
    expect(dialled).toEqual([]);
    expect([...(await store()).clients.keys()]).toEqual(['laptop']);
  });

  test('one that the file names is made', async () => {
    write('version: 1\nca: { passphrase: none }\nhosts: { b1: }\nclients: { ops: }\n');
    const { json } = await cli(['apply', '-f', 'fleet.yaml', '--client', 'ops', '--yes', '--json']);
    expect(json.error?.code).toBe('E_SSH_REFUSED');
  });
});

test('what the file says of a client that is there counts from its next renewal, and that is said', async () => {
  await issueStore(home, { clients: { ops: undefined } });
  write('version: 1\nhosts: { b1: }\nclients: { ops: { key-type: p384, days: 30 } }\n');
  const note = 'client ops: days and key-type count from its next renewal on: docker-tls rotate client ops';
  expect((await cli(['plan', '-f', 'fleet.yaml'])).err).toContain(note);
  await cli(['apply', '-f', 'fleet.yaml', '--yes']);
  expect((await store()).clients.get('ops')?.record).toMatchObject({ keyType: 'p384', days: 30 });
  expect((await cli(['plan', '-f', 'fleet.yaml'])).err).not.toContain(note);
});
