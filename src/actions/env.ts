/** Owns `env`: the text that points a shell, or a tool, at a host. */

import { dockerHost } from '../domain/destination.ts';
import { detectShell, renderEnvironment, type Shell } from '../domain/environment.ts';
import { isTool, type ToolName } from '../domain/tools/tools.ts';
import { usage } from '../errors/errors.ts';
import { storeDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import type { Environment } from './env-tool.ts';
import { filesHere } from './own-client.ts';
import { clientName, resolveClient, resolveHost } from './resolve-target.ts';
import { storeOf } from './store.ts';
import { noteThroughSsh } from './through-ssh.ts';

const NOTHING = { DOCKER_HOST: '', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' };

export type EnvOptions = {
  readonly client: string | undefined;
  readonly format: Shell | ToolName | undefined;
  readonly shell: Shell | undefined;
  readonly unset: boolean;
};

/** The lines of a shell, or the configuration of a tool. */
export async function environment(
  context: ActionContext,
  named: string | undefined,
  options: EnvOptions,
): Promise<Environment> {
  const { global, runtime } = context;
  const { format } = options;
  if (format !== undefined && options.shell !== undefined && format !== options.shell)
    throw usage('--format and --shell say different forms', [`docker-tls env --format ${format}`]);
  const requested = { host: named, client: clientName(options, runtime) };
  if (format !== undefined && isTool(format)) {
    if (options.unset)
      throw usage(`--unset is for the variables of a shell, not for ${format}`, ['docker-tls env --unset']);
    const { configureTool } = await import('./env-tool.ts');
    return configureTool(format, requested, context);
  }
  const shell = format ?? options.shell ?? detectShell(runtime.env);
  if (options.unset) {
    const text = renderEnvironment({ shell, variables: NOTHING, unset: true });
    return { shell, unset: Object.keys(NOTHING), text };
  }
  const store = storeOf(context);
  const state = await store.read();
  const host = resolveHost(state, requested.host, 'docker-tls env');
  const client = resolveClient(state, host, requested.client, 'docker-tls env');
  noteThroughSsh(context, state, [host.record.name]);
  const variables = {
    DOCKER_HOST: dockerHost(host.record.address, host.record.port),
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: filesHere(store, client),
  };
  const names = { host: host.record.name, client: client.record.name };
  const words = [...runtime.program.split(' '), 'env', names.host, '--client', names.client, '--shell', shell];
  if (global.home !== storeDirectory(undefined, runtime)) words.push('--home', global.home);
  // The comment is a convenience: left out when it would need quoting, whose rules differ from shell to shell.
  const again = words.every((word) => /^[\w./:@+-]+$/.test(word)) ? words.join(' ') : undefined;
  return { shell, ...names, variables, text: renderEnvironment({ shell, variables, usage: again }) };
}
