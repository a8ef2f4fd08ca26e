/** Host keys over each transport: unknown, known, changed, revoked, pinned. */

import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRuntime } from '../../../src/core/adapters/create-runtime.ts';
import { connect } from '../../../src/core/adapters/ssh/connect.ts';
import {
  directory,
  failure,
  logIn,
  optionsFor,
  questions,
  transports,
  whoami,
  withKey,
  withServer,
} from '../../support/ssh-login.ts';
import { makeKey } from '../../support/ssh-server.ts';

/** A port whose first connection leads to the first of these ports, and all others to the second: a name that has moved. */
async function withSwitch([first, then]: [number, number], work: (port: number) => Promise<void>): Promise<void> {
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const upstream = dial(connections === 1 ? first : then, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(transports)('%s', (transport) => {
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
      const requested: string[] = [];
      const file = join(directory, `fresh-${transport}`, 'known_hosts');
      const strict = { transport, hostKey: 'strict', knownHostsFile: file } as const;
      const no = await failure(
        connect(optionsFor(server, { ...strict, ask: questions({ hostKey: false }, requested) })),
      );
      expect(no.code).toBe('E_SSH_HOST_KEY_UNKNOWN');
      const ask = questions({ hostKey: true }, requested);
      await Promise.all([logIn(optionsFor(server, { ...strict, ask })), logIn(optionsFor(server, { ...strict, ask }))]);
      expect(requested).toEqual(Array(2).fill(`hostKey: ssh-ed25519 ${server.fingerprints[0]}`));
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

  it.each(['keeps no known hosts', 'knows both keys'])(
    'every connection of a run is to the host of the first: a computer that %s',
    async (how) => {
      const second = makeKey().privateKey;
      await withServer(withKey, async (one) => {
        await withServer({ ...withKey, hostKeys: [second] }, async (other) => {
          await withSwitch([one.port, other.port], async (port) => {
            const known = how.startsWith('knows');
            const more = known ? { hostKey: 'strict' } : { hostKey: 'accept-new', knownHostsFile: '/dev/null' };
            const options = optionsFor({ port }, { transport, ...more });
            const lines = [one, other].map(({ hostKeys }) => `[127.0.0.1]:${port} ${hostKeys[0]}\n`);
            if (known) writeFileSync(options.knownHostsFile ?? '', lines.join(''));
            const runtime = createRuntime({ colour: false, signal: new AbortController().signal });
            const connectInRun = runtime.connect;
            const session = await connectInRun(options);
            expect(session.hostKey).toMatchObject({ type: 'ssh-ed25519', fingerprint: one.fingerprints[0] });
            const error = await failure(connectInRun(options));
            expect([error.code, error.exit]).toEqual(['E_SSH_OTHER_HOST', 4]);
            expect(error.message).toSay('first-connection-run', 'ssh-ed25519', other.fingerprints[0]);
            expect(other.seen.auth).toEqual([]);
            expect(await whoami(session)).toBe('in\n');
            await session.close();
            // Another run, and another round of this one.
            expect(await logIn(options)).toBe('in\n');
            runtime.forgetFirstKeys();
            if (known) {
              writeFileSync(options.knownHostsFile ?? '', lines[0] ?? '');
              expect((await failure(connectInRun(options))).code).toBe('E_SSH_HOST_KEY_CHANGED');
              writeFileSync(options.knownHostsFile ?? '', lines.join(''));
            }
            const next = await connectInRun(options);
            expect(next.hostKey).toMatchObject({ fingerprint: other.fingerprints[0] });
            await next.close();
          });
        });
      });
    },
  );

  it('a key that is pinned whole is asked for by its type', async () => {
    const keys = [makeKey('ed25519'), makeKey('rsa'), makeKey('ecdsa')];
    await withServer({ ...withKey, hostKeys: keys.map((each) => each.privateKey) }, async (server) => {
      for (const hostKey of server.hostKeys) {
        const session = await connect(optionsFor(server, { transport, hostKey }));
        expect(`${session.hostKey?.type} ${session.hostKey?.base64}`).toBe(hostKey);
        await session.close();
      }
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

  it('writes nothing where the configuration keeps no known hosts, and takes a new key with accept-new all the same', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { transport, hostKey: 'accept-new', knownHostsFile: '/dev/null' });
      expect(await logIn(options)).toBe('in\n');
      const error = await failure(connect({ ...options, hostKey: 'strict' }));
      expect(error.hints.join('\n')).not.toContain('ssh-keyscan');
    });
  });

  it('asks for the key that is pinned where other keys of the host are known too', async () => {
    const keys = [makeKey('ed25519'), makeKey('rsa'), makeKey('ecdsa')];
    await withServer({ ...withKey, hostKeys: keys.map((each) => each.privateKey) }, async (server) => {
      const [ed25519, rsa, ecdsa] = server.hostKeys as [string, string, string];
      const knows = (...known: string[]) => known.map((key) => `[127.0.0.1]:${server.port} ${key}\n`).join('');
      // OpenSSH has its own order of requests, whatever is pinned.
      const others = [[1, knows(ecdsa, rsa, ed25519)] as const, [2, knows(ed25519, ecdsa)] as const];
      for (const [pinned, lines] of [
        [0, knows(ecdsa, rsa, ed25519)] as const,
        ...(transport === 'ssh2' ? [[0, knows(ecdsa, rsa)] as const, ...others] : []),
      ]) {
        const options = optionsFor(server, { transport, hostKey: server.fingerprints[pinned] });
        writeFileSync(options.knownHostsFile ?? '', lines);
        expect(await logIn(options)).toBe('in\n');
      }
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
});

describe('ssh2 alone', () => {
  it('holds the host to its key where keys are exchanged again', async () => {
    const own = makeKey().privateKey;
    await withServer({ ...withKey, hostKeys: [own] }, async (server) => {
      const session = await connect(optionsFor(server, { transport: 'ssh2' }));
      const say = () => whoami(session).catch((error) => error.code);
      server.rekey(own);
      for (let run = 0; run < 3; run += 1) expect(await say()).toBe('in\n');
      server.rekey(makeKey().privateKey);
      await expect.poll(say).toBe('E_SSH_LOST');
      await session.close();
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

  it('leaves a host to another transport for which a certificate authority is trusted', async () => {
    await withServer(withKey, async (server) => {
      const options = optionsFor(server, { hostKey: 'strict' });
      writeFileSync(options.knownHostsFile ?? '', `@cert-authority [127.0.0.1]:* ${makeKey().publicKey}\n`);
      const error = await failure(connect({ ...options, transport: 'ssh2' }));
      expect(error.code).toBe('E_SSH_TRANSPORT');
      expect(error.message).toContain(`${options.knownHostsFile}:1`);
      expect(server.seen.connections).toBe(0);
    });
  });

  it('tells a known_hosts that cannot be used', async () => {
    await withServer(withKey, async (server) => {
      const occupied = join(directory, 'occupied');
      mkdirSync(occupied);
      chmodSync(occupied, 0o700);
      const error = await failure(connect(optionsFor(server, { knownHostsFile: occupied })));
      expect([error.code, error.exit]).toEqual(['E_SSH_KNOWN_HOSTS_FILE', 2]);
    });
  });
});
