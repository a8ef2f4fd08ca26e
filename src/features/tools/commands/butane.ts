/** `butane HOST`: the plan of one host as a first-boot file. */

import { defineCommand } from '../../../cli/command.ts';
import { RUN_OPTIONS } from '../../../cli/host-options.ts';
import { planButane } from '../actions/butane.ts';
import { renderButaneFile } from '../render/butane.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about:
    'Prints what plan shows as a Butane file, for machines that are configured at first boot (Fedora CoreOS, Flatcar). It holds no key and no certificate; butane reads those from the store (docs/hosts.md).\nWith --check the exit status is 3 when apply would change the host, so that its credentials may be missing in the store.',
  examples: ['docker-tls butane build-1 > build-1.bu'],
  args: { host: { summary: 'the host; default: the only one', completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    check: { kind: 'flag', summary: 'exit with status 3 when apply would change the host' },
  },
  run: async (context) => {
    const { args, options } = context;
    return renderButaneFile(await planButane(context, args.host, options), context);
  },
});
