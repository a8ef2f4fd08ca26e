/** Fleet work in threads, equal to that of the main thread: sessions, questions, errors, Ctrl-C and probes. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../../../src/core/adapters/docker/probe.ts';
import { connect } from '../../../src/core/adapters/ssh/connect.ts';
import { asThrown, thrownForm } from '../../../src/core/adapters/thread-messages.ts';
import { spread } from '../../../src/core/adapters/threads.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { SshOptions } from '../../../src/core/runtime.ts';
import { builtProgram } from '../../support/build-once.ts';
import { CertificateFactory } from '../../support/certificate-factory.ts';
import { directory, failure, optionsFor, questions, whoami, withKey, withServer } from '../../support/ssh-login.ts';
import { makeKey } from '../../support/ssh-server.ts';
import { startTlsDaemon, VERSION_BODY } from '../../support/tls-daemon.ts';

const built = mkdtempSync(join(tmpdir(), 'docker-tls-threads-'));
const script = pathToFileURL(join(built, 'thread.js'));
beforeAll(() => cpSync(builtProgram(), built, { recursive: true }));
afterAll(() => {
  rmSync(built, { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
});

/** Uses threads from the first connection; also counts work of the main thread. */
function inThreads(fleet = 0) {
  const here: string[] = [];
  const effects = spread(
    {
      connect: (options) => {
        here.push(options.host);
        return connect(options);
      },
      probe: (request) => {
        here.push('probe');
        return probe(request);
      },
    },
    { processors: 3, fleet, code: script },
  );
  return { ...effects, here };
}

it('what is thrown crosses whatever it holds, and an abort is still one', () => {
  const holding = new TypeError('it fails', { cause: { no() {} } });
  for (const error of [holding, new DOMException('it was aborted', 'AbortError')]) {
    const { name, message, stack } = error;
    const there = asThrown(structuredClone(thrownForm(error)));
    expect(there).toBeInstanceOf(Error);
    expect(there).toMatchObject({ name, message, stack });
  }
});

describe('a thread that dies', () => {
  /** A thread without logins that answers each connect, and exits at the first request of `kind`. */
  function dying(kind: string) {
    const file = join(built, `dies-at-${kind}.mjs`);
    const session = { host: 'build-1', user: 'ada', dialled: '127.0.0.1', login: { destination: 'build-1' } };
    writeFileSync(
      file,
      `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ kind, id }) => {
        if (kind === '${kind}') throw new Error('no memory');
        parentPort.postMessage({ kind: 'done', id, value: ${JSON.stringify(session)} });
      });`,
    );
    const here: string[] = [];
    const effects = spread(
      {
        connect: async ({ host }) => {
          here.push(host);
          return { host } as never;
        },
        probe: async () => {
          here.push('probe');
          return { kind: 'refused' } as never;
        },
      },
      { processors: 2, fleet: 0, code: pathToFileURL(file) },
    );
    return { ...effects, here };
  }
  const options = { host: 'build-1', destination: 'build-1' } as SshOptions;

  it('while it connects or probes: this thread does it', async () => {
    const connecting = dying('connect');
    expect(await connecting.connect(options)).toEqual({ host: 'build-1' });
    expect(connecting.here).toEqual(['build-1']);
    const probing = dying('probe');
    expect(await probing.probe({ address: '127.0.0.1', port: 1 } as never)).toEqual({ kind: 'refused' });
    expect(probing.here).toEqual(['probe']);
  });

  it('in a run: its connection is lost, and the error names the host, the cause and what to do', async () => {
    const session = await dying('run').connect(options);
    const error = await failure(session.run({ phase: 'apply', script: ':', asRoot: true, timeoutMs: 20_000 }));
    expect([error.code, error.where, error.message]).toEqual([
      'E_SSH_LOST',
      'build-1',
      'the thread that had the connection ended (no memory)',
    ]);
    expect(error.hints).toContain('run the same command again');
  });
});

