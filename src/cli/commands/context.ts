/** Owns `context HOST`: a docker context for a host, kept up to date. */

import { type ContextOutcome, checkGiveContext, giveContext } from '../../actions/context.ts';
import { clientName, resolveClient, resolveHost } from '../../actions/resolve-target.ts';
import { storeOf } from '../../actions/store.ts';
import { dockerHost } from '../../domain/destination.ts';
import { checkContextName, contextNameOf } from '../../domain/names.ts';
import type { Runtime } from '../../runtime.ts';
import { dockerConfigDirectory } from '../../user.ts';
import { defineCommand } from '../command.ts';
import { CLIENT_OPTION } from '../host-options.ts';

export const command = defineCommand({
  name: 'context',
  withoutFleet: true,
  summary: 'Create or update a docker context for a host',
  about:
    "A context holds copies of the client's files; docker-tls renews them together with the client.\nHOST and --client may be left out when there is only one.",
  examples: ['docker-tls context build-1 --use', 'docker-tls context build-1 --client ci --context build-1-ci'],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: {
    client: CLIENT_OPTION,
    context: { kind: 'text', value: 'NAME', summary: "the context's name; default: the host's" },
    use: { kind: 'flag', summary: 'make it the current context' },
    configDirectory: {
      kind: 'flag',
      summary:
        'put the files into the Docker config directory itself too, so that DOCKER_HOST and DOCKER_TLS_VERIFY=1 do',
    },
    replace: { kind: 'flag', summary: 'take over a context, or files, that docker-tls did not write' },
  },
  async run({ args, options, global, runtime }) {
    const store = storeOf({ global, runtime });
    const state = await store.read();
    const host = resolveHost(state, args.host, 'docker-tls context');
    const client = resolveClient(state, host, clientName(options, runtime), 'docker-tls context');
    const context = options.context ?? contextNameOf(host.record.name);
    checkContextName(context);
    const request = {
      host: host.record.name,
      client: client.record.name,
      context,
      dockerConfig: dockerConfigDirectory(runtime),
      use: options.use,
      replace: options.replace,
      configDirectory: options.configDirectory,
    };
    if (global.dryRun) {
      await checkGiveContext(state, request);
      const endpoint = dockerHost(host.record.address, host.record.port);
      const result = { context, endpoint, client: client.record.name, dryRun: true };
      return { exit: 0, result, text: `would write the context ${context}: ${endpoint} as ${client.record.name}` };
    }
    const outcome = await giveContext({ ...request, store, now: runtime.now });
    return { exit: 0, result: outcome, text: renderOutcome(outcome, options.use, runtime) };
  },
});

function renderOutcome(
  outcome: ContextOutcome,
  used: boolean,
  { docker, env }: Pick<Runtime, 'docker' | 'env'>,
): string {
  const state = outcome.created ? 'created' : outcome.changed ? 'updated' : 'is up to date';
  const lines = [`context ${outcome.context} ${state}: ${outcome.endpoint} as ${outcome.client}`];
  for (const file of outcome.kept) lines.push(`kept a copy: ${file}`);
  lines.push('', `  ${docker}${used ? '' : ` --context ${outcome.context}`} version`);
  const stronger = ['DOCKER_HOST', 'DOCKER_CONTEXT'].filter((name) => env[name]);
  if (used && stronger.length > 0) {
    lines.push('', `${stronger.join(' and ')} of this shell beats the current context; take it away with:`);
    lines.push('', `  unset ${stronger.join(' ')}`);
  }
  return lines.join('\n');
}
