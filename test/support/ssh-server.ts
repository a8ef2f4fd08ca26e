/**
 * A real SSH server in this process: ssh2's Server in front of a real shell, with configurable logins and misbehaviour. Listens on
 * 127.0.0.1 only.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type PublicKeyAuthContext, type ServerChannel } from 'ssh2';
import { listenOnOwnPort } from './ports.ts';

export type SshServerOptions = {
  readonly user?: string;
  /** Public keys that may log in, as `type base64` lines. */
  readonly authorizedKeys?: readonly string[];
  readonly password?: string;
  /** Prompts of keyboard-interactive with their accepted answers. */
  readonly interactive?: readonly { readonly prompt: string; readonly echo: boolean; readonly answer: string }[];
  /** Both a key and a password (or interactive), in this order. */
  readonly twoFactors?: boolean;
  /** The host's private keys, PEM or OpenSSH; default one Ed25519 key, made once per process. */
  readonly hostKeys?: readonly string[];
  /** The login shell: gets `-c COMMAND`. Default /bin/sh. */
  readonly shell?: string;
  /** Arguments before `-c`. */
  readonly shellArguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Shown before the login. */
  readonly banner?: string;
  /** Written on stdout and stderr before the shell begins. */
  readonly noise?: string | Buffer;
  /**
   * refuse-exec: answers the exec with a failure. forced: runs this instead. nologin: prints a message and ends. endless-noise: prints
   * without end. silent: accepts the exec and prints nothing. drop-after: cuts the connection after so many bytes of output. kill-shell:
   * ends the shell by SIGKILL at its first output. hang-up: closes each connection before SSH begins (hangUpFirst: only the first so many).
   * mute: accepts and never sends anything. hang-up-after-login: cuts the connection after the login.
   */
  readonly misbehave?:
    | 'refuse-exec'
    | 'nologin'
    | 'endless-noise'
    | 'silent'
    | 'hang-up'
    | 'mute'
    | 'hang-up-after-login'
    | { readonly hangUpFirst: number }
    | { readonly forced: string }
    | { readonly dropAfter: number };
  readonly maxSessions?: number;
  readonly maxAuthTries?: number;
  readonly algorithms?: ssh2.ServerConfig['algorithms'];
  /** Jump host: forwards to these ports of 127.0.0.1 only; default none. */
  readonly forwards?: boolean;
  readonly port?: number;
};

export type SshServer = {
  readonly port: number;
  /** The public host keys as `type base64`. */
  readonly hostKeys: readonly string[];
  readonly fingerprints: readonly string[];
  /** Actions of clients. */
  readonly seen: {
    connections: number;
    execs: number;
    most: number;
    commands: string[];
    auth: string[];
    forwards: string[];
  };
  /** Cuts every connection, like a failing network. */
  cut(): void;
  /** Kills every running command, like a host that is out of memory. */
  killCommands(): void;
  /** Rekeys every connection, as the host with this key. */
  rekey(hostKey: string): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A fresh key pair in OpenSSH's format. */
export function makeKey(
  type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519',
  passphrase?: string,
): { readonly privateKey: string; readonly publicKey: string } {
  const bits = type === 'rsa' ? { bits: 2048 } : type === 'ecdsa' ? { bits: 256 } : {};
  const lock = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 4 };
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync(type as 'rsa', { ...bits, ...lock } as { bits: number });
    // About 1 in 300 keys from ssh2 1.17.0 is malformed, for ssh-keygen as well.
    const usable = !(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error);
    if (usable && !(ssh2.utils.parseKey(pair.public) instanceof Error)) {
      return { privateKey: pair.private, publicKey: pair.public };
    }
  }
}