describe('a session in a thread', () => {
  it('runs scripts with their input, gives lines while they run, and all that they print', async () => {
    await withServer(withKey, async (server) => {
      const threads = inThreads();
      const session = await threads.connect(optionsFor(server));
      expect(session).toMatchObject({ host: 'build-1', user: 'tester', dialled: '127.0.0.1', authenticatedBy: 'key' });
      const lines: string[] = [];
      const result = await session.run({
        phase: 'test',
        script: 'cat; echo; head -c 300000 /dev/zero | tr "\\0" x; echo err >&2; exit 3',
        input: [Buffer.from([0, 255, 10]), new Secret('hidden')],
        asRoot: false,
        timeoutMs: 20_000,
        onLine: (line) => lines.push(line),
      });
      expect(result.status).toBe(3);
      expect(result.stderr).toBe('err\n');
      expect(Buffer.isBuffer(result.stdout)).toBe(true);
      expect(result.stdout.subarray(0, 10)).toEqual(Buffer.from('\0\xff\nhidden\n', 'latin1'));
      expect(result.stdout.length).toBe(300_010);
      expect(lines[1]).toBe('hidden');
      await session.close();
      expect((await failure(whoami(session))).code).toBe('E_SSH_LOST');
      expect(threads.here).toEqual([]);
    });
  });

  it('fails as it does here: code, place, hints and details', async () => {
    await withServer({ authorizedKeys: [makeKey().publicKey] }, async (server) => {
      const options = optionsFor(server, { hostKey: 'accept-new' });
      const [here, there] = [await failure(connect(options)), await failure(inThreads().connect(options))];
      expect(there.code).toBe('E_SSH_AUTH');
      expect({ ...there, message: there.message }).toEqual({ ...here, message: here.message });
      expect([there.exit, there.hints, there.details]).toEqual([here.exit, here.hints, here.details]);
    });
  });

  it('asks the person of this thread, and takes a no', async () => {
    const locked = makeKey('ed25519', 'open');
    const file = join(directory, 'id_locked');
    writeFileSync(file, locked.privateKey, { mode: 0o600 });
    await withServer({ authorizedKeys: [locked.publicKey] }, async (server) => {
      const requested: string[] = [];
      const base = { hostKey: 'strict', identities: [file], transport: 'ssh2' } as const;
      const ask = questions({ hostKey: true, passphrase: 'open' }, requested);
      const session = await inThreads().connect(optionsFor(server, { ...base, ask }));
      expect(await whoami(session)).toBe('in\n');
      await session.close();
      expect(requested).toEqual([expect.stringMatching(/^hostKey: ssh-ed25519 SHA256:/), `passphrase: ${file}`]);
      const no = questions({ hostKey: false, passphrase: 'open' });
      const refused = await failure(inThreads().connect(optionsFor(server, { ...base, ask: no })));
      expect(refused.code).toBe('E_SSH_HOST_KEY_UNKNOWN');
      const gone = { ...ask, passphrase: () => Promise.reject(new Error('the terminal is gone')) };
      expect((await failure(inThreads().connect(optionsFor(server, { ...base, ask: gone })))).code).toBe('E_SSH_AUTH');
    });
  });

  it('stops at Ctrl-C, while it connects and while a script runs', async () => {
    await withServer({ misbehave: 'mute' }, async (server) => {
      const { signal } = { signal: AbortSignal.timeout(500) };
      expect((await failure(inThreads().connect(optionsFor(server, { signal })))).code).toBe('E_INTERRUPTED');
    });
    await withServer(withKey, async (server) => {
      const session = await inThreads().connect(optionsFor(server));
      const stop = new AbortController();
      const run = session.run({
        phase: 'apply',
        script: 'echo begun; sleep 30',
        asRoot: false,
        timeoutMs: 20_000,
        signal: stop.signal,
        onLine: () => stop.abort(),
      });
      expect((await failure(run)).code).toBe('E_INTERRUPTED');
      expect(await whoami(session)).toBe('in\n');
      await session.close();
    });
  });
});

describe('what stays in this thread', () => {
  it('the first connections, this machine, sessions whose tunnel is used, and what only OpenSSH can do', async () => {
    await withServer(withKey, async (server) => {
      const configFile = join(directory, 'config-alive');
      writeFileSync(configFile, 'IdentityAgent none\nIdentityFile none\nBindAddress 127.0.0.1\n');
      const threads = inThreads(2);
      const open = async (host: string, more: Partial<SshOptions> = {}) =>
        (await threads.connect({ ...optionsFor(server, more), host })).close();
      await open('first');
      await open('second');
      await open('tunnel', { tunnels: true });
      await open('openssh', { configFile });
      await open('first');
      await threads.connect({ ...optionsFor(server), host: 'local', destination: 'local' });
      expect(threads.here).toEqual(['first', 'tunnel', 'openssh', 'first', 'local']);
    });
  });
});

it('probes as this thread does, with the key of a client', async () => {
  const factory = new CertificateFactory();
  const ca = factory.issue('CA', { ca: true });
  const server = factory.issue('server', { by: ca, san: 'IP:127.0.0.1', usage: 'serverAuth' });
  const client = factory.issue('client', { by: ca, usage: 'clientAuth' });
  const daemon = await startTlsDaemon(factory, { server, trust: ca });
  try {
    const request = {
      address: '127.0.0.1',
      port: daemon.port,
      ca: readFileSync(ca.certFile, 'utf8'),
      timeoutMs: 20_000,
    };
    const credentials = { cert: client.cert, key: new Secret(client.key) };
    const threads = inThreads();
    expect(await threads.probe({ ...request, credentials })).toMatchObject({ kind: 'accepted', body: VERSION_BODY });
    expect(await threads.probe(request)).toMatchObject({ kind: 'refused', cause: 'client-refused' });
    expect(threads.here).toEqual([]);
  } finally {
    await daemon.stop();
    factory.remove();
  }
});
