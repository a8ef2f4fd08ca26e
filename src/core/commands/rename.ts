/** `rename HOST NAME`: another name for a host of the store. */

import { defineCommand } from '../../cli/command.ts';
import { renameHost } from '../actions/rename.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'Clients, certificate, address and docker contexts stay as they are. A fleet file that has the host needs the new name as well.\nA host that has moved to another address: docker-tls setup root@NEW --name HOST --address NEW',
  examples: ['docker-tls rename build-1 ci-1'],
  args: {
    host: { summary: 'the host', required: true, completes: 'host' },
    name: { summary: 'its new name', required: true },
  },
  options: {},
  async run(context) {
    const { host, name } = context.args;
    const { dryRun } = context.global;
    await renameHost(context, host, name);
    return {
      exit: 0,
      result: { host, name, dryRun },
      text: `${host} ${dryRun ? 'would be called' : 'is now called'} ${name}`,
    };
  },
});
