/** Fleet file from standard input. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';

let directory: string;
let program: Program;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-selection-'));
  program = buildProgram();
});

afterAll(() => {
  program?.remove();
  rmSync(directory, { recursive: true, force: true });
});

test('hosts of a fleet file from standard input', async () => {
  const env = { ...process.env, HOME: directory };
  const argv = ['plan', '-f', '-', '--home', join(directory, 'tls'), '--no-ca-passphrase', '--json'];
  const fleet = ['version: 1', 'ca: { passphrase: none }', 'hosts: { web: { ssh: "127.0.0.1:1" } }'].join('\n');
  const { out } = await program.run(argv, { env, input: fleet });
  expect(JSON.parse(out).result.hosts).toMatchObject([{ host: 'web', errors: [{ code: 'E_SSH_REFUSED' }] }]);
});
