/** The ssh2 transport: dialling (through jump hosts), host keys, login, and channels. */

import { connect as connectSocket, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client, ServerHostKeyAlgorithm } from 'ssh2';
import type { DockerTlsError } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import { listWords } from '../../domain/words.ts';
import type { HostKey, SshOptions, Tunnel } from '../../runtime.ts';
import { Authentication } from './authentication.ts';
import type { Channel, Transport } from './channel.ts';
import { CONNECT_TIMEOUT_MS, Deadline, KEEPALIVE_MS } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import { hungUp, noShell, scriptInterrupted } from './exec-errors.ts';
import { hostKeyNames, knownLines, settleHostKey } from './host-key.ts';
import { authorityFor, hostKeyOf, pinOf, wantedTypes } from './known-hosts.ts';
import { loginOf } from './login.ts';
import { findKeys } from './login-keys.ts';
import { withRetry } from './retry.ts';
import { type Hop, route } from './route.ts';
import { withSemaphore } from './semaphore.ts';
import {
  type ConnectPhase,
  connectTimedOut,
  isDrop,
  needsOpenSsh,
  translateForward,
  translateSocket,
  translateSsh2,
} from './ssh-errors.ts';
import { channelOf, closeAll } from './ssh2-channel.ts';

type Ssh2 = typeof import('ssh2');

/** Connections authenticated by a key alone. */
const byKey = new WeakSet<Client>();
/** Host keys by connection. */
const hostKeys = new WeakMap<Client, HostKey>();

/** Connects and logs in. Errors: E_SSH_… as in ssh-errors.ts, E_SSH_TRANSPORT if only the openssh transport can do it, E_INTERRUPTED. */
export async function connectSsh2(options: SshOptions): Promise<Transport> {
  const hops = await route(options);
  const module = await import('ssh2');
  // A CommonJS package: Node exposes its names or only `default`, a bundler the other.
  const ssh2 = ((module as { default?: Ssh2 }).default ?? module) as Ssh2;
  const beyond = hops.find(({ endpoint }) => endpoint.needsOpenSsh.length > 0);
  if (beyond !== undefined) {
    throw needsOpenSsh(beyond.options, `the ssh config has ${listWords(beyond.endpoint.needsOpenSsh, 4)}`);
  }
  const clients: Client[] = [];
  try {
    for (const hop of hops) clients.push(await withRetry(() => login(ssh2, hop, clients.at(-1)), isDrop));
    const [through, last] = [clients.at(-1), hops.at(-1)];
    if (through === undefined || last === undefined) throw new TypeError('a route has a hop');
    return transportOver(through, clients, hops, last);
  } catch (error) {
    for (const client of clients.reverse()) client.end();
    throw error;
  }
}

/** One hop: a socket or a forwarded stream, then key exchange, host key and login. */
async function login(ssh2: Ssh2, hop: Hop, through: Client | undefined): Promise<Client> {
  const { options, endpoint } = hop;
  const { signal } = options;
  const limitMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const client = new ssh2.Client();
  let phase: ConnectPhase = 'connecting';
  let sock: Duplex | undefined;
  let giveUp: (error: unknown) => void = () => {};
  const given = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  given.catch(() => {});
  const abort = (): void => giveUp(scriptInterrupted(options.host, 'connecting'));
  let authentication: Authentication | undefined;
  const clock = new Deadline(limitMs, () =>
    giveUp(connectTimedOut(hop.options, endpoint, authentication?.signing ? 'signing' : phase, limitMs)),
  );
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    // Asks for a passphrase if a key file does not contain its public half in clear.
    const keys = await Promise.race([clock.during(() => findKeys(ssh2, options, endpoint)), given]);
    const trial = new Authentication(ssh2, options, endpoint, keys, clock);
    authentication = trial;
    const { name, bareName } = hostKeyNames(endpoint);
    const names = bareName === undefined ? [name] : [name, bareName];
    const lines = await knownLines(endpoint);
    const authority = pinOf(options.hostKey) === undefined ? authorityFor(lines, [name]) : undefined;
    if (authority !== undefined) {
      throw needsOpenSsh(options, `${authority.file}:${authority.line} trusts a certificate authority`);
    }
    const types = wantedTypes(options, lines, names);
    const dialling = through === undefined ? dial(options, endpoint) : forward(through, options, endpoint);
    dialling.then(
      (stream) => {
        sock = stream;
      },
      () => {},
    );
    const stream = await Promise.race([dialling, given]);
    phase = 'exchanging keys';
    let hostKeyFailure: unknown;
    let accepted: Buffer | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.on('error', (error: Error & { level?: string }) => {
        // A key that cannot sign is skipped; ssh2 tries the next one.
        if (error.level === 'agent') return;
        reject(
          hostKeyFailure ?? trial.failure ?? translateSsh2(error, { options, endpoint, phase, authentication: trial }),
        );
      });
      client.once('close', () =>
        reject(
          hostKeyFailure ??
            trial.failure ??
            translateSsh2(undefined, { options, endpoint, phase, authentication: trial }),
        ),
      );
      client.once('change password', () => reject(trial.error(new Error('the password has expired'))));
    });
    ready.catch(() => {});
    client.once('handshake', () => {
      phase = 'logging in';
    });
    client.connect({
      sock: stream as Socket,
      username: endpoint.user,
      readyTimeout: 0,
      keepaliveInterval: options.keepaliveMs ?? KEEPALIVE_MS,
      keepaliveCountMax: 3,
      authHandler: trial.handler(),
      algorithms: { serverHostKey: hostKeyAlgorithms(types) },
      hostVerifier: (blob: Buffer, verify: (valid: boolean) => void): void => {
        // Rekeying happens after an hour or a gigabyte: the host key must be the same.
        if (accepted !== undefined) {
          verify(accepted.equals(blob));
          return;
        }
        clock
          .during(() => settleHostKey(options, endpoint, blob))
          .then(() => {
            accepted = Buffer.from(blob);
            hostKeys.set(client, hostKeyOf(accepted));
            verify(true);
          })
          .catch((error: unknown) => {
            hostKeyFailure = error;
            verify(false);
          });
      },
    });
    await Promise.race([ready, given]);
    if (trial.byKey) byKey.add(client);
    return client;
  } catch (error) {
    client.on('error', () => {});
    client.destroy();
    sock?.destroy();
    throw error;
  } finally {
    clock.pause();
    signal?.removeEventListener('abort', abort);
  }
}

