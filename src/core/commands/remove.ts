/** `remove HOST…`: restores hosts to their state before the first setup. */

import { defineCommand } from '../../cli/command.ts';
import { RESTORE_OPTIONS } from '../../cli/host-options.ts';
import { removeHosts } from '../actions/remove.ts';
import { renderRemoved } from '../render/remove.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    "The host's credentials go from the store as well, and so do docker contexts of ours that point to it. The CA and the clients stay.\nWhere the configuration from before setup had a TCP port without TLS, it opens again: --allow-plain-tcp says yes to that.",
  examples: ['docker-tls remove build-1'],
  args: { hosts: { summary: 'hosts', required: true, many: true, completes: 'host' } },
  options: {
    ...RESTORE_OPTIONS,
    allowPlainTcp: { kind: 'flag', summary: 'also where a TCP port opens again that accepts every client without TLS' },
  },
  run: async (context) => {
    const removed = await removeHosts(context, context.args.hosts, context.options);
    return renderRemoved(removed, context);
  },
});
