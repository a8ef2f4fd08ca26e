/** Keys of a real agent that ssh2 cannot use. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connect } from '../../../../src/core/adapters/ssh/connect.ts';
import { failure, keyFile, logIn, optionsFor, withKey, withServer } from '../../../support/ssh-login.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agent-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('leaves an agent that holds a certificate to another transport, but for a key that is named', async () => {
  const socket = join(directory, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  const [authority, mine] = [join(directory, 'authority'), join(directory, 'mine')];
  for (const file of [authority, mine]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'me', `${mine}.pub`]);
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  await expect.poll(() => spawnSync('ssh-add', ['-q', mine], { env }).status).toBe(0);
  const configFile = join(directory, 'config');
  writeFileSync(configFile, `IdentityAgent ${socket}\nIdentityFile none\n`);
  try {
    await withServer(withKey, async (server) => {
      const error = await failure(connect(optionsFor(server, { identities: [], configFile, transport: 'ssh2' })));
      expect(error.code).toBe('E_SSH_TRANSPORT');
      expect(error.message).toContain('ssh-ed25519-cert-v01@openssh.com');
      expect(await logIn(optionsFor(server, { configFile, transport: 'ssh2' }))).toBe('in\n');
    });
  } finally {
    agent.kill();
  }
});

it('asks ssh-add once what an agent holds, whatever the number of hosts', async () => {
  const [socket, calls, bin] = [join(directory, 'agent'), join(directory, 'calls'), join(directory, 'bin')];
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  await expect.poll(() => spawnSync('ssh-add', ['-q', keyFile], { env }).status).toBe(0);
  const real = execFileSync('/bin/sh', ['-c', 'command -v ssh-add'], { encoding: 'utf8' }).trim();
  mkdirSync(bin);
  writeFileSync(join(bin, 'ssh-add'), `#!/bin/sh\necho "$*" >>${calls}\nexec ${real} "$@"\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  const configFile = join(directory, 'config');
  writeFileSync(configFile, `IdentityAgent ${socket}\nIdentityFile none\n`);
  try {
    await withServer(withKey, async (server) => {
      const logins = Array.from({ length: 20 }, () =>
        logIn(optionsFor(server, { identities: [], configFile, transport: 'ssh2' })),
      );
      expect(new Set(await Promise.all(logins))).toEqual(new Set(['in\n']));
    });
    expect(readFileSync(calls, 'utf8')).toBe('-L\n');
  } finally {
    vi.unstubAllEnvs();
    agent.kill();
  }
});
