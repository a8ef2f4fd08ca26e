/** Login to a real SSH server in this process, by each transport: every method, jump hosts, the ssh config. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/core/adapters/ssh/connect.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { SshOptions, SshQuestions } from '../../../src/core/runtime.ts';
import type { DockerTlsError } from '../../../src/errors/errors.ts';
import { interrupted } from '../../../src/errors/errors.ts';
import { ownPort } from '../../support/ports.ts';
import {
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

/** The key list of an agent that holds one key. */
function agentHolding(publicKey: string): Buffer {
  const string = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const blob = Buffer.from(publicKey.split(' ')[1] as string, 'base64');
  return string(Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), string(blob), string(Buffer.from('held'))]));
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

  it.each([
    ['PubkeyAuthentication', withKey],
    ['PasswordAuthentication', { password: 'right' }],
    ['KbdInteractiveAuthentication', { interactive: [{ prompt: 'Password: ', echo: false, answer: 'right' }] }],
  ])('does not use what %s switches off', async (keyword, host) => {
    const config = join(directory, `off-${keyword}-${transport}`);
    writeFileSync(config, `IdentityAgent none\nIdentityFile none\n${keyword} no\n`);
    const requested: string[] = [];
    await withServer(host, async (server) => {
      const ask = questions({ password: 'right' }, requested);
      const error = await failure(connect(optionsFor(server, { transport, configFile: config, ask })));
      expect([error.code, requested]).toEqual(['E_SSH_AUTH', []]);
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

  it("refuses hosts that are each other's jump host before anything is dialled", async () => {
    const config = join(directory, `circle-${transport}`);
    writeFileSync(config, 'Host one\n ProxyJump two\nHost two\n ProxyJump one\n');
    const options = { ...optionsFor({ port: 22 }, { transport, configFile: config }), destination: 'one' };
    const error = await failure(connect({ ...options, port: undefined }));
    expect([error.code, error.exit, error.where]).toEqual(['E_SSH_CONFIG', 2, 'build-1']);
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

  it('is led astray by nothing in the ssh config that is meant for people', async () => {
    await withServer({ ...withKey, password: 'x' }, async (server) => {
      const config = join(directory, `people-${transport}`);
      const lines = ['IdentityAgent none', 'IdentityFile none', 'LogLevel QUIET', 'RequestTTY force', 'StdinNull yes'];
      writeFileSync(config, `${lines.join('\n')}\nRemoteCommand sleep 1\nForkAfterAuthentication yes\n`);
      expect(await logIn(optionsFor(server, { transport, configFile: config }))).toBe('in\n');
      const other = join(directory, `people-other-${transport}`);
      writeFileSync(other, makeKey().privateKey, { mode: 0o600 });
      const error = await failure(connect(optionsFor(server, { transport, configFile: config, identities: [other] })));
      expect(error.code).toBe('E_SSH_AUTH');
    });
  });

  it('hands no agent on, and runs no command of this computer, whatever the ssh config says', async () => {
    const socket = join(directory, `agent-on-${transport}`);
    const ran = join(directory, `local-command-${transport}`);
    const config = join(directory, `handing-on-${transport}`);
    const lines = ['IdentityFile none', `IdentityAgent ${socket}`, 'ForwardAgent yes', 'ForwardX11 yes'];
    writeFileSync(config, `${lines.join('\n')}\nPermitLocalCommand yes\nLocalCommand touch ${ran}\n`);
    const list = agentHolding(makeKey().publicKey);
    const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    try {
      await withServer(withKey, async (server) => {
        expect(await logIn(optionsFor(server, { transport, configFile: config }))).toBe('in\n');
        expect([server.seen.forwards, existsSync(ran)]).toEqual([[], false]);
      });
    } finally {
      agent.close();
    }
  });

  it('takes host name, port, user and jump from the ssh config', async () => {
    await withServer({ ...withKey, forwards: true }, async (jump) => {
      await withServer({ ...withKey, user: 'ops', hostKeys: [makeKey().privateKey] }, async (server) => {
        const config = join(directory, `alias-${transport}`);
        writeFileSync(
          config,
          [
            `Host gate\n HostName 127.0.0.1\n Port ${jump.port}\n User tester`,
            `Match host build.example\n HostName 127.0.0.1\n Port ${server.port}\n User ops\n ProxyJump gate`,
            `Host *\n IdentityFile ${keyFile}\n IdentityAgent none\n`,
          ].join('\n'),
        );
        const options = optionsFor(server, {
          transport,
          configFile: config,
          destination: 'build.example',
          user: undefined,
          port: undefined,
          identities: [],
        });
        const session = await connect(options);
        expect([session.user, session.dialled]).toEqual(['ops', '127.0.0.1']);
        expect(await whoami(session)).toBe('in\n');
        await session.close();
        expect(jump.seen.connections).toBe(1);
      });
    });
  });
});

/** The hint: another transport. */
const OTHERS = transports.slice(1).map((name) => `--transport ${name}`);

/** One keyword each that ssh2 does not support. */
const BEYOND: Readonly<Record<string, string>> = {
  BindAddress: '127.0.0.1',
  BindInterface: 'lo',
  CertificateFile: '/etc/hostname',
  ControlPath: '/tmp/none-%C',
  HostbasedAuthentication: 'yes',
  KnownHostsCommand: '/bin/true',
  PKCS11Provider: '/usr/lib/none.so',
  PreferredAuthentications: 'publickey',
  ProxyCommand: 'nc %h %p',
  RevokedHostKeys: '/dev/null',
  VerifyHostKeyDNS: 'yes',
};

describe('ssh2 alone', () => {
  it('leaves a banner that is too long for it', async () => {
    await withServer({ ...withKey, banner: 'x'.repeat(60_000) }, async (server) => {
      const error = await failure(connect(optionsFor(server, { transport: 'ssh2' })));
      expect([error.code, error.hints]).toEqual(['E_SSH_TRANSPORT', OTHERS]);
    });
  });

  it.each(Object.entries(BEYOND))('leaves %s before it dials, and ignores none', async (key, value) => {
    const configFile = join(directory, `config-${key}`);
    writeFileSync(configFile, `IdentityAgent none\nIdentityFile none\n${key} ${value}\n`);
    await withServer(withKey, async (server) => {
      const error = await failure(connect(optionsFor(server, { configFile, transport: 'ssh2' })));
      expect([error.code, error.exit, error.hints]).toEqual(['E_SSH_TRANSPORT', 2, OTHERS]);
      expect(error.message).toContain(`the ssh config has ${key}`);
      expect(server.seen.connections).toBe(0);
      const jump = { ...optionsFor({ port: 22 }, { transport: 'ssh2' }), jump: [`tester@127.0.0.1:${server.port}`] };
      expect((await failure(connect({ ...jump, configFile }))).code).toBe('E_SSH_TRANSPORT');
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
    const config = join(directory, 'config-of-the-agent');
    const socket = join(directory, 'agent-of-the-agent');
    writeFileSync(file, key.publicKey);
    writeFileSync(config, `IdentityAgent ${socket}\nIdentityFile none\n`);
    const details = async (held: string): Promise<readonly string[]> => {
      const list = agentHolding(held);
      const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
      await new Promise<void>((resolve) => agent.listen(socket, resolve));
      try {
        return await withServer({ authorizedKeys: [] }, async (server) => {
          const options = optionsFor(server, { configFile: config, identities: [file] });
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

  it.each([
    ['IdentitiesOnly', 'IdentitiesOnly yes\n', false],
    ['-i', '', true],
  ])('offers no other key of the agent with %s', async (_, line, named) => {
    const other = join(directory, `other-${named}`);
    const config = join(directory, `config-agent-${named}`);
    const socket = join(directory, `agent-${named}`);
    writeFileSync(other, makeKey().privateKey, { mode: 0o600 });
    writeFileSync(config, `IdentityAgent ${socket}\nIdentityFile ${named ? 'none' : other}\n${line}`);
    const list = agentHolding(key.publicKey);
    const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    await withServer(withKey, async (server) => {
      const identities = named ? [other] : [];
      const error = await failure(connect(optionsFor(server, { configFile: config, identities })));
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

  it('offers named keys that the agent holds, then its others, then files', async () => {
    const files = [1, 2].map((index) => {
      const pair = makeKey();
      const file = join(directory, `order-${index}`);
      writeFileSync(file, pair.privateKey, { mode: 0o600 });
      return { file, ...pair };
    });
    const config = join(directory, 'config-order');
    const socket = join(directory, 'agent-order');
    const identities = files.map(({ file }) => `IdentityFile ${file}\n`).join('');
    writeFileSync(config, `IdentityAgent ${socket}\n${identities}`);
    const tried = async (publicKey: string): Promise<string | undefined> => {
      const list = agentHolding(publicKey);
      const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
      await new Promise<void>((resolve) => agent.listen(socket, resolve));
      try {
        return await withServer({ authorizedKeys: [] }, async (server) => {
          const error = await failure(connect(optionsFor(server, { configFile: config, identities: [] })));
          return error.details[0];
        });
      } finally {
        agent.close();
      }
    };
    const [first, second] = files.map(({ file }) => `publickey ${file}`);
    const held = 'publickey agent key held';
    expect(await tried(files[1]?.publicKey ?? '')).toBe(`tried: ${held}, ${first}`);
    expect(await tried(makeKey().publicKey)).toBe(`tried: ${held}, ${first}, ${second}`);
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
    const config = join(directory, 'config-agent-hangs');
    writeFileSync(config, `IdentityAgent ${socket}\nIdentityFile none\n`);
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
      const options = optionsFor(server, { configFile: config, identities: [], connectTimeoutMs: 5000 });
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
    const config = join(directory, 'config-agent-silent');
    writeFileSync(config, `IdentityAgent ${socket}\nIdentityFile ${keyFile}\n`);
    const agent = createServer((client) => client.on('error', () => {}));
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    await withServer(withKey, async (server) => {
      expect(await logIn(optionsFor(server, { configFile: config, identities: [], connectTimeoutMs: 4000 }))).toBe(
        'in\n',
      );
    });
    agent.close();
  });
});
