/** `client use`: this machine's default client, if the store has several. */

import { defineCommand } from '../../cli/command.ts';
import { chooseClient } from '../actions/own-client.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about: 'DOCKER_TLS_CLIENT names another one for a shell, and --client for one command.',
  examples: ['docker-tls client use laptop'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: {},
  async run(context) {
    const { name } = context.args;
    const { dryRun } = context.global;
    await chooseClient(context, name);
    return {
      exit: 0,
      result: { client: name, dryRun: dryRun || undefined },
      text: `this computer ${dryRun ? 'would use' : 'uses'} the client ${name} where none is named`,
    };
  },
});
