/** Login to a real SSH server in this process, by each transport: every method, jump hosts. */

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../../../src/core/adapters/ssh/connect.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { SshOptions, SshQuestions } from '../../../src/core/runtime.ts';
import type { DockerTlsError } from '../../../src/errors/errors.ts';
import { interrupted } from '../../../src/errors/errors.ts';
import { ownPort } from '../../support/ports.ts';
import {
  agentConfig,
  agentHolding,
  directory,
  failure,
  key,
  keyFile,
  logIn,
  optionsFor,
  questions,
  transports,
  whoami,
  withKey,
  withServer,
} from '../../support/ssh-login.ts';
import { makeKey } from '../../support/ssh-server.ts';

afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

/** A listener that accepts connections and sends nothing. */
async function withListener<T>(work: (port: number) => Promise<T>): Promise<T> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe.each(transports)('%s', (transport) => {
  it('logs in with a key file, through a banner, and says who it is', async () => {
    await withServer({ ...withKey, banner: 'Authorised use only.\n', noise: 'Welcome \u001b[31m!' }, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      expect([session.host, session.user, session.dialled]).toEqual(['build-1', 'tester', '127.0.0.1']);
      expect(await whoami(session)).toBe('in\n');
      expect(await whoami(session)).toBe('in\n');
      await session.close();
      await session.close();
      expect(server.seen).toMatchObject({ connections: 1, execs: 2 });
      expect((await failure(whoami(session))).code).toBe('E_SSH_LOST');
    });
  });

  it('takes KEY.pub for the key beside it, where no agent holds it', async () => {
    const pair = makeKey('ed25519');
    const file = join(directory, `beside-${transport}`);
    writeFileSync(file, pair.privateKey, { mode: 0o600 });
    writeFileSync(`${file}.pub`, pair.publicKey);
    await withServer({ authorizedKeys: [pair.publicKey] }, async (server) => {
      expect(await logIn(optionsFor(server, { transport, identities: [`${file}.pub`] }))).toBe('in\n');
    });
  });

  it('asks for the passphrase of an encrypted key once, whatever the number of hosts', async () => {
    const locked = makeKey('ed25519', 'open sesame');
    const file = join(directory, `locked-${transport}`);
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    const requested: string[] = [];
    const ask = questions({ passphrase: 'open sesame' }, requested);
    await withServer({ authorizedKeys: [locked.publicKey] }, async (server) => {
      const options = (): SshOptions => optionsFor(server, { transport, identities: [file], ask });
      expect(await Promise.all([logIn(options()), logIn(options()), logIn(options())])).toEqual([
        'in\n',
        'in\n',
        'in\n',
      ]);
      expect(requested).toEqual([`passphrase: ${file}`]);
    });
  });

  it('asks for a passphrase again when it was mistyped, and once for all hosts', async () => {
    const locked = makeKey('ed25519', 'open sesame');
    const file = join(directory, `mistyped-${transport}`);
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    const requested: unknown[] = [];
    const typed = ['open sesam', 'open sesame'];
    const ask: SshQuestions = {
      ...questions({}),
      passphrase: async (question) => {
        requested.push(question);
        return new Secret(typed[Math.min(requested.length, typed.length) - 1] as string);
      },
    };
    await withServer({ authorizedKeys: [locked.publicKey] }, async (server) => {
      const hosts = [1, 2, 3].map(() => logIn(optionsFor(server, { transport, identities: [file], ask })));
      expect(await Promise.all(hosts)).toEqual(['in\n', 'in\n', 'in\n']);
      expect(requested).toEqual([
        { file, again: false },
        { file, again: true },
      ]);
    });
  });

  it('names a key under a passphrase when no person can be asked for it', async () => {
    const locked = makeKey('ed25519', 'open sesame');
    const file = join(directory, `unasked-${transport}`);
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    await withServer({ authorizedKeys: [locked.publicKey] }, async (server) => {
      const error = await failure(connect(optionsFor(server, { transport, identities: [file] })));
      expect([error.message, ...error.details].join('\n')).toSay('encrypted-no-terminal-ask', file);
      expect(error.hints[0]).toBe(`ssh-add ${file}`);
    });
  });

  it('logs in with a password', async () => {
    const requested: string[] = [];
    await withServer({ password: 'correct horse' }, async (server) => {
      const ask = questions({ password: 'correct horse' }, requested);
      expect(await logIn(optionsFor(server, { transport, identities: [], ask }))).toBe('in\n');
      expect(requested).toHaveLength(1);
      expect(requested[0]).toMatch(/^password: .*password/);
    });
  });

  it('logs in with a key and then a password', async () => {
    await withServer({ ...withKey, password: 'second', twoFactors: true }, async (server) => {
      expect(await logIn(optionsFor(server, { transport, ask: questions({ password: 'second' }) }))).toBe('in\n');
    });
  });

  it('says what was tried when nothing accepts it', async () => {
    await withServer({ ...withKey, password: 'x' }, async (server) => {
      const other = join(directory, 'other');
      writeFileSync(other, makeKey().privateKey, { mode: 0o600 });
      const error = await failure(connect(optionsFor(server, { transport, identities: [other] })));
      expect([error.code, error.exit, error.where]).toEqual(['E_SSH_AUTH', 4, 'build-1']);
      expect(error.hints).toContain('-i KEYFILE');
      expect(error.hints).toContain(`ssh-copy-id -F ${join(directory, 'config')} -p ${server.port} tester@127.0.0.1`);
      const details = error.details.join('\n');
      expect(details).toContain(transport === 'ssh2' ? `publickey ${other}` : 'Permission denied');
      expect(details).toContain('password');
    });
  });

  it('gives up on a wrong password after a few tries', async () => {
    const requested: string[] = [];
    await withServer({ password: 'right', maxAuthTries: 20 }, async (server) => {
      const ask = questions({ password: 'wrong' }, requested);
      const error = await failure(connect(optionsFor(server, { transport, identities: [], ask })));
      expect(error.code).toBe('E_SSH_AUTH');
      expect(requested).toHaveLength(3);
    });
  });

  it('goes through jump hosts, and says which one is not known', async () => {
    await withServer({ ...withKey, forwards: true }, async (first) => {
      await withServer({ ...withKey, forwards: true, hostKeys: [makeKey().privateKey] }, async (second) => {
        await withServer({ ...withKey, hostKeys: [makeKey().privateKey] }, async (last) => {
          const jump = [`tester@127.0.0.1:${first.port}`, `tester@127.0.0.1:${second.port}`];
          const config = join(directory, `jump-${transport}`);
          // The key named for the host opens the jump hosts as well.
          writeFileSync(config, 'IdentityAgent none\nIdentityFile none\n');
          const options = optionsFor(last, { transport, jump, configFile: config });
          expect(await logIn(options)).toBe('in\n');
          expect([first.seen.connections, second.seen.connections, last.seen.connections]).toEqual([1, 1, 1]);
          const strict = optionsFor(last, { transport, jump, configFile: config, hostKey: 'strict' });
          const error = await failure(connect(strict));
          expect(error.code).toBe('E_SSH_HOST_KEY_UNKNOWN');
          expect(error.where).toBe('build-1 (jump 127.0.0.1)');
          // A pinned key is the last host's, so that hint would not help.
          expect(error.hints.join('\n')).not.toContain('SHA256:');
        });
      });
    });
  });

  it('says of a jump host what is wrong with the jump host', async () => {
    await withServer(withKey, async (last) => {
      const refused = await ownPort();
      const to = (jump: string): SshOptions => optionsFor(last, { transport, jump: [jump] });
      const refusedError = await failure(connect(to(`tester@127.0.0.1:${refused}`)));
      expect([refusedError.code, refusedError.where]).toEqual(['E_SSH_REFUSED', 'build-1 (jump 127.0.0.1)']);
      expect(refusedError.message).toBe(`nothing listens on 127.0.0.1:${refused}`);
      expect(refusedError.hints[0]).toMatch(
        new RegExp(`^ssh -v -F ${join(directory, 'config')} .*-p ${refused} (tester@)?127\\.0\\.0\\.1$`),
      );
      expect(refusedError.hints[0]).not.toMatch(/ -J/);
      const silent = await withListener((port) =>
        failure(connect(optionsFor({ port }, { transport, connectTimeoutMs: 300 }))).then((error) => ({ error, port })),
      );
      expect([silent.error.code, silent.error.hints[0]]).toEqual([
        'E_SSH_TIMEOUT',
        // With the dialled configuration and key.
        `ssh -v -F ${join(directory, 'config')} -i ${keyFile} -p ${silent.port} tester@127.0.0.1`,
      ]);
      const unknown = await failure(connect(to('tester@nowhere.invalid')));
      expect([unknown.code, unknown.message]).toEqual(['E_SSH_NAME', expect.toSay('no-address-known-nowhere')]);
      await withServer({ ...withKey, user: 'other' }, async (gate) => {
        const untrusted = await failure(connect(to(`mallory@127.0.0.1:${gate.port}`)));
        expect([untrusted.code, untrusted.where]).toEqual(['E_SSH_AUTH', 'build-1 (jump 127.0.0.1)']);
        expect(untrusted.message).toBe('authentication failed for mallory@127.0.0.1');
      });
    });
  });

  it('a jump host that forbids to lead on', async () => {
    await withServer(withKey, async (gate) => {
      await withServer(withKey, async (last) => {
        const options = optionsFor(last, { transport, jump: [`tester@127.0.0.1:${gate.port}`] });
        const error = await failure(connect(options));
        expect([error.code, error.hints.join()]).toEqual(['E_SSH_FORWARDING', expect.stringContaining('sshd -T')]);
      });
    });
  });

  it('a tunnel that sshd forbids is told from one that leads to no listener', async () => {
    if (transport !== 'ssh2') return;
    const refusals = async (forwards: boolean): Promise<DockerTlsError> =>
      withServer({ ...withKey, forwards }, async (server) => {
        await using session = await connect(optionsFor(server, { transport }));
        return await failure(session.tunnel?.open('127.0.0.1', 1) ?? Promise.reject(new Error('no tunnel')));
      });
    const forbidden = await refusals(false);
    expect([forbidden.code, forbidden.message]).toEqual([
      'E_SSH_FORWARDING',
      'ssh to 127.0.0.1 does not forward connections to 127.0.0.1:1',
    ]);
    expect((await refusals(true)).code).toBe('E_SSH_UNREACHABLE');
  });

  it('a jump host that hangs up after its login is an error of this host', async () => {
    await withServer({ ...withKey, forwards: true, misbehave: 'hang-up-after-login' }, async (gate) => {
      await withServer(withKey, async (last) => {
        const options = optionsFor(last, { transport, jump: [`tester@127.0.0.1:${gate.port}`] });
        const error = await failure(connect(options));
        expect(error).toMatchObject({ exit: 4, where: 'build-1' });
        if (transport === 'ssh2') expect(error.code).toBe('E_SSH_LOST');
      });
    });
  });
});

