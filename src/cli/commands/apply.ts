/** Owns `apply [HOST…]`: makes hosts what the store or the fleet file says, in parallel. */

import { checkContexts, contextName, giveContexts } from '../../actions/context.ts';
import { hasChanges } from '../../domain/plan/plan.ts';
import { plural } from '../../domain/words.ts';
import { applyHosts, planHosts } from '../../engine/fleet-apply.ts';
import { errorsOf, exitOfResults } from '../../engine/pool.ts';
import { gravestExit } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { RUN_OPTIONS, startRun } from '../fleet-session.ts';
import { dockerConfigDirectory } from '../options.ts';
import { agree } from '../prompts.ts';
import { coloursOf } from '../render/colours.ts';
import { outcomeJson, renderOutcome, renderResults } from '../render/outcome.ts';
import { plansJson, renderPlans } from '../render/plan.ts';
import { tableWidth } from '../render/table.ts';

export const command = defineCommand({
  name: 'apply',
  summary: 'Make hosts what they should be, in parallel',
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. Plans first and asks; with --yes it goes ahead.\nEvery host is changed in one transaction, verified, and rolled back automatically if that fails.',
  examples: [
    'docker-tls apply -f fleet.yaml --yes',
    'docker-tls apply -f fleet.yaml --canary 1 --max-failures 2 --limit "build-*" --yes',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    canary: { kind: 'number', min: 0, value: 'N', summary: 'this many hosts first; the others only if all went well' },
    maxFailures: { kind: 'number', min: 1, value: 'N', summary: 'begin no further host after this many failures' },
  },
  async run(context) {
    const { args, options, global, runtime, prompts, progress } = context;
    const colours = coloursOf(runtime.io);
    const run = await startRun(context, args.hosts, options, 'apply');
    const fleet = { parallel: global.parallel, signal: runtime.signal };
    if (run.specs.some((spec) => contextName(spec) !== undefined)) {
      const { verifiers, state } = await run.open();
      await checkContexts(run.specs, verifiers, state, dockerConfigDirectory(runtime));
    }
    if (!global.yes || global.dryRun) {
      const planned = await planHosts(run.specs, await run.open(), fleet, progress);
      const plans = planned.flatMap((result) => (result.kind === 'done' ? [result.value] : []));
      const text = renderPlans(planned, colours, global.verbose, tableWidth(runtime.io));
      if (global.dryRun)
        return {
          exit: exitOfResults(planned, runtime.signal),
          result: plansJson(planned),
          text,
          errors: errorsOf(planned),
        };
      runtime.signal.throwIfAborted();
      const changed = plans.filter((prepared) => hasChanges(prepared.plan)).length;
      if (changed > 0) {
        await prompts.show(`\n${text}\n\n`);
        const message = `Make these changes on ${changed} of ${plural(run.specs.length, 'host')}?`;
        await agree(prompts, message);
      }
    }
    const opened = await run.open({ save: true });
    const results = await applyHosts(
      run.specs,
      opened,
      { ...fleet, canary: options.canary, maxFailures: options.maxFailures },
      progress,
    );
    if (results.every((result) => result.kind !== 'done')) await run.forget();
    const done = new Set(results.flatMap(({ kind, host }) => (kind === 'done' ? [host] : [])));
    const contexts = await giveContexts(
      run.specs.filter(({ name }) => done.has(name)),
      opened.verifiers,
      { store: opened.store, dockerConfig: dockerConfigDirectory(runtime), now: runtime.now },
    );
    const only = results[0];
    const text =
      results.length === 1 && only?.kind === 'done'
        ? renderOutcome(only.value, colours)
        : results.length === 0
          ? 'no hosts: nothing to do'
          : renderResults(results, colours, tableWidth(runtime.io));
    return {
      exit: gravestExit([exitOfResults(results, runtime.signal), ...contexts.map(({ exit }) => exit)]),
      result: { hosts: results.map(outcomeJson) },
      text,
      errors: [...contexts, ...errorsOf(results)],
    };
  },
});
