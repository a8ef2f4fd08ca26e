/** `context HOST`: a docker context for a host, kept up to date. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { CLIENT_OPTION } from '../../../cli/host-options.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { likelyOwn } from '../../../core/actions/own-client.ts';
import { noteThroughSsh } from '../../../core/actions/through-ssh.ts';
import { dockerHost } from '../../../core/domain/destination.ts';
import { contextNameOf } from '../../../core/domain/names.ts';
import { clientName, resolveClient, resolveHost } from '../../../core/domain/trust/resolve.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { dockerConfigDirectory } from '../../../core/user.ts';
import { type ContextOutcome, checkPlaces, giveContext } from '../actions/give-context.ts';
import { checkContextName } from '../domain/context-name.ts';

export type ContextDocument =
  | { readonly context: string; readonly endpoint: string; readonly client: string; readonly dryRun: true }
  | {
      readonly context: string;
      readonly endpoint: string;
      readonly client: string;
      readonly created: boolean;
      readonly changed: boolean;
      /** The Docker config directory, if it has the files as well. */
      readonly directory?: string;
      /** Copies of other files that were in the way there. */
      readonly kept: readonly string[];
    };

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    "A context holds copies of the client's files; docker-tls renews them together with the client.\nHOST and --client may be left out when there is only one.",
  examples: ['docker-tls context build-1 --use', 'docker-tls context build-1 --client ci --context build-1-ci'],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: {
    client: CLIENT_OPTION,
    context: { kind: 'text', value: 'NAME', summary: "the context's name (default: the host's)" },
    use: { kind: 'flag', summary: 'make it the current context' },
    configDirectory: {
      kind: 'flag',
      summary:
        'put the files into the Docker config directory itself too, so that DOCKER_HOST and DOCKER_TLS_VERIFY=1 do',
    },
    replace: { kind: 'flag', summary: 'take over a context, or files, that docker-tls did not write' },
  },
  /** A context for the named host, or the only one. With --dry-run, only obstacles and planned files. */
  async run(around): Promise<CommandResult<ContextDocument>> {
    const { global, runtime, args, options } = around;
    const { use, replace, configDirectory } = options;
    const store = storeOf(around);
    const state = await store.read();
    const host = resolveHost(state, args.host, around.again);
    const { name, address, port } = host.record;
    const client = resolveClient(state, host, clientName(options, runtime), around.again, likelyOwn(store));
    const context = options.context ?? contextNameOf(name);
    checkContextName(context);
    noteThroughSsh(around, state, [name]);
    const places = { context, dockerConfig: dockerConfigDirectory(runtime), use, replace, configDirectory };
    const as = client.record.name;
    if (global.dryRun) {
      await checkPlaces(state, client, places);
      const endpoint = dockerHost(address, port);
      const result = { context, endpoint, client: as, dryRun: true as const };
      return { exit: 0, result, text: `would write the context ${context}: ${endpoint} as ${as}` };
    }
    const outcome = await giveContext({ ...places, store, host: name, client: as, now: runtime.now });
    const { endpoint, created, changed, directory, kept } = outcome;
    const result = { context, endpoint, client: as, created, changed, directory, kept };
    return { exit: 0, result, text: renderOutcome(outcome, use, runtime) };
  },
});

function renderOutcome(
  outcome: ContextOutcome,
  used: boolean,
  { docker, env }: Pick<Runtime, 'docker' | 'env'>,
): string {
  const state = outcome.created ? 'created' : outcome.changed ? 'updated' : 'is up to date';
  const lines = [`context ${outcome.context} ${state}: ${outcome.endpoint} as ${outcome.client}`];
  if (used) lines.push(`current context: ${outcome.context}`);
  if (outcome.directory !== undefined) lines.push(`ca.pem, cert.pem and key.pem are in ${outcome.directory} as well`);
  for (const file of outcome.kept) lines.push(`kept a copy: ${file}`);
  lines.push('', `  ${docker}${used ? '' : ` --context ${outcome.context}`} version`);
  const stronger = ['DOCKER_HOST', 'DOCKER_CONTEXT'].filter((name) => env[name]);
  if (used && stronger.length > 0) {
    lines.push('', `${stronger.join(' and ')} of this shell beats the current context; take it away with:`);
    lines.push('', `  unset ${stronger.join(' ')}`);
  }
  return lines.join('\n');
}
