/** Owns `plan [HOST…]`: what apply would change; changes nothing. */

import { planHosts } from '../../engine/fleet-apply.ts';
import { errorsOf, exitOfResults } from '../../engine/pool.ts';
import { defineCommand } from '../command.ts';
import { RUN_OPTIONS, startRun } from '../fleet-session.ts';
import { coloursOf } from '../render/colours.ts';
import { plansJson, renderPlans } from '../render/plan.ts';
import { tableWidth } from '../render/table.ts';

export const command = defineCommand({
  name: 'plan',
  summary: 'What apply would change; changes nothing',
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. With --check the exit status is 3 when there is something to do.',
  examples: ['docker-tls plan', 'docker-tls plan -f fleet.yaml --check'],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: { ...RUN_OPTIONS, check: { kind: 'flag', summary: 'exit with status 3 when there is something to do' } },
  async run(context) {
    const { args, options, global, runtime, progress } = context;
    const colours = coloursOf(runtime.io);
    const run = await startRun(context, args.hosts, options, 'plan');
    const results = await planHosts(
      run.specs,
      await run.open(),
      { parallel: global.parallel, signal: runtime.signal },
      progress,
    );
    const failed = exitOfResults(results, runtime.signal);
    const result = plansJson(results);
    return {
      exit: failed !== 0 ? failed : options.check && result.changes > 0 ? 3 : 0,
      result,
      text: renderPlans(results, colours, global.verbose, tableWidth(runtime.io)),
      errors: errorsOf(results),
    };
  },
});
