/** `apply [HOST…]`: brings hosts in line with the store or the fleet file, in parallel. */

import { defineCommand } from '../../cli/command.ts';
import { POOL_OPTIONS, RUN_OPTIONS } from '../../cli/host-options.ts';
import { applyHosts } from '../actions/apply.ts';
import { renderApplied } from '../render/apply.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. Plans first and asks; with --yes it goes ahead.\nEvery host is changed in one transaction, verified, and rolls back automatically if that fails.',
  examples: [
    'docker-tls apply -f fleet.yaml --yes',
    'docker-tls apply -f fleet.yaml --canary 1 --max-failures 2 --limit "build-*" --yes',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: { ...RUN_OPTIONS, ...POOL_OPTIONS },
  run: async (context) => {
    const applied = await applyHosts(context, context.args.hosts, context.options);
    return renderApplied(applied, context);
  },
});
