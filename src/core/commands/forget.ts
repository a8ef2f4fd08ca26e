/** `forget HOST…`: drops vanished hosts from the store. */

import { defineCommand } from '../../cli/command.ts';
import { gravestExit } from '../../errors/errors.ts';
import { forgetHosts } from '../actions/forget.ts';
import { renderForgotten } from '../render/forget.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'For a host that no longer exists. Its certificate and key go from the store, and so do docker contexts of ours that point to it.\nA host that still runs is not changed: it still accepts its current clients. Where it can be reached, use remove.',
  examples: ['docker-tls forget build-1', 'docker-tls forget old-1 old-2 --yes'],
  args: { hosts: { summary: 'the hosts', required: true, many: true, completes: 'host' } },
  options: {},
  async run(context) {
    const { dryRun } = context.global;
    const { hosts, errors } = await forgetHosts(context, context.args.hosts, (planned) =>
      renderForgotten(planned, 'drops'),
    );
    return {
      exit: gravestExit(errors.map((error) => error.exit)),
      result: { dryRun: dryRun || undefined, hosts },
      text: renderForgotten(hosts, dryRun ? 'would drop' : 'dropped'),
      errors,
    };
  },
});
