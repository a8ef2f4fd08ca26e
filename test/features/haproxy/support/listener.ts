/** A real HAProxy with a rendered configuration before a recording engine. HAPROXY names another one than that of the PATH. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type HaproxyInput, renderConfig } from '../../../../src/features/haproxy/domain/haproxy-config.ts';
import { trustedForClients } from '../../../../src/features/haproxy/domain/trust-file.ts';
import { ownPort } from '../../../support/ports.ts';
import type { TestCredentials } from './certificates.ts';
import { type RecordingEngine, recordingEngine } from './recording-engine.ts';

const [PROGRAM = '', ...WORDS] = (process.env.HAPROXY ?? 'haproxy').split(' ');

export type Listener = {
  readonly engine: RecordingEngine;
  readonly port: number;
  readonly directory: string;
  /** What HAProxy printed. */
  log(): string;
  /** Sends bytes as this client; the answer until it pauses or the connection ends. */
  send(client: TestCredentials | undefined, bytes: string | Buffer, options?: SendOptions): Promise<string>;
  open(client: TestCredentials | undefined, options?: OpenOptions): Promise<TLSSocket>;
  /** Renders anew and reloads, as a change does. */
  reload(input: ListenerInput): Promise<void>;
  /** A command for a worker's, or with `@!PID` for an old worker's admin socket. */
  admin(command: string): Promise<string>;
  oldWorkers(): Promise<readonly string[]>;
  stop(): Promise<void>;
};

type OpenOptions = ConnectionOptions & { readonly localAddress?: string };

export type SendOptions = OpenOptions & {
  /** How long to wait for an answer. */
  readonly answerMs?: number;
  /** How long the answer may pause before it counts as complete. */
  readonly idleMs?: number;
  /** Bytes to send after an answer to the first. */
  readonly second?: string | undefined;
};

export type ListenerInput = Omit<HaproxyInput, 'binds' | 'engineSocket' | 'cli'> & {
  readonly server: TestCredentials;
  readonly trusted: readonly string[];
  /** Chains that clients of our CAs send. */
  readonly chains?: readonly string[];
};

/** The environment that the unit sets. */
function environment(directory: string, port: number): NodeJS.ProcessEnv {
  const clients = join(directory, 'clients');
  return {
    ...process.env,
    TLS: directory,
    CLIENTS: clients,
    ISSUERS: join(directory, 'issuers'),
    LISTEN3: `127.0.0.1:${port}`,
    LISTEN4: `unix@${join(directory, 'socket4')}`,
    LISTEN5: `unix@${join(directory, 'socket5')}`,
  };
}

function writeFiles(directory: string, engineSocket: string, input: ListenerInput): void {
  const { server, trusted, chains = [], ...rest } = input;
  const rendered = renderConfig({ ...rest, binds: 1, engineSocket, cli: join(directory, 'admin.sock') });
  writeFileSync(join(directory, 'haproxy.cfg'), rendered.config);
  writeFileSync(join(directory, 'clients'), rendered.clients);
  writeFileSync(join(directory, 'server-cert.pem'), server.cert);
  writeFileSync(join(directory, 'server-cert.pem.key'), server.key);
  writeFileSync(join(directory, 'ca-trusted.pem'), trustedForClients(trusted.join('')));
  writeFileSync(join(directory, 'issuers'), `# Written for a test.\n${chains.join('\n')}\n`);
}

/** Output of `haproxy -c`, empty if it found nothing. */
export function checkConfig(directory: string, port: number): string {
  const args = [...WORDS, '-c', '-q', '-f', join(directory, 'haproxy.cfg')];
  const { stderr, status } = spawnSync(PROGRAM, args, { encoding: 'utf8', env: environment(directory, port) });
  return status === 0 ? stderr : `${stderr}exit ${status}`;
}

export async function startListener(input: ListenerInput): Promise<Listener> {
  const engine = await recordingEngine();
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-listener-'));
  const port = await ownPort();
  writeFiles(directory, engine.socket, input);
  const master = join(directory, 'master.sock');
  const checked = checkConfig(directory, port);
  if (checked !== '') throw new Error(checked);
  const args = [...WORDS, '-W', '-S', master, '-f', join(directory, 'haproxy.cfg')];
  let printed = '';
  const child: ChildProcess = spawn(PROGRAM, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(directory, port),
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data) => {
      printed += data;
    });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const open = (client: TestCredentials | undefined, options: OpenOptions = {}) =>
    openTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...client, ...options });
  // The master does not answer while it starts itself anew for a reload.
  const admin = async (command: string) => {
    let text: string | undefined;
    await until(async () => {
      text = await ask(master, command).catch(() => undefined);
      return text !== undefined;
    });
    return text ?? '';
  };
  const workers = async (heading: string) => {
    const lines = (await admin('show proc')).split('\n');
    const from = lines.indexOf(heading);
    const block = from === -1 ? [] : lines.slice(from + 1);
    const end = block.findIndex((line) => line.startsWith('#'));
    const rows = block.slice(0, end === -1 ? undefined : end);
    return rows.flatMap((line) => /^(\d+)\s+worker\s/.exec(line)?.[1] ?? []);
  };
  await until(async () => (await workers('# workers')).length > 0 && (await answers(port)));
  return {
    ...{ engine, port, directory, open, admin },
    log: () => printed,
    oldWorkers: () => workers('# old workers'),
    async send(client, bytes, { answerMs = 20_000, idleMs = 300, second, ...options } = {}) {
      const socket = await open(client, options).catch(() => undefined);
      return socket === undefined ? '' : converse(socket, bytes, { answerMs, idleMs, second });
    },
    async reload(next) {
      const loaded = () => printed.split('Loading success.').length;
      const before = loaded();
      writeFiles(directory, engine.socket, next);
      child.kill('SIGUSR2');
      await until(() => loaded() > before);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await engine.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Fails if the handshake does; under TLS 1.3 a server may still reject the certificate afterwards. */
function openTls(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.on('error', reject);
  });
}

function converse(
  socket: TLSSocket,
  bytes: string | Buffer,
  { answerMs, idleMs, second }: { answerMs: number; idleMs: number; second: string | undefined },
): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let more = second;
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const wait = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (more === undefined || text === '') return end();
        socket.write(Buffer.from(more, 'latin1'));
        more = undefined;
        wait(answerMs);
      }, ms);
    };
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      wait(idleMs);
    });
    socket.on('close', end);
    wait(answerMs);
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

/** The answer of a command socket. */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connectPlain(path);
    socket.on('error', reject);
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('close', () => resolve(text));
    socket.end(`${command}\n`);
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectPlain(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

export async function until(holds: () => Promise<boolean> | boolean, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('waited too long');
    await sleep(50);
  }
}

/** Complete lines only: the last one may still be on its way. */
export function logOf(listener: Listener): string[] {
  return listener
    .log()
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'));
}
