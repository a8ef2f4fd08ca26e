/** Keys of a real agent. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findKeys } from '../../../src/core/adapters/ssh/login-keys.ts';
import { plainEndpoint } from '../../../src/core/adapters/ssh/resolve-endpoint.ts';
import { optionsFor } from '../../support/ssh-login.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'answers-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('offers named files that the agent holds first, then its other keys, then the files themselves', async () => {
  const socket = join(directory, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  const [both, held, file] = ['both', 'held', 'file'].map((name) => join(directory, name)) as [string, string, string];
  for (const one of [both, held, file])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', one, '-f', one]);
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  try {
    await expect.poll(() => spawnSync('ssh-add', ['-q', held, both], { env }).status).toBe(0);
    const options = optionsFor({ port: 22 }, { identities: [] });
    const identities = [file, both].map((path) => ({ file: path, explicit: false }));
    const endpoint = { ...plainEndpoint(options), agent: socket, identities };
    const { signers } = await findKeys((await import('ssh2')).default, options, endpoint);
    expect(signers.map(({ label }) => label)).toEqual([`agent key ${both}`, `agent key ${held}`, file]);
  } finally {
    agent.kill();
  }
});
