/** The choice of a transport and the session over it. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { HostKey, HostSession, ScriptRequest, ScriptResult, SshOptions, Tunnel } from '../../runtime.ts';
import { userName } from '../../user.ts';
import type { ExecContext, OpenChannel } from './channel.ts';
import { prepareRun, runScript } from './exec.ts';
import { loginOf } from './login.ts';

/** What a transport gives: a way to start commands, and the end of it all. */
export type Transport = {
  readonly user: string;
  /** Who is at work, where it is not the user that logs in: `sudo docker-tls … local`. */
  readonly operator?: string;
  readonly dialled: string;
  readonly transport: 'ssh2' | 'openssh' | 'local';
  /** Why ssh2 could not be used: for -v. */
  readonly reason?: string;
  readonly hostKey?: HostKey | undefined;
  /** A key (or an agent's) accept us, and no password was needed. */
  readonly byKey?: () => boolean;
  readonly open: OpenChannel;
  readonly tunnel: Tunnel;
  close(): Promise<void>;
};

/**
 * A session with the host. `options.signal` ends the connecting only: a session that exists outlives it, because the way
 * back after Ctrl-C needs it; each run has a signal of its own. Errors: E_SSH_…, each with its code, and E_INTERRUPTED.
 */
export async function connect(options: SshOptions): Promise<HostSession> {
  const transport = await openTransport(options);
  const login = loginOf(options, transport.user);
  let closed = false;
  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    // On this machine it would outlive us.
    void context.waiting.exec?.channel.then((channel) => channel.kill()).catch(() => {});
    await transport.close();
  }
  async function open(words: readonly string[]): ReturnType<OpenChannel> {
    if (closed) {
      throw new DockerTlsError('E_SSH_LOST', 'the session is closed', { where: options.host });
    }
    return await transport.open(words);
  }
  const context: ExecContext = {
    ...{ options, login, open, user: transport.user, operator: transport.operator ?? transport.user },
    sudo: options.sudoPassword === undefined ? {} : { password: options.sudoPassword },
    waiting: {},
  };
  return {
    host: options.host,
    login,
    user: transport.user,
    // The dot of the root belongs into no certificate and no SNI (RFC 6066, 3): servers refuse it.
    dialled: transport.dialled.replace(/(?<=[^.])\.$/, ''),
    hostKey: transport.hostKey,
    transport: transport.reason === undefined ? transport.transport : `${transport.transport} (${transport.reason})`,
    authenticatedBy: transport.byKey?.() ? 'key' : undefined,
    run: (request: ScriptRequest): Promise<ScriptResult> => runScript(context, request),
    // Over the system's ssh each exec is a program of its own: what is begun behind a run may overtake it, and on a host that opens one
    // session at a time the run would be refused.
    prepare:
      transport.transport === 'openssh'
        ? undefined
        : () => {
            if (!closed) prepareRun(context);
          },
    tunnel: transport.tunnel,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function openTransport(options: SshOptions): Promise<Transport> {
  if (options.destination === 'local') {
    const { localTunnel, openLocalChannel } = await import('./local.ts');
    const operator = process.env.SUDO_USER || userName();
    return {
      user: userName(),
      operator,
      dialled: 'localhost',
      transport: 'local',
      open: openLocalChannel,
      tunnel: localTunnel,
      close: async () => {},
    };
  }
  let reason: string | undefined;
  if (options.transport !== 'openssh') {
    const { connectSsh2 } = await import('./ssh2.ts');
    try {
      return await connectSsh2(options);
    } catch (error) {
      const beyond = error instanceof DockerTlsError && error.code === 'E_SSH_TRANSPORT' ? error : undefined;
      if (beyond === undefined || options.transport === 'ssh2') throw error;
      reason = beyond.message;
    }
  }
  const { connectOpenSsh } = await import('./openssh.ts');
  return { ...(await connectOpenSsh(options)), reason };
}
