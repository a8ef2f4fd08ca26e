/** `env`: text that points a shell, or a tool, at a host. */

import { usage } from '../../errors/errors.ts';
import { detectShell, type Environment, isShell, type Shell } from '../domain/environment.ts';
import { clientName, resolveClient, resolveHost } from '../domain/trust/resolve.ts';
import { toolFormat } from '../seams/formats.ts';
import type { ActionContext } from './action-context.ts';
import { hostLines, unsetLines } from './env-lines.ts';
import { filesHere } from './own-client.ts';
import { storeOf } from './store.ts';
import { noteThroughSsh } from './through-ssh.ts';

export type EnvOptions = {
  readonly client: string | undefined;
  /** A shell's or a tool's format. */
  readonly format: string | undefined;
  readonly shell: Shell | undefined;
  readonly unset: boolean;
};

/** The lines for a shell, or the configuration of a tool. */
export async function environment(
  context: ActionContext,
  named: string | undefined,
  options: EnvOptions,
): Promise<Environment> {
  const { runtime } = context;
  const { format } = options;
  if (format !== undefined && options.shell !== undefined && format !== options.shell)
    throw usage('--format and --shell say different forms', [`docker-tls env --format ${format}`]);
  const requested = { host: named, client: clientName(options, runtime) };
  const tool = format === undefined ? undefined : toolFormat(format);
  if (tool !== undefined) {
    if (options.unset)
      throw usage(`--unset is for the variables of a shell, not for ${tool.name}`, ['docker-tls env --unset']);
    return (await tool.load()).configure(requested, context);
  }
  const shell = format !== undefined && isShell(format) ? format : (options.shell ?? detectShell(runtime.env));
  if (options.unset) return unsetLines(shell);
  const store = storeOf(context);
  const state = await store.read();
  const host = resolveHost(state, requested.host, context.again);
  const client = resolveClient(state, host, requested.client, context.again);
  noteThroughSsh(context, state, [host.record.name]);
  return hostLines({ shell, host, client: client.record.name, directory: filesHere(store, client) }, context);
}
