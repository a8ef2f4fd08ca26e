/** The ssh2 and openssh transports against a real SSH server in this process: logging in, host keys, and every failure's code. */

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DockerTlsError } from '../../src/errors.ts';
import { connect } from '../../src/remote/connect.ts';
import type { HostSession, SshOptions, SshQuestions } from '../../src/runtime.ts';
import { Secret } from '../../src/secret.ts';
import { makeKey, type SshServer, type SshServerOptions, startSshServer } from '../support/ssh-server.ts';

const folder = mkdtempSync('/tmp/docker-tls-test-ssh-');
const key = makeKey();
const keyFile = join(folder, 'id_test');
writeFileSync(keyFile, key.privateKey, { mode: 0o600 });
writeFileSync(join(folder, 'config'), 'IdentityAgent none\nIdentityFile none\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** Options that see nothing of the person who runs the tests. */
function optionsFor(server: { port: number }, more: Partial<SshOptions> = {}): SshOptions {
  files += 1;
  return {
    host: 'build-1',
    destination: '127.0.0.1',
    user: 'tester',
    port: server.port,
    configFile: join(folder, 'config'),
    knownHostsFile: join(folder, `known_hosts_${files}`),
    hostKey: 'accept-new',
    identities: [keyFile],
    connectTimeoutMs: 15_000,
    ...more,
  };
}

function questions(answers: Partial<Record<keyof SshQuestions, string | boolean>>, asked: string[] = []): SshQuestions {
  const say = (kind: keyof SshQuestions, text: string): Secret => {
    asked.push(`${kind}: ${text}`);
    return new Secret(String(answers[kind] ?? ''));
  };
  return {
    hostKey: async ({ type, fingerprint }) => {
      asked.push(`hostKey: ${type} ${fingerprint}`);
      return answers.hostKey === true;
    },
    passphrase: async ({ file }) => say('passphrase', file),
    password: async ({ prompt }) => say('password', prompt),
  };
}

async function whoami(session: HostSession): Promise<string> {
  const result = await session.run({ phase: 'test', script: 'echo in', asRoot: false, timeoutMs: 20_000 });
  return result.stdout.toString();
}

async function failure(work: Promise<unknown>): Promise<DockerTlsError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DockerTlsError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

async function withServer<Result>(
  options: SshServerOptions,
  work: (server: SshServer) => Promise<Result>,
): Promise<Result> {
  const server = await startSshServer(options);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

async function logIn(options: SshOptions): Promise<string> {
  const session = await connect(options);
  try {
    return await whoami(session);
  } finally {
    await session.close();
  }
}

const withKey: SshServerOptions = { authorizedKeys: [key.publicKey] };

describe.each(['ssh2', 'openssh'] as const)('%s', (transport) => {
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

  it('asks for the passphrase of an encrypted key once, whatever the number of hosts', async () => {
    const locked = makeKey('ed25519', 'open sesame');
    const file = join(folder, `locked-${transport}`);
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    const asked: string[] = [];
    const ask = questions({ passphrase: 'open sesame' }, asked);
    await withServer({ authorizedKeys: [locked.publicKey] }, async (server) => {
      const options = (): SshOptions => optionsFor(server, { transport, identities: [file], ask });
      expect(await Promise.all([logIn(options()), logIn(options()), logIn(options())])).toEqual([
        'in\n',
        'in\n',
        'in\n',
      ]);
      expect(asked).toEqual([`passphrase: ${file}`]);
    });
  });

  it('logs in with a password', async () => {
    const asked: string[] = [];
    await withServer({ password: 'correct horse' }, async (server) => {
      const ask = questions({ password: 'correct horse' }, asked);
      expect(await logIn(optionsFor(server, { transport, identities: [], ask }))).toBe('in\n');
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatch(/^password: .*password/);
    });
  });

  it('logs in by keyboard-interactive with two questions', async () => {
    const interactive = [
      { prompt: 'Password: ', echo: false, answer: 'same' },
      { prompt: 'Code: ', echo: true, answer: 'same' },
    ];
    const asked: string[] = [];
    await withServer({ interactive }, async (server) => {
      const ask = questions({ password: 'same' }, asked);
      expect(await logIn(optionsFor(server, { transport, identities: [], ask }))).toBe('in\n');
      expect(asked.map((line) => line.replace(/\(.*?\) ?/, ''))).toEqual(['password: Password:', 'password: Code:']);
    });
  });

  it('logs in with a key and then a password', async () => {
    await withServer({ ...withKey, password: 'second', twoFactors: true }, async (server) => {
      expect(await logIn(optionsFor(server, { transport, ask: questions({ password: 'second' }) }))).toBe('in\n');
    });
  });

  it('says what was tried when nothing lets it in', async () => {
    await withServer({ ...withKey, password: 'x' }, async (server) => {
      const other = join(folder, 'other');
      writeFileSync(other, makeKey().privateKey, { mode: 0o600 });
      const error = await failure(connect(optionsFor(server, { transport, identities: [other] })));
      expect([error.code, error.exit, error.where]).toEqual(['E_SSH_AUTH', 4, 'build-1']);
      expect(error.hints).toContain('-i KEYFILE');
      const details = error.details.join('\n');
      expect(details).toContain(transport === 'ssh2' ? `publickey ${other}` : 'Permission denied');
      expect(details).toContain('password');
    });
  });

  it('gives up on a wrong password after a few tries', async () => {
    const asked: string[] = [];
    await withServer({ password: 'right', maxAuthTries: 20 }, async (server) => {
      const ask = questions({ password: 'wrong' }, asked);
      const error = await failure(connect(optionsFor(server, { transport, identities: [], ask })));
      expect(error.code).toBe('E_SSH_AUTH');
      expect(asked).toHaveLength(3);
    });
  });

  it('refuses an unknown host key, shows it, and leaves known_hosts alone', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { transport, hostKey: undefined });
      const error = await failure(connect(options));
      expect([error.code, error.exit]).toEqual(['E_SSH_HOST_KEY_UNKNOWN', 4]);
      expect(error.message).toContain(`ssh-ed25519 ${server.fingerprints[0]}`);
      expect(error.hints.join('\n')).toContain(`--host-key ${server.fingerprints[0]}`);
      expect(error.hints.join('\n')).toContain(`ssh-keyscan -p ${server.port} 127.0.0.1`);
      expect(() => statSync(options.knownHostsFile ?? '')).toThrow();
      expect(server.seen.auth).toEqual([]);
    });
  });

  it('asks about an unknown host key once, stores it, and then knows it', async () => {
    await withServer(withKey, async (server) => {
      const asked: string[] = [];
      const file = join(folder, `fresh-${transport}`, 'known_hosts');
      const strict = { transport, hostKey: 'strict', knownHostsFile: file } as const;
      const no = await failure(connect(optionsFor(server, { ...strict, ask: questions({ hostKey: false }, asked) })));
      expect(no.code).toBe('E_SSH_HOST_KEY_UNKNOWN');
      const ask = questions({ hostKey: true }, asked);
      await Promise.all([logIn(optionsFor(server, { ...strict, ask })), logIn(optionsFor(server, { ...strict, ask }))]);
      expect(asked).toEqual(Array(2).fill(`hostKey: ssh-ed25519 ${server.fingerprints[0]}`));
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
      expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
      expect(await logIn(optionsFor(server, strict))).toBe('in\n');
    });
  });

  it('always refuses a changed key, and says where the old one is', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { transport, ask: questions({ hostKey: true }) });
      const old = makeKey().publicKey.split(' ').slice(0, 2).join(' ');
      writeFileSync(options.knownHostsFile ?? '', `# mine\n[127.0.0.1]:${server.port} ${old}\n`);
      for (const hostKey of ['strict', 'accept-new']) {
        const error = await failure(connect({ ...options, hostKey }));
        expect([error.code, error.exit]).toEqual(['E_SSH_HOST_KEY_CHANGED', 4]);
        expect(error.message).toContain(`${options.knownHostsFile}:2`);
        expect(error.hints.join('\n')).toContain(`ssh-keygen -f ${options.knownHostsFile} -R`);
      }
      expect(server.seen.auth).toEqual([]);
    });
  });

  it('refuses a revoked key even when it is pinned', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { transport, hostKey: server.fingerprints[0] });
      writeFileSync(options.knownHostsFile ?? '', `@revoked * ${server.hostKeys[0]}\n`);
      expect((await failure(connect(options))).code).toBe('E_SSH_HOST_KEY_REVOKED');
    });
  });

  it('pins exactly the key that was named, and writes nothing', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { transport, hostKey: server.fingerprints[0] });
      expect(await logIn(options)).toBe('in\n');
      expect(() => statSync(options.knownHostsFile ?? '')).toThrow();
      const wrong = `SHA256:${'A'.repeat(43)}`;
      const error = await failure(connect(optionsFor(server, { transport, hostKey: wrong })));
      expect(error.code).toBe('E_SSH_HOST_KEY_PIN');
      expect(error.message).toContain(server.fingerprints[0]);
    });
  });

  it('asks first for the type of key that is known', async () => {
    const keys = [makeKey('ed25519'), makeKey('rsa'), makeKey('ecdsa')];
    await withServer({ ...withKey, hostKeys: keys.map((each) => each.privateKey) }, async (server) => {
      for (const known of server.hostKeys) {
        const options = optionsFor(server, { transport, hostKey: 'strict' });
        writeFileSync(options.knownHostsFile ?? '', `[127.0.0.1]:${server.port} ${known}\n`);
        expect(await logIn(options)).toBe('in\n');
      }
    });
  });

  it('goes through jump hosts, and says which one is not known', async () => {
    await withServer({ ...withKey, forwards: true }, async (first) => {
      await withServer({ ...withKey, forwards: true, hostKeys: [makeKey().privateKey] }, async (second) => {
        await withServer({ ...withKey, hostKeys: [makeKey().privateKey] }, async (last) => {
          const jump = [`tester@127.0.0.1:${first.port}`, `tester@127.0.0.1:${second.port}`];
          const config = join(folder, `jump-${transport}`);
          writeFileSync(config, `IdentityAgent none\nIdentityFile ${keyFile}\n`);
          const options = optionsFor(last, { transport, jump, configFile: config });
          expect(await logIn(options)).toBe('in\n');
          expect([first.seen.connections, second.seen.connections, last.seen.connections]).toEqual([1, 1, 1]);
          const strict = optionsFor(last, { transport, jump, configFile: config, hostKey: 'strict' });
          const error = await failure(connect(strict));
          expect(error.code).toBe('E_SSH_HOST_KEY_UNKNOWN');
          expect(error.where).toBe('build-1 (jump 127.0.0.1)');
        });
      });
    });
  });

  it('takes host name, port, user and jump from the ssh config', async () => {
    await withServer({ ...withKey, forwards: true }, async (jump) => {
      await withServer({ ...withKey, user: 'ops', hostKeys: [makeKey().privateKey] }, async (server) => {
        const config = join(folder, `alias-${transport}`);
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

  it.each<readonly [string, SshServerOptions, string]>([
    // ssh's master waits for a channel that this server does not close: only ssh2 can tell.
    ...(transport === 'ssh2' ? [['refuses the exec', { misbehave: 'refuse-exec' }, 'E_SSH_NO_SHELL'] as const] : []),
    ['has a nologin shell', { misbehave: 'nologin' }, 'E_SSH_NO_SHELL'],
    ['has a forced command', { misbehave: { forced: 'echo backup done; exit 3' } }, 'E_SSH_NO_SHELL'],
    ['prints without end', { misbehave: 'endless-noise' }, 'E_SSH_NO_SHELL'],
    ['opens no session', { maxSessions: 0 }, 'E_SSH_NO_SHELL'],
  ])('a host that %s', async (_name, server, code) => {
    await withServer({ ...withKey, ...server }, async (running) => {
      const session = await connect(optionsFor(running, { transport }));
      const error = await failure(whoami(session));
      expect([error.code, error.exit, error.where]).toEqual([code, 4, 'build-1']);
      expect(error.hints.length).toBeGreaterThan(0);
      await session.close();
    });
  });

  it('says E_SSH_LOST when the connection breaks, never a status', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const run = session.run({
        phase: 'apply',
        script: 'echo begun; sleep 20; echo done',
        asRoot: false,
        timeoutMs: 15_000,
        onLine: () => server.cut(),
      });
      const error = await failure(run);
      expect(error.code).toBe('E_SSH_LOST');
      expect(error.message).toContain('apply');
      expect((await failure(whoami(session))).code).toBe('E_SSH_LOST');
      await session.close();
    });
  });

  it('ends a phase that takes too long, and goes on working', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const error = await failure(session.run({ phase: 'facts', script: 'sleep 30', asRoot: false, timeoutMs: 300 }));
      expect(error.code).toBe('E_SSH_TIMEOUT');
      expect(error.message).toBe('the phase facts is not done after 300 ms');
      expect(await whoami(session)).toBe('in\n');
      await session.close();
    });
  });

  it('stops on abort, and the session goes on for the way back', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const abort = new AbortController();
      const run = session.run({
        phase: 'apply',
        script: 'echo x; sleep 30',
        asRoot: false,
        timeoutMs: 15_000,
        onLine: () => abort.abort(),
        signal: abort.signal,
      });
      const error = await failure(run);
      expect([error.code, error.exit]).toEqual(['E_INTERRUPTED', 130]);
      expect(await whoami(session)).toBe('in\n');
      await session.close();
    });
  });

  it('runs more scripts at once than the host opens sessions', async () => {
    await withServer({ ...withKey, maxSessions: 10 }, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const all = await Promise.all(Array.from({ length: 25 }, () => whoami(session)));
      expect(all.every((text) => text === 'in\n')).toBe(true);
      expect(server.seen.most).toBeLessThanOrEqual(10);
      await session.close();
    });
  });

  it('gives large outputs whole and refuses endless ones', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const large = await session.run({
        phase: 'large',
        script: 'head -c 5000000 /dev/zero',
        asRoot: false,
        timeoutMs: 60_000,
      });
      expect(large.stdout.length).toBe(5_000_000);
      const error = await failure(
        session.run({ phase: 'endless', script: 'cat /dev/zero', asRoot: false, timeoutMs: 100_000 }),
      );
      expect(error.code).toBe('E_SSH_OUTPUT');
      await session.close();
    });
  });

  it('sends 3 MB of input and reads them back', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const input = Buffer.alloc(3_000_000, Buffer.from([0, 1, 2, 253, 254, 255, 10, 13]));
      const result = await session.run({
        phase: 'echo',
        script: 'head -c 10 >/dev/null; cat',
        input: [new Secret('0123456789'), input],
        asRoot: true,
        timeoutMs: 60_000,
      });
      expect(result.stdout.equals(input)).toBe(true);
      await session.close();
    });
  });

  it('does not wait for what the script left running', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const result = await session.run({
        phase: 'left',
        script: 'sleep 30 & echo $!',
        asRoot: false,
        timeoutMs: 10_000,
      });
      process.kill(Number(result.stdout.toString()), 'SIGKILL');
      expect(result.status).toBe(0);
      await session.close();
    });
  });

  it('says so when the script kills its shell', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const error = await failure(
        session.run({ phase: 'suicide', script: 'kill -9 $$; sleep 1', asRoot: false, timeoutMs: 10_000 }),
      );
      expect(error.code).toBe('E_SSH_LOST');
      await session.close();
    });
  });

  it.each<[string, Partial<SshOptions>, string, number]>([
    ['a name without address', { destination: 'no-such-host.invalid' }, 'E_SSH_NAME', 4],
    ['a name that is none', { destination: 'a;b' }, 'E_SSH_NAME', 2],
    ['an option as a name', { destination: '-oProxyCommand=x' }, 'E_SSH_NAME', 2],
    ['a closed port', { port: 1 }, 'E_SSH_REFUSED', 4],
    ['a missing key file', { identities: ['/nonexistent/key'] }, 'E_SSH_KEY_FILE', 2],
    ['a missing ssh config', { configFile: '/nonexistent/config' }, 'E_SSH_CONFIG', 2],
  ])('%s', async (_name, more, code, exit) => {
    const error = await failure(connect(optionsFor({ port: 1 }, { transport, ...more })));
    expect([error.code, error.exit, error.where?.startsWith('build-1') ?? true]).toEqual([code, exit, true]);
    expect(error.hints.length + error.message.length).toBeGreaterThan(0);
  });

  it('names the phase in which a host fell silent', async () => {
    await withServer({ misbehave: 'mute' }, async (server) => {
      const error = await failure(connect(optionsFor(server, { transport, connectTimeoutMs: 700 })));
      expect(error.code).toBe('E_SSH_TIMEOUT');
      if (transport === 'ssh2') expect(error.message).toContain('exchanging keys');
      expect(error.message).toContain('700 ms');
    });
  });

  it('stops connecting on abort', async () => {
    await withServer({ misbehave: 'mute' }, async (server) => {
      const signal = AbortSignal.timeout(200);
      expect((await failure(connect(optionsFor(server, { transport, signal })))).code).toBe('E_INTERRUPTED');
    });
  });

  it('says so when the host hangs up or speaks something else', async () => {
    await withServer({ misbehave: 'hang-up' }, async (server) => {
      expect((await failure(connect(optionsFor(server, { transport })))).code).toBe('E_SSH_REFUSED');
    });
    const web: Server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const { port } = web.address() as { port: number };
    expect((await failure(connect(optionsFor({ port }, { transport })))).code).toBe('E_SSH_REFUSED');
    web.close();
  });

  it('says so when there is no algorithm in common', async () => {
    await withServer({ ...withKey, algorithms: { cipher: ['aes256-cbc'] } }, async (server) => {
      const error = await failure(connect(optionsFor(server, { transport })));
      expect(error.code).toBe('E_SSH_NO_ALGORITHM');
    });
  });
});

