/** Directories that are not a docker-machine store. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dockerMachineNames } from '../../../../src/features/tools/adapters/docker-machine-store.ts';
import { failure } from '../../../support/ssh-login.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-refusals-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

test('E_DOCKER_MACHINE_STORE: a directory that docker-machine never used', async () => {
  expect(await failure(dockerMachineNames(directory))).toMatchObject({ code: 'E_DOCKER_MACHINE_STORE', exit: 2 });
});
