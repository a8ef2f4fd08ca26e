/** Owns `plan [HOST…]`: what apply would change; changes nothing. */

import { hasChanges } from '../../plan/plan.ts';
import { planHosts } from '../../workflows/fleet-apply.ts';
import { errorsOf, exitOfResults } from '../../workflows/fleet-run.ts';
import { defineCommand } from '../command.ts';
import { RUN_OPTIONS, startRun } from '../fleet-session.ts';
import { coloursOf } from '../render/colours.ts';
import { renderPlan } from '../render/plan.ts';
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
    const plans = results.flatMap((result) => (result.kind === 'done' ? [result.value] : []));
    const due = plans.filter((prepared) => hasChanges(prepared.plan)).length;
    const failed = exitOfResults(results, runtime.signal);
    const text = [
      ...plans.map((prepared) => renderPlan(prepared, colours, global.verbose, tableWidth(runtime.io))),
      `${due} of ${results.length} hosts would change`,
    ].join('\n\n');
    const result = {
      changes: due,
      hosts: results.map((one) =>
        one.kind === 'done'
          ? { host: one.host, changes: hasChanges(one.value.plan), plan: one.value.plan }
          : { host: one.host, result: one.kind },
      ),
    };
    return { exit: failed !== 0 ? failed : options.check && due > 0 ? 3 : 0, result, text, errors: errorsOf(results) };
  },
});