/** The hint: another transport. */
const OTHERS = transports.slice(1).map((name) => `--transport ${name}`);

describe('ssh2 alone', () => {
  it('leaves a banner that is too long for it', async () => {
    await withServer({ ...withKey, banner: 'x'.repeat(60_000) }, async (server) => {
      const error = await failure(connect(optionsFor(server, { transport: 'ssh2' })));
      expect([error.code, error.hints]).toEqual(['E_SSH_TRANSPORT', OTHERS]);
    });
  });

  it('leaves keys that it cannot use: FIDO, a certificate, a foreign form', async () => {
    const fido = join(directory, 'id_ed25519_sk');
    writeFileSync(fido, 'not to be read', { mode: 0o600 });
    writeFileSync(`${fido}.pub`, 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t\n');
    const certified = join(directory, 'certified');
    writeFileSync(certified, key.privateKey, { mode: 0o600 });
    writeFileSync(`${certified}-cert.pub`, '');
    const foreign = join(directory, 'pkcs8');
    execFileSync('openssl', ['genpkey', '-algorithm', 'RSA', '-out', foreign], { stdio: 'ignore' });
    for (const identity of [fido, `${fido}.pub`, certified, foreign]) {
      const error = await failure(connect(optionsFor({ port: 22 }, { identities: [identity], transport: 'ssh2' })));
      expect([error.code, error.hints]).toEqual(['E_SSH_TRANSPORT', OTHERS]);
    }
  });

  it('stops offering keys before the host hangs up', async () => {
    const identities = Array.from({ length: 9 }, (_, index) => {
      const file = join(directory, `many-${index}`);
      writeFileSync(file, makeKey().privateKey, { mode: 0o600 });
      return file;
    });
    await withServer({ ...withKey, password: 'room for me' }, async (server) => {
      const ask = questions({ password: 'room for me' });
      expect(await logIn(optionsFor(server, { identities, ask }))).toBe('in\n');
    });
  });

  it('offers the key of the agent that -i KEY.pub names, and no other of it', async () => {
    const file = join(directory, 'of-the-agent.pub');
    const socket = join(directory, 'agent-of-the-agent');
    writeFileSync(file, key.publicKey);
    vi.stubEnv('SSH_AUTH_SOCK', socket);
    const details = async (held: string): Promise<readonly string[]> => {
      const list = agentHolding(held);
      const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
      await new Promise<void>((resolve) => agent.listen(socket, resolve));
      try {
        return await withServer({ authorizedKeys: [] }, async (server) => {
          const options = optionsFor(server, { configFile: agentConfig, identities: [file] });
          return (await failure(connect(options))).details;
        });
      } finally {
        agent.close();
      }
    };
    expect((await details(key.publicKey)).join('\n')).toSay('tried-agent-key', 'publickey', 'held');
    expect(await details(key.publicKey)).not.toSay('is-public-key');
    const nothing = await details(makeKey().publicKey);
    expect(nothing).toSay('tried', 'nothing');
    expect(nothing).toSay('is-public-key');
  });

  it('names a public key of which the private one is nowhere', async () => {
    const file = join(directory, 'alone.pub');
    writeFileSync(file, makeKey('ed25519').publicKey);
    await withServer(withKey, async (server) => {
      const error = await failure(connect(optionsFor(server, { identities: [file] })));
      expect([error.code, error.details]).toEqual([
        'E_SSH_AUTH',
        expect.arrayContaining([expect.toSay('public-key-neither-agent', file)]),
      ]);
    });
  });

  it('offers no other key of the agent with -i', async () => {
    const other = join(directory, 'other-named');
    const socket = join(directory, 'agent-named');
    writeFileSync(other, makeKey().privateKey, { mode: 0o600 });
    vi.stubEnv('SSH_AUTH_SOCK', socket);
    const list = agentHolding(key.publicKey);
    const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    await withServer(withKey, async (server) => {
      const error = await failure(connect(optionsFor(server, { configFile: agentConfig, identities: [other] })));
      expect([error.code, error.details[0]]).toEqual(['E_SSH_AUTH', `tried: publickey ${other}`]);
    });
    agent.close();
  });

  it.each([
    ['a password that the host asks for in its own words once', 'Password: ', 1],
    ['a code at every login', 'Verification code: ', 2],
  ])('asks for %s', async (_what, prompt, times) => {
    const requested: string[] = [];
    await withServer({ interactive: [{ prompt, echo: false, answer: '42' }] }, async (server) => {
      const options = () => optionsFor(server, { identities: [], ask: questions({ password: '42' }, requested) });
      for (let login = 0; login < 2; login++) expect(await logIn(options())).toBe('in\n');
      expect(requested).toHaveLength(times);
    });
  });

  it('asks for nothing more once a question was broken off', async () => {
    const locked = makeKey('ed25519', 'secret');
    const file = join(directory, 'broken-off');
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    const requested: string[] = [];
    const ask = {
      ...questions({ password: 'x' }, requested),
      passphrase: () => Promise.reject(interrupted('stopped at a question')),
    };
    await withServer({ authorizedKeys: [locked.publicKey], password: 'x' }, async (server) => {
      const error = await failure(connect(optionsFor(server, { identities: [file], ask })));
      expect([error.code, requested]).toEqual(['E_INTERRUPTED', []]);
    });
  });

  it('says that no person can be asked for a passphrase', async () => {
    const locked = makeKey('ed25519', 'secret');
    const file = join(directory, 'locked-alone');
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    await withServer({ authorizedKeys: [locked.publicKey] }, async (server) => {
      const error = await failure(connect(optionsFor(server, { identities: [file] })));
      expect([error.code, error.exit, error.hints[0]]).toEqual(['E_SSH_KEY_PASSPHRASE', 2, `ssh-add ${file}`]);
      const wrong = await failure(
        connect(optionsFor(server, { identities: [file], ask: questions({ passphrase: 'no' }) })),
      );
      expect(wrong.code).toBe('E_SSH_KEY_PASSPHRASE');
    });
  });

  it('does not ask for the passphrase of a key that the host does not want', async () => {
    const locked = makeKey('ed25519', 'secret');
    const file = join(directory, 'locked-unwanted');
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    const requested: string[] = [];
    await withServer(withKey, async (server) => {
      const ask = questions({}, requested);
      expect(await logIn(optionsFor(server, { identities: [file, keyFile], ask }))).toBe('in\n');
      expect(requested).toEqual([]);
    });
  });

  it('logs in with an RSA and an ECDSA key', async () => {
    for (const type of ['rsa', 'ecdsa'] as const) {
      const pair = makeKey(type);
      const file = join(directory, `id_${type}`);
      writeFileSync(file, pair.privateKey, { mode: 0o600 });
      await withServer({ authorizedKeys: [pair.publicKey] }, async (server) => {
        expect(await logIn(optionsFor(server, { identities: [file] }))).toBe('in\n');
      });
    }
  });

  it('waits for an agent no longer than for a host where no person can be asked', async () => {
    const socket = join(directory, 'agent-hangs');
    vi.stubEnv('SSH_AUTH_SOCK', socket);
    const list = agentHolding(key.publicKey);
    const agent = createServer((client) =>
      client
        .on('error', () => {})
        .on('data', ([, , , , kind]) => {
          if (kind === 11) client.write(list);
        }),
    );
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { configFile: agentConfig, identities: [], connectTimeoutMs: 5000 });
      const error = await failure(connect(options));
      expect([error.code, error.message]).toEqual([
        'E_SSH_TIMEOUT',
        expect.toSay('signing-no-answer-agent', socket, '5000'),
      ]);
    });
    agent.close();
  });

  it('does not count the time in which a person types the passphrase of an old PEM file', async () => {
    const file = join(directory, 'old-pem');
    execFileSync('ssh-keygen', ['-q', '-m', 'PEM', '-t', 'rsa', '-b', '2048', '-N', 'open sesame', '-f', file]);
    const publicKey = readFileSync(`${file}.pub`, 'utf8');
    rmSync(`${file}.pub`);
    const ask: SshQuestions = {
      ...questions({}),
      passphrase: () => new Promise((resolve) => setTimeout(() => resolve(new Secret('open sesame')), 5500)),
    };
    await withServer({ authorizedKeys: [publicKey] }, async (server) => {
      expect(await logIn(optionsFor(server, { identities: [file], ask, connectTimeoutMs: 5000 }))).toBe('in\n');
    });
  });

  it('goes on with its key files when an agent does not even say what it holds', async () => {
    const socket = join(directory, 'agent-silent');
    vi.stubEnv('SSH_AUTH_SOCK', socket);
    const agent = createServer((client) => client.on('error', () => {}));
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    await withServer(withKey, async (server) => {
      expect(await logIn(optionsFor(server, { configFile: agentConfig, connectTimeoutMs: 4000 }))).toBe('in\n');
    });
    agent.close();
  });
});