describe('ssh2 alone', () => {
  it('leaves ProxyCommand, FIDO keys and certificates to the other transport', async () => {
    const config = join(folder, 'proxy');
    writeFileSync(config, 'Host *\n ProxyCommand nc %h %p\n');
    const proxy = await failure(connect(optionsFor({ port: 22 }, { configFile: config })));
    expect([proxy.code, proxy.hints[0]]).toEqual(['E_SSH_PROXY_COMMAND', '--transport openssh']);
    const fido = join(folder, 'id_ed25519_sk');
    writeFileSync(fido, 'not to be read', { mode: 0o600 });
    writeFileSync(`${fido}.pub`, 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t\n');
    const error = await failure(connect(optionsFor({ port: 22 }, { identities: [fido] })));
    expect([error.code, error.hints[0]]).toEqual(['E_SSH_KEY_UNSUPPORTED', '--transport openssh']);
  });

  it('stops offering keys before the host hangs up', async () => {
    const identities = Array.from({ length: 9 }, (_, index) => {
      const file = join(folder, `many-${index}`);
      writeFileSync(file, makeKey().privateKey, { mode: 0o600 });
      return file;
    });
    await withServer({ ...withKey, password: 'room for me' }, async (server) => {
      const ask = questions({ password: 'room for me' });
      expect(await logIn(optionsFor(server, { identities, ask }))).toBe('in\n');
    });
  });

  it('says that nobody can be asked for a passphrase', async () => {
    const locked = makeKey('ed25519', 'secret');
    const file = join(folder, 'locked-alone');
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
    const file = join(folder, 'locked-unwanted');
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    const asked: string[] = [];
    await withServer(withKey, async (server) => {
      const ask = questions({}, asked);
      expect(await logIn(optionsFor(server, { identities: [file, keyFile], ask }))).toBe('in\n');
      expect(asked).toEqual([]);
    });
  });

  it('logs in with an RSA and an ECDSA key', async () => {
    for (const type of ['rsa', 'ecdsa'] as const) {
      const pair = makeKey(type);
      const file = join(folder, `id_${type}`);
      writeFileSync(file, pair.privateKey, { mode: 0o600 });
      await withServer({ authorizedKeys: [pair.publicKey] }, async (server) => {
        expect(await logIn(optionsFor(server, { identities: [file] }))).toBe('in\n');
      });
    }
  });

  it('logs in with the right key in one step', async () => {
    await withServer(withKey, async (server) => {
      await logIn(optionsFor(server));
      expect(server.seen.auth).toEqual(['publickey signed']);
    });
  });

  it('knocks again at a host that drops connections when many come at once', async () => {
    await withServer({ ...withKey, misbehave: { hangUpFirst: 2 } }, async (server) => {
      expect(await logIn(optionsFor(server))).toBe('in\n');
      expect(server.seen.connections).toBe(3);
    });
  });

  it('refuses a host that has only keys of a type that was never seen', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server);
      writeFileSync(options.knownHostsFile ?? '', `[127.0.0.1]:${server.port} ${makeKey('ecdsa').publicKey}\n`);
      const error = await failure(connect(options));
      expect(error.code).toBe('E_SSH_HOST_KEY_CHANGED');
      expect(error.message).toContain('another type');
    });
  });

  it('says that it cannot check host certificates', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { hostKey: 'strict' });
      writeFileSync(options.knownHostsFile ?? '', `@cert-authority [127.0.0.1]:* ${makeKey().publicKey}\n`);
      const error = await failure(connect(options));
      expect(error.code).toBe('E_SSH_HOST_KEY_UNKNOWN');
      expect(error.hints[0]).toBe('--transport openssh');
      expect(error.details[0]).toContain(':1');
    });
  });

  it('tells a known_hosts that cannot be used', async () => {
    await withServer(withKey, async (server) => {
      const occupied = join(folder, 'occupied');
      mkdirSync(occupied);
      chmodSync(occupied, 0o700);
      const error = await failure(connect(optionsFor(server, { knownHostsFile: occupied })));
      expect([error.code, error.exit]).toEqual(['E_SSH_KNOWN_HOSTS_FILE', 2]);
    });
  });
});
