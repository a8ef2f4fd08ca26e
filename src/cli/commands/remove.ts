/** Owns `remove HOST`: gives the host back as it was before the first setup. */

import { defineCommand } from '../command.ts';
import { RETURN_OPTIONS, runReturn } from '../restore.ts';

export const command = defineCommand({
  name: 'remove',
  summary: "Undo: the host's files, units and socket as they were before setup",
  about:
    "The host's credentials go from the store as well, and so do docker contexts of ours that lead to it. The CA and the clients stay.\nWhere the configuration from before setup had a TCP port without TLS, it opens again: --allow-plain-tcp says yes to that.",
  examples: ['docker-tls remove build-1'],
  args: { host: { summary: 'the host', required: true, completes: 'host' } },
  options: {
    ...RETURN_OPTIONS,
    allowPlainTcp: { kind: 'flag', summary: 'also where a TCP port opens again that accepts every client without TLS' },
  },
  run: (context) => runReturn(context, context.args.host, 'none', context.options),
});
