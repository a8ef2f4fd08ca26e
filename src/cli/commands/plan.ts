/** Owns `plan [HOST…]`: what apply would change; changes nothing. */

import { apply } from '../../actions/apply.ts';
import { defineCommand } from '../command.ts';
import { renderChange } from '../render/change.ts';
import { applyCommand } from '../render/next.ts';
import { openHosts, RUN_OPTIONS } from '../run.ts';

export const command = defineCommand({
  name: 'plan',
  summary: 'What apply would change; changes nothing',
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. Issues nothing and needs no passphrase of the CA. With --check the exit status is 3 when there is something to do.',
  examples: ['docker-tls plan', 'docker-tls plan -f fleet.yaml --check'],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: { ...RUN_OPTIONS, check: { kind: 'flag', summary: 'exit with status 3 when there is something to do' } },
  async run(context) {
    const { args, options } = context;
    const { run, request } = await openHosts(context, args.hosts, options);
    const result = renderChange(await apply({ ...request, reason: 'plan' }, { ...run, dryRun: true }), context);
    const { changes } = result.result as { changes: number };
    const next = changes > 0 ? [applyCommand(args.hosts, context.global.file, options)] : [];
    return { ...result, next, exit: result.exit !== 0 ? result.exit : options.check && changes > 0 ? 3 : 0 };
  },
});
