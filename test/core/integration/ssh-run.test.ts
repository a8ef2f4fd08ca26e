/** Scripts over each transport, and every failure of a host or a connection. */

import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/core/adapters/ssh/connect.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { SshOptions } from '../../../src/core/runtime.ts';
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
import type { SshServerOptions } from '../../support/ssh-server.ts';

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(transports)('%s', (transport) => {
  it('logs in by keyboard-interactive with two questions', async () => {
    const interactive = [
      { prompt: 'Password: ', echo: false, answer: 'same' },
      { prompt: 'Code: ', echo: true, answer: 'same' },
    ];
    const requested: string[] = [];
    await withServer({ interactive }, async (server) => {
      const ask = questions({ password: 'same' }, requested);
      expect(await logIn(optionsFor(server, { transport, identities: [], ask }))).toBe('in\n');
      expect(requested.map((line) => line.replace(/\(.*?\) ?/, ''))).toEqual([
        'password: Password:',
        'password: Code:',
      ]);
    });
  });

  it.each<readonly [string, SshServerOptions, string]>([
    // ssh's master waits for a channel that this server does not close: only ssh2 can tell.
    ...(transport === 'ssh2' ? [['refuses the exec', { misbehave: 'refuse-exec' }, 'E_SSH_NO_SHELL'] as const] : []),
    ['has a nologin shell', { misbehave: 'nologin' }, 'E_SSH_NO_SHELL'],
    ['has a forced command', { misbehave: { forced: 'echo backup done; exit 3' } }, 'E_SSH_NO_SHELL'],
    [
      'has no env',
      { misbehave: { forced: 'echo "bash: line 1: /usr/bin/env: No such file or directory" >&2; exit 127' } },
      'E_HOST_PROGRAM',
    ],
    ['prints without end', { misbehave: 'endless-noise' }, 'E_SSH_NO_SHELL'],
    ['opens no session', { maxSessions: 0 }, 'E_SSH_NO_SHELL'],
  ])('a host that %s', async (_name, server, code) => {
    await withServer({ ...withKey, ...server }, async (running) => {
      const session = await connect(optionsFor(running, { transport }));
      const error = await failure(whoami(session));
      expect([error.code, error.exit, error.where]).toEqual([code, 4, 'build-1']);
      expect(error.hints.length).toBeGreaterThan(0);
      if (code === 'E_SSH_NO_SHELL') {
        expect(error.message).toSay('logged-in-but', 'tester');
        expect(error.hints[0]).toMatch(/: ssh -F .* tester@127\.0\.0\.1 (echo ok|true 2>&1 \| wc -c)$/);
        // Neither a terminal nor a log receives a megabyte.
        expect(error.details.join().length).toBeLessThan(2000);
      }
      await session.close();
    });
  });

  it('standard output that a start-up file sends away is not blamed on the shell', async () => {
    const shell = { shell: '/bin/sh', shellArguments: ['-c', 'exec /bin/sh "$@" >/dev/null', 'sh'] };
    await withServer({ ...withKey, ...shell }, async (running) => {
      const session = await connect(optionsFor(running, { transport }));
      const error = await failure(whoami(session));
      expect([error.code, error.message]).toEqual(['E_SSH_NO_SHELL', expect.toSay('script-did-not-arrive')]);
      await session.close();
    });
  });

  // The loader needs a fourth file, and /bin/sh needs one above 9 for any redirection. The login continues without its messages until it
  // asks sudo.
  it.each([3, 8])('a login that may open %i files is told from one whose sudo asks', async (files) => {
    const shell = { shell: '/bin/sh', shellArguments: ['-c', `ulimit -n ${files}; exec /bin/sh "$@"`, 'sh'] };
    await withServer(
      { ...withKey, ...(files === 3 ? { misbehave: { forced: 'ulimit -n 3; exec env true' } } : shell) },
      async (running) => {
        const session = await connect(optionsFor(running, { transport }));
        const error = await failure(session.run({ phase: 'test', script: 'id -un', asRoot: true, timeoutMs: 20_000 }));
        expect([error.code, error.message]).toEqual(['E_SSH_NO_SHELL', expect.toSay('tester-logged-but-limits')]);
        expect(error.hints).toEqual([expect.stringMatching(/tester@127\.0\.0\.1 ulimit -a$/)]);
        await session.close();
      },
    );
  });

  it('a run that was prepared is that run; one that is not needed ends with its session', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      expect(await whoami(session)).toBe('in\n');
      const begun = server.seen.execs;
      session.prepare?.();
      session.prepare?.();
      const { stdout } = await session.run({
        ...{ phase: 'test', script: 'cat', input: [Buffer.from('typed')] },
        ...{ asRoot: true, timeoutMs: 20_000 },
      });
      expect([stdout.toString(), server.seen.execs]).toEqual(['typed', begun + 1]);
      session.prepare?.();
      await session.close();
    });
  });

  it('what is begun for the next run takes no session from this one, on a host that opens one at a time', async () => {
    await withServer({ ...withKey, maxSessions: 1 }, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const run = session.run({ phase: 'test', script: 'sleep 0.5; echo in', asRoot: true, timeoutMs: 20_000 });
      // Each exec of the system's ssh is another program, so execs could overtake one another.
      expect(session.prepare === undefined).toBe(transport !== 'ssh2');
      session.prepare?.();
      expect((await run).stdout.toString()).toBe('in\n');
      await session.close();
    });
  });

  it('a run does not take an exec that was killed on the host while it waited', async () => {
    await withServer(withKey, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const begun = server.seen.execs;
      session.prepare?.();
      await expect.poll(() => server.seen.execs).toBe(transport === 'ssh2' ? begun + 1 : begun);
      await setTimeout(300);
      server.killCommands();
      // Turns of the event loop rather than time: this process may get none of that.
      for (let turn = 0; turn < 15; turn += 1) await setTimeout(20);
      expect(await session.run({ phase: 'test', script: 'echo in', asRoot: true, timeoutMs: 20_000 })).toMatchObject({
        status: 0,
      });
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
      const error = await failure(session.run({ phase: 'facts', script: 'sleep 30', asRoot: false, timeoutMs: 3000 }));
      expect(error.code).toBe('E_SSH_TIMEOUT');
      expect(error.message).toSay('phase-facts-not-done', '3000');
      expect(await whoami(session)).toBe('in\n');
      await session.close();
    });
  });

  it('stops on abort, and the session goes on for the rollback', async () => {
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

  it.each<[string, string, string, RegExp]>([
    ['reads standard input', 'cat >/dev/null', 'E_SSH_NO_SHELL', /reads standard input.*case \$- in/],
    ['waits', 'sleep 20', 'E_SSH_TIMEOUT', /^see how long a login takes: ssh .* true\n.*start-up files/],
  ])('names the likely cause where a login shell %s', async (_name, startUp, code, hints) => {
    const shell = { shell: '/bin/sh', shellArguments: ['-c', `${startUp}; exec /bin/sh "$@"`, 'sh'] };
    await withServer({ ...withKey, ...shell }, async (server) => {
      const session = await connect(optionsFor(server, { transport }));
      const timeoutMs = code === 'E_SSH_TIMEOUT' ? 2000 : 15_000;
      const error = await failure(session.run({ phase: 'facts', script: ':', asRoot: false, timeoutMs }));
      expect([error.code, error.hints.join('\n')]).toEqual([code, expect.stringMatching(hints)]);
      await session.close();
    });
  });

  it('names the log of sshd where it hangs up after the login', async () => {
    await withServer({ ...withKey, misbehave: 'hang-up-after-login' }, async (server) => {
      const error = await failure(connect(optionsFor(server, { transport })).then(whoami));
      expect([error.code, error.hints[0]]).toEqual(['E_SSH_LOST', expect.stringContaining('journalctl -u ssh')]);
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
    ['a name that is none', { destination: 'a;b' }, 'E_HOST_NAME', 2],
    ['an option as a name', { destination: '-oProxyCommand=x' }, 'E_HOST_NAME', 2],
    ['a closed port', { port: 1 }, 'E_SSH_REFUSED', 4],
    ['a missing key file', { identities: ['/nonexistent/key'] }, 'E_SSH_KEY_FILE', 2],
  ])('%s', async (_name, more, code, exit) => {
    const error = await failure(connect(optionsFor({ port: 1 }, { transport, ...more })));
    expect([error.code, error.exit, error.where?.startsWith('build-1') ?? true]).toEqual([code, exit, true]);
    expect(error.hints.length + error.message.length).toBeGreaterThan(0);
  });

  it('names the phase in which a host fell silent', async () => {
    await withServer({ misbehave: 'mute' }, async (server) => {
      const error = await failure(connect(optionsFor(server, { transport, connectTimeoutMs: 2100 })));
      expect(error.code).toBe('E_SSH_TIMEOUT');
      if (transport === 'ssh2') expect(error.message).toContain('exchanging keys');
      // The system's ssh has its own limit, in whole seconds, and may be the first to say so.
      expect(error.message).toMatch(transport === 'ssh2' ? /2100 ms/ : /2100 ms|did not answer$/);
    });
  });

  it('stops connecting on abort', async () => {
    await withServer({ misbehave: 'mute' }, async (server) => {
      const signal = AbortSignal.timeout(200);
      expect((await failure(connect(optionsFor(server, { transport, signal })))).code).toBe('E_INTERRUPTED');
    });
  });

  it('connects again at a host that drops connections when many come at once', async () => {
    await withServer({ ...withKey, misbehave: { hangUpFirst: 2 } }, async (server) => {
      expect(await logIn(optionsFor(server, { transport }))).toBe('in\n');
      expect(server.seen.connections).toBe(3);
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
      expect(error.code).toBe(transport === 'ssh2' ? 'E_SSH_TRANSPORT' : 'E_SSH_NO_ALGORITHM');
    });
  });
});
