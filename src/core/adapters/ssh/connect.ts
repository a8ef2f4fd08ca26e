/** Choice of a transport, and the session over it. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { HostSession, ScriptRequest, ScriptResult, SshOptions } from '../../runtime.ts';
import { TRANSPORTS } from '../../seams/transports.ts';
import { userName } from '../../user.ts';
import type { ExecContext, OpenChannel, Transport } from './channel.ts';
import { prepareRun, runScript } from './exec.ts';
import { localTunnel, openLocalChannel } from './local-session.ts';
import { loginOf } from './login.ts';
import { connectSsh2 } from './ssh2.ts';

/**
 * A session with the host. `options.signal` ends only the connecting: an open session outlives it, because the rollback after Ctrl-C needs
 * it. Each run has its own signal. Errors: E_SSH_…, each with its code, and E_INTERRUPTED.
 */
export async function connect(options: SshOptions): Promise<HostSession> {
  const transport = await openTransport(options);
  const login = loginOf(options, transport.user);
  let closed = false;
  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    // On this machine it would outlive this process.
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
    // The trailing dot of the root must not appear in certificates or SNI (RFC 6066, 3): servers reject it.
    dialled: transport.dialled.replace(/(?<=[^.])\.$/, ''),
    hostKey: transport.hostKey,
    transport: transport.reason === undefined ? transport.transport : `${transport.transport} (${transport.reason})`,
    authenticatedBy: transport.byKey?.() ? 'key' : undefined,
    run: (request: ScriptRequest): Promise<ScriptResult> => runScript(context, request),
    prepare: transport.overtakes
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
  const [other] = TRANSPORTS.all;
  if (other !== undefined && options.transport === other.name) return await other.open(options);
  try {
    return await connectSsh2(options);
  } catch (error) {
    const isBeyond = error instanceof DockerTlsError && error.code === 'E_SSH_TRANSPORT';
    if (!isBeyond || other === undefined || options.transport === 'ssh2') throw error;
    return { ...(await other.open(options)), reason: error.message };
  }
}
