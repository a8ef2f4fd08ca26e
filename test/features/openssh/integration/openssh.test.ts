/** What only the system's ssh can do, and where it cannot be used. */

import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { connect } from '../../../../src/core/adapters/ssh/connect.ts';
import { connectOpenSsh } from '../../../../src/features/openssh/adapters/openssh.ts';
import { pinArguments } from '../../../../src/features/openssh/adapters/terminal.ts';
import {
  directory,
  failure,
  keyFile,
  logIn,
  optionsFor,
  whoami,
  withKey,
  withServer,
} from '../../../support/ssh-login.ts';
import { makeKey } from '../../../support/ssh-server.ts';

afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('the openssh transport is the same where the ssh config chooses it: no exec is begun behind a run', async () => {
  const configFile = join(directory, 'control-path');
  const path = join(directory, 'own-master');
  writeFileSync(configFile, `IdentityAgent none\nIdentityFile none\nControlMaster auto\nControlPath ${path}\n`);
  await withServer(withKey, async (server) => {
    const session = await connect(optionsFor(server, { configFile }));
    expect([session.transport, session.prepare]).toEqual([
      expect.stringMatching(/^openssh \(.*ControlPath/),
      undefined,
    ]);
    expect(await whoami(session)).toBe('in\n');
    await session.close();
  });
});

it('the dot of the root is no part of what clients dial: a server refuses it in SNI', async () => {
  await withServer(withKey, async (server) => {
    const configFile = join(directory, 'root-dot');
    const pipe = `const s=require("net").connect(${server.port},"127.0.0.1");process.stdin.pipe(s);s.pipe(process.stdout)`;
    writeFileSync(configFile, `IdentityAgent none\nProxyCommand ${process.execPath} -e '${pipe}'\n`);
    const session = await connect(optionsFor(server, { configFile, destination: 'build-1.example.' }));
    expect(session.dialled).toBe('build-1.example');
    await session.close();
  });
});

describe("ssh on the user's terminal, with the key of a record", () => {
  const status = (port: number, hostKey: string | undefined): Promise<number> =>
    new Promise((resolve) => {
      const here = ['-F', join(directory, 'config'), '-o', 'BatchMode=yes', '-o', 'UserKnownHostsFile=/dev/null'];
      const args = [
        ...pinArguments(hostKey),
        ...here,
        '-i',
        keyFile,
        '-p',
        `${port}`,
        'tester@127.0.0.1',
        '--',
        'exit 7',
      ];
      execFile('ssh', args, (error) => resolve(Number(error?.code ?? 0)));
    });

  it('accepts that key alone, whole or by its fingerprint, and of several keys that one', async () => {
    const [one, two] = [makeKey('ecdsa'), makeKey()];
    await withServer({ ...withKey, hostKeys: [one.privateKey, two.privateKey] }, async (server) => {
      for (const hostKey of [...server.hostKeys, server.fingerprints[1]])
        expect([hostKey, await status(server.port, hostKey)]).toEqual([hostKey, 7]);
      server.seen.auth.length = 0;
      const other = makeKey().publicKey.split(' ').slice(0, 2).join(' ');
      for (const hostKey of [other, `SHA256:${'A'.repeat(43)}`, undefined])
        expect([hostKey, await status(server.port, hostKey)]).toEqual([hostKey, 255]);
      expect(server.seen.auth).toEqual([]);
    });
  });
});

describe('openssh by itself', () => {
  it('takes the word of the KnownHostsCommand in the ssh config', async () => {
    await withServer(withKey, async (server) => {
      const program = join(directory, `known by openssh`);
      const configFile = join(directory, `config-command`);
      writeFileSync(configFile, `IdentityAgent none\nIdentityFile none\nKnownHostsCommand "${program}" %H %t %K\n`);
      const options = optionsFor(server, { configFile, hostKey: 'strict' });
      writeFileSync(program, '#!/bin/sh\necho "$1 $2 $3"\n', { mode: 0o755 });
      expect(await logIn(options)).toBe('in\n');
      writeFileSync(program, '#!/bin/sh\necho "@revoked * $2 $3"\n');
      expect((await failure(connect(options))).code).toBe('E_SSH_HOST_KEY_REVOKED');
      writeFileSync(program, '#!/bin/sh\necho "$1 $2 $3"; exit 1\n');
      expect((await failure(connect(options))).code).toBe('E_SSH_HOST_KEY_UNKNOWN');
    });
  });

  it('asks for a key of the type that the KnownHostsCommand knows', async () => {
    const hostKeys = [makeKey('ed25519').privateKey, makeKey('rsa').privateKey];
    await withServer({ ...withKey, hostKeys }, async (server) => {
      const program = join(directory, `rsa-alone`);
      const configFile = join(directory, `config-rsa-alone`);
      writeFileSync(configFile, `IdentityAgent none\nIdentityFile none\nKnownHostsCommand ${program} %H %I %t %K %f\n`);
      const requested = join(directory, `asked`);
      writeFileSync(
        program,
        `#!/bin/sh\necho "$2 $3 $5" >>${requested}\necho "$1 ${server.hostKeys.find((key) => key.startsWith('ssh-rsa'))}"\n`,
        { mode: 0o755 },
      );
      expect(await logIn(optionsFor(server, { configFile, hostKey: 'strict' }))).toBe('in\n');
      expect(readFileSync(requested, 'utf8')).toMatch(/^ORDER NONE NONE\nHOSTNAME ssh-rsa SHA256:/);
    });
  });
});

test('takes over a login whose banner is too long for ssh2, and says why', async () => {
  await withServer({ ...withKey, banner: 'x'.repeat(60_000) }, async (server) => {
    const session = await connect(optionsFor(server));
    expect(await whoami(session)).toBe('in\n');
    expect(session.transport).toSay('cannot-read-what', '127');
    await session.close();
  });
});

test('takes over where a certificate authority is trusted, and refuses a host that shows no certificate of it', async () => {
  await withServer(withKey, async (server) => {
    const options = optionsFor(server, { hostKey: 'strict' });
    writeFileSync(options.knownHostsFile ?? '', `@cert-authority [127.0.0.1]:* ${makeKey().publicKey}\n`);
    const error = await failure(connect(options));
    expect([error.code, error.details[0]]).toEqual([
      'E_SSH_HOST_KEY_UNKNOWN',
      expect.stringContaining('no valid certificate'),
    ]);
  });
});

describe('where it cannot be used', () => {
  const options = { host: 'build-1', destination: 'build-1.example.org' };
  let bin: string;

  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'docker-tls-openssh-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(bin, { recursive: true, force: true });
  });

  /** The first program of that name on PATH. */
  function program(name: string, text: string): void {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
    vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  }

  test('E_PROGRAM_MISSING: the openssh transport without ssh', async () => {
    vi.stubEnv('PATH', bin);
    expect(await failure(connectOpenSsh(options))).toMatchObject({ code: 'E_PROGRAM_MISSING', exit: 2 });
  });

  test('E_SSH_OPENSSH_OLD: an OpenSSH without KnownHostsCommand', async () => {
    program('ssh', 'echo "OpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1w" >&2');
    expect(await failure(connectOpenSsh(options))).toMatchObject({ code: 'E_SSH_OPENSSH_OLD', exit: 2 });
  });

  test('E_TEMP_DIRECTORY: no directory for the program that answers ssh', async () => {
    const missing = join(bin, 'missing');
    for (const name of ['TMPDIR', 'XDG_RUNTIME_DIR', 'HOME']) vi.stubEnv(name, missing);
    expect(await failure(connectOpenSsh({ ...options, destination: '127.0.0.1' }))).toMatchObject({
      code: 'E_TEMP_DIRECTORY',
      exit: 2,
    });
  });
});
