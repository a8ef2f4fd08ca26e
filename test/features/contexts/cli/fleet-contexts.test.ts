/** Contexts of a fleet file that are in the way. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import '../../../../src/features/fleet/feature.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { runCli } from '../../../support/cli.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const home = newHome();
const directory = dirname(home);
afterAll(removeHomes);

test('contexts that are in the way are found before any host is dialled, all at once, and nothing is made', async () => {
  const dialled: unknown[] = [];
  const meta = (name: string) =>
    join(directory, 'docker/contexts/meta', createHash('sha256').update(name).digest('hex'), 'meta.json');
  for (const name of ['theirs', 'hers']) {
    mkdirSync(dirname(meta(name)), { recursive: true });
    writeFileSync(meta(name), JSON.stringify({ Name: name, Metadata: {}, Endpoints: {} }));
  }
  writeFileSync(
    join(directory, 'fleet.yaml'),
    `version: 1
ca: { passphrase: none }
hosts: { b1: { context: theirs }, b2: { context: hers }, b3: { context: free } }
clients: { ops: {} }
`,
  );
  const { exit, json } = await runCli(['apply', '-f', 'fleet.yaml', '--yes', '--json', '--home', home], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker') },
    connect: (options) => {
      dialled.push(options);
      return Promise.reject(new DockerTlsError('E_SSH_REFUSED', 'no answer'));
    },
  });
  expect(exit).toBe(2);
  expect(json.error?.errors).toMatchObject([
    { code: 'E_CONTEXT_EXISTS', where: expect.stringContaining('b1') },
    { code: 'E_CONTEXT_EXISTS', where: expect.stringContaining('b2') },
  ]);
  expect(dialled).toEqual([]);
  expect(existsSync(home)).toBe(false);
});
