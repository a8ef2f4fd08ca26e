/** `context HOST`: a docker context for a host, kept up to date. */

import { defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTION } from '../../cli/host-options.ts';
import { makeContext } from '../actions/context.ts';
import { renderContext } from '../render/context.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
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
  run: async (context) => renderContext(await makeContext(context, context.args.host, context.options), context),
});