const HOST_KEY_ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const satisfies readonly ServerHostKeyAlgorithm[];

/** Host key algorithms to offer: the key types in known_hosts first (an RSA key signs under two names). No SHA-1. */
function hostKeyAlgorithms(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = types.flatMap((type) =>
    HOST_KEY_ALGORITHMS.filter(
      (algorithm) => algorithm === type || (type === 'ssh-rsa' && algorithm.startsWith('rsa-')),
    ),
  );
  return [...new Set([...known, ...HOST_KEY_ALGORITHMS])];
}

function dial(options: SshOptions, endpoint: Endpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({
      host: endpoint.hostName,
      port: endpoint.port,
      noDelay: true,
      family: endpoint.family,
      // Node's default of 250 ms gives up on every address of a distant host.
      autoSelectFamilyAttemptTimeout: 2500,
    });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => reject(translateSocket(error, options, endpoint)));
  });
}

function forward(through: Client, options: SshOptions, endpoint: Endpoint, from?: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    try {
      through.forwardOut('127.0.0.1', 0, endpoint.hostName, endpoint.port, (error, stream) => {
        if (error) reject(translateForward(error, options, endpoint, from));
        else resolve(stream);
      });
    } catch (error) {
      // ssh2 throws if the connection has gone in the meantime.
      reject(translateForward(error, options, endpoint, from));
    }
  });
}

function transportOver(client: Client, all: readonly Client[], hops: readonly Hop[], hop: Hop): Transport {
  const { options, endpoint } = hop;
  let gone: Error | undefined;
  client.setMaxListeners(0);
  client.on('error', (error) => {
    gone ??= error;
  });
  client.on('close', () => {
    gone ??= new Error('the connection was closed');
  });
  const open = (words: readonly string[]): Promise<Channel> =>
    new Promise((resolve, reject) => {
      const lost = (cause: unknown): DockerTlsError => hungUp(options.host, loginOf(options, endpoint.user), cause);
      if (gone !== undefined) {
        reject(lost(gone));
        return;
      }
      try {
        client.exec(words.map(shellQuote).join(' '), (error, stream) => {
          if (error === undefined) resolve(channelOf(client, stream, () => gone));
          else if (gone !== undefined || error.message === 'No response from server') reject(lost(gone ?? error));
          else
            reject(
              noShell(
                options.host,
                loginOf(options, endpoint.user),
                'the host refused to run a command: one cause is a limit of few open files (nofile in /etc/security/limits.conf or limits.d)',
              ),
            );
        });
      } catch (error) {
        reject(lost(error));
      }
    });
  return {
    user: endpoint.user,
    dialled: endpoint.hostName,
    transport: 'ssh2',
    hostKey: hostKeys.get(client),
    byKey: () => byKey.has(client),
    open: withSemaphore(open),
    tunnel: tunnelOver(all, hops),
    close: () => closeAll(all),
  };
}

/** The jump host is near the TLS port and forwards already; the host itself may forbid it (AllowTcpForwarding). */
function tunnelOver(clients: readonly Client[], hops: readonly Hop[]): Tunnel {
  const at = Math.max(clients.length - 2, 0);
  const [client, hop] = [clients[at] as Client, hops[at] as Hop];
  const via = `${clients.length > 1 ? 'the jump host' : 'ssh to'} ${hop.endpoint.hostName}`;
  return {
    via,
    open: (hostName, port) => forward(client, hop.options, { ...hop.endpoint, hostName, port }, via),
    ended: new Promise((resolve) => client.once('close', () => resolve())),
  };
}