let defaultHostKey: string | undefined;

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  defaultHostKey ??= makeKey().privateKey;
  const hostKeys = options.hostKeys ?? [defaultHostKey];
  const seen: SshServer['seen'] = { connections: 0, execs: 0, most: 0, commands: [], auth: [], forwards: [] };
  const sockets = new Set<Socket>();
  const children = new Set<ChildProcess>();
  const connections: Connection[] = [];
  const server = new ssh2.Server(
    { hostKeys: [...hostKeys], banner: options.banner, algorithms: options.algorithms },
    (connection) => {
      connections.push(connection);
      serve(connection, options, seen, children, sockets);
    },
  );
  // biome-ignore lint/suspicious/noExplicitAny: ssh2's Server keeps the net.Server where only its own code looks
  const net = (server as any)._srv as import('node:net').Server;
  net.prependListener('connection', (socket: Socket) => {
    seen.connections += 1;
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    const { misbehave } = options;
    const first = typeof misbehave === 'object' && 'hangUpFirst' in misbehave ? misbehave.hangUpFirst : 0;
    if (misbehave === 'hang-up' || seen.connections <= first) socket.destroy();
    if (options.misbehave === 'mute') socket.write = () => true;
  });
  const { port: given } = options;
  if (given !== undefined) await new Promise<void>((resolve) => server.listen(given, '127.0.0.1', () => resolve()));
  const port = given ?? (await listenOnOwnPort(net));
  const publics = hostKeys.map((key) => {
    const parsed = ssh2.utils.parseKey(key);
    if (parsed instanceof Error) throw parsed;
    return [parsed].flat()[0] as ssh2.ParsedKey;
  });
  const { createHash } = await import('node:crypto');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const rekey = (hostKey: string): void => {
    const key = [ssh2.utils.parseKey(hostKey)].flat()[0] as ssh2.ParsedKey;
    for (const connection of connections) {
      // biome-ignore lint/suspicious/noExplicitAny: ssh2 has no way to change a server's key
      (connection as any)._protocol._hostKeys[key.type] = key;
      connection.rekey();
    }
  };
  const killCommands = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  const close = async (): Promise<void> => {
    killCommands();
    cut();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    port,
    hostKeys: publics.map((key) => `${key.type} ${key.getPublicSSH().toString('base64')}`),
    fingerprints: publics.map(
      (key) => `SHA256:${createHash('sha256').update(key.getPublicSSH()).digest('base64').replace(/=+$/, '')}`,
    ),
    seen,
    cut,
    killCommands,
    rekey,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function serve(
  connection: Connection,
  options: SshServerOptions,
  seen: SshServer['seen'],
  children: Set<ChildProcess>,
  sockets: Set<Socket>,
): void {
  let failures = 0;
  let sessions = 0;
  let keyDone = false;
  connection.on('error', () => {});
  if (options.misbehave === 'hang-up-after-login') {
    connection.on('ready', () => {
      for (const socket of sockets) socket.destroy();
    });
  }
  connection.on('authentication', (context) => {
    seen.auth.push(context.method === 'publickey' && context.signature ? 'publickey signed' : context.method);
    authenticate(context, options, keyDone, (verdict) => {
      if (verdict === 'accept') {
        context.accept();
        return;
      }
      if (verdict === 'partial') {
        keyDone = true;
        context.reject(secondFactors(options), true);
        return;
      }
      if (context.method !== 'none' || seen.auth.length > 1) failures += 1;
      if (failures >= (options.maxAuthTries ?? 6)) connection.end();
      else context.reject(keyDone ? secondFactors(options) : methods(options));
    });
  });
  // Without a listener, ssh2 answers like sshd with AllowTcpForwarding off: administratively prohibited.
  if (options.forwards === true)
    connection.on('tcpip', (accept, reject, info) => {
      const socket = connect(info.destPort, info.destIP);
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('connect', () => {
        const stream = accept();
        stream.pipe(socket).pipe(stream);
      });
      socket.on('error', () => reject?.());
    });
  connection.on('session', (accept, reject) => {
    if (sessions >= (options.maxSessions ?? 10)) {
      reject();
      return;
    }
    sessions += 1;
    seen.most = Math.max(seen.most, sessions);
    const session = accept();
    session.on('close', () => {
      sessions -= 1;
    });
    session.on('auth-agent', () => void seen.forwards.push('agent'));
    session.on('x11', () => void seen.forwards.push('X11'));
    session.on('exec', (acceptExec, rejectExec, info) => {
      seen.execs += 1;
      seen.commands.push(info.command);
      if (options.misbehave === 'refuse-exec') rejectExec();
      else run(acceptExec(), info.command, options, children);
    });
  });
}

function methods(options: SshServerOptions): ('publickey' | 'password' | 'keyboard-interactive')[] {
  if (options.twoFactors) return ['publickey'];
  return [...(options.authorizedKeys === undefined ? [] : ['publickey' as const]), ...secondFactors(options)];
}

function secondFactors(options: SshServerOptions): ('password' | 'keyboard-interactive')[] {
  return [
    ...(options.password === undefined ? [] : ['password' as const]),
    ...(options.interactive === undefined ? [] : ['keyboard-interactive' as const]),
  ];
}

type Verdict = 'accept' | 'reject' | 'partial';

function authenticate(
  context: AuthContext,
  options: SshServerOptions,
  keyDone: boolean,
  decide: (verdict: Verdict) => void,
): void {
  const mayBePassword = options.twoFactors !== true || keyDone;
  const { interactive } = options;
  const knownUser = options.user === undefined || context.username === options.user;
  if (context.method === 'keyboard-interactive' && interactive !== undefined && mayBePassword && knownUser) {
    context.prompt(
      interactive.map(({ prompt, echo }) => ({ prompt, echo })),
      (answers) => {
        const right = interactive.every(({ answer }, index) => answers[index] === answer);
        decide(right ? 'accept' : 'reject');
      },
    );
  } else if (!knownUser) decide('reject');
  else if (context.method === 'publickey') decide(keyDone ? 'reject' : judgeKey(context, options));
  else if (context.method === 'password' && mayBePassword) {
    decide(context.password === options.password ? 'accept' : 'reject');
  } else decide(context.method === 'none' && methods(options).length === 0 ? 'accept' : 'reject');
}

function judgeKey(context: PublicKeyAuthContext, options: SshServerOptions): Verdict {
  const offered = `${context.key.algo.replace(/^rsa-sha2-.*/, 'ssh-rsa')} ${context.key.data.toString('base64')}`;
  const authorized = options.authorizedKeys?.find((line) => line.split(' ').slice(0, 2).join(' ') === offered);
  if (authorized === undefined) return 'reject';
  if (context.signature === undefined || context.blob === undefined) return 'accept';
  const key = ssh2.utils.parseKey(authorized) as ssh2.ParsedKey;
  const right = [key].flat()[0]?.verify(context.blob, context.signature, context.hashAlgo) === true;
  if (!right) return 'reject';
  return options.twoFactors ? 'partial' : 'accept';
}

function run(channel: ServerChannel, command: string, options: SshServerOptions, children: Set<ChildProcess>): void {
  const { misbehave } = options;
  channel.on('error', () => {});
  if (options.noise !== undefined) {
    channel.write(options.noise);
    channel.stderr.write(options.noise);
  }
  if (misbehave === 'silent') return;
  if (misbehave === 'nologin') {
    channel.write('This account is currently not available.\n');
    channel.exit(1);
    channel.end();
    return;
  }
  if (misbehave === 'endless-noise') {
    const babble = (): void => {
      let going = true;
      while (going && channel.writable) going = channel.write('bla '.repeat(4096));
    };
    channel.on('drain', babble);
    babble();
    return;
  }
  const forced = typeof misbehave === 'object' && 'forced' in misbehave ? misbehave.forced : undefined;
  const child = spawn(options.shell ?? '/bin/sh', [...(options.shellArguments ?? []), '-c', forced ?? command], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', LANG: 'de_DE.UTF-8', ...options.env },
    detached: true,
  });
  children.add(child);
  const { stdin, stdout, stderr } = child;
  stdin.on('error', () => {});
  channel.pipe(stdin);
  let sent = 0;
  const limit = typeof misbehave === 'object' && 'dropAfter' in misbehave ? misbehave.dropAfter : undefined;
  stdout.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    if (limit !== undefined && sent > limit) {
      // biome-ignore lint/suspicious/noExplicitAny: the connection behind a channel has no public name
      ((channel as any)._client ?? (channel as any)._channel?._client)?._sock?.destroy();
      return;
    }
    if (!channel.write(chunk)) {
      stdout.pause();
      channel.once('drain', () => stdout.resume());
    }
  });
  stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk));
  channel.on('signal' as 'close', () => child.pid && process.kill(-child.pid, 'SIGTERM'));
  channel.on('close', () => stdin.destroy());
  child.on('close', (status, signal) => {
    children.delete(child);
    if (!channel.writable) return;
    if (signal === null) channel.exit(status ?? 0);
    else channel.exit(signal.replace(/^SIG/, '') as never);
    channel.end();
  });
}
