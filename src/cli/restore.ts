/** Owns what `rollback` and `remove` have in common: plan, question, change, result. */

import { contextsOf, takeContextsAway } from '../actions/context.ts';
import { durationWords, listWords } from '../domain/words.ts';
import { refuseProblems } from '../engine/host-run.ts';
import { prepareReturn, type ReturnContext, returnHost } from '../engine/restore-host.ts';
import { specFor } from '../engine/specs.ts';
import { DockerTlsError, gravestExit, printable } from '../errors/errors.ts';
import type { CommandContext, CommandResult, OptionSpecs, OptionValues } from './command.ts';
import { openFleetFile } from './fleet-file.ts';
import { runFlags, SAFETY_OPTIONS, SSH_OPTIONS } from './host-options.ts';
import { agree } from './prompts.ts';
import { coloursOf } from './render/colours.ts';
import { handEdits, renderChecks, renderWarnings } from './render/outcome.ts';
import { renderLoss, renderPlan } from './render/plan.ts';
import { tableWidth } from './render/table.ts';
import { sudoPassword } from './secrets.ts';
import { usableClients } from './session.ts';
import { storeOf } from './store.ts';

export const RETURN_OPTIONS = { ...SSH_OPTIONS, ...SAFETY_OPTIONS } as const satisfies OptionSpecs;

/** Goes back to a generation, or gives the host back (`none`). Asks once unless --yes. */
export async function runReturn(
  {
    global,
    runtime,
    prompts,
    progress,
    command,
  }: Pick<CommandContext<unknown, unknown>, 'global' | 'runtime' | 'prompts' | 'progress' | 'command'>,
  host: string,
  target: number | 'previous' | 'none',
  options: OptionValues<typeof RETURN_OPTIONS> & { readonly allowRevoked?: boolean; readonly allowPlainTcp?: boolean },
): Promise<CommandResult> {
  const colours = coloursOf(runtime.io);
  const store = storeOf({ global, runtime });
  const state = await store.read();
  const flags = runFlags(options, runtime.cwd);
  const fleet = await openFleetFile({ global, runtime });
  // What the store knows of a host is how it was left; one that another store set up may still be in the file.
  const spec = state.hosts.has(host) ? specFor(host, state, flags) : (fleet ?? { specFor }).specFor(host, state, flags);
  const sudo = await sudoPassword(options, runtime, prompts, fleet?.secrets.sudoPasswordOf(spec.name));
  const context: ReturnContext = {
    runtime,
    store,
    state,
    reason: command,
    verifiers: usableClients(state),
    allowRevoked: options.allowRevoked === true,
    // A dry run shows it as a warning, among all that would change.
    allowPlainTcp: options.allowPlainTcp === true || global.dryRun,
    ...(sudo ? { sudoPassword: sudo } : {}),
    ...(prompts.ssh ? { ask: prompts.ssh } : {}),
  };
  const line = progress.host(spec.name);
  const began = runtime.now().getTime();
  const prepared = await prepareReturn(spec, target, context, line).catch((error: unknown) => {
    throw target === 'none' && state.hosts.has(spec.name) ? offeringForget(error, spec.name) : error;
  });
  const { plan, opened, address } = prepared;
  const contexts = target === 'none' ? await contextsOf(spec.name, state) : [];
  const contextNames = contexts.map(({ name }) => name);
  const text = renderPlan(
    { plan, facts: opened.facts, address, sans: [], credentialsWhy: '', spec: prepared.spec, contexts: contextNames },
    colours,
    global.verbose,
    tableWidth(runtime.io),
  );
  try {
    refuseProblems(prepared);
    if (global.dryRun) {
      line.done('planned');
      return { exit: 0, result: { host: spec.name, plan, contexts: contextNames }, text };
    }
    if (!global.yes) {
      runtime.io.err(`\n${text}\n\n`);
      const message =
        target === 'none'
          ? `Remove docker-tls from ${spec.name} and restore its original configuration?`
          : `Go back to generation ${plan.returnsTo}?`;
      await agree(prompts, message);
    }
    const { outcome, gone, errors } = await store.withLock(`docker-tls ${command}`, async () => {
      const outcome = await returnHost(prepared, context, line);
      return { outcome, ...(await takeContextsAway(contexts, { store, now: runtime.now })) };
    });
    line.done('done');
    // With --yes nobody saw the plan: who gets in again stands with the result.
    const warnings = [...new Set([...plan.warnings, ...outcome.warnings])];
    const took = durationWords(runtime.now().getTime() - began);
    const head =
      target === 'none'
        ? `${colours.bold(spec.name)}: docker-tls removed, original configuration restored, in ${took}`
        : `${colours.bold(spec.name)}: generation ${plan.returnsTo} is in force again, as generation ${plan.generation}, in ${took}`;
    return {
      exit: gravestExit(errors.map(({ exit }) => exit)),
      errors,
      result: {
        host: spec.name,
        generation: plan.generation,
        returnsTo: plan.returnsTo,
        files: plan.files.map((change) => change.path),
        handEdits: handEdits(plan),
        checks: outcome.checks,
        warnings,
        ...(target === 'none' ? { contexts: gone } : {}),
      },
      text: [
        head,
        ...(outcome.checks.length > 0 ? [renderChecks(outcome.checks, colours)] : []),
        ...renderWarnings(warnings, colours),
        // Nobody saw the plan after --yes, and this is the last that is seen of it.
        ...plan.files
          .filter((change) => change.drift === true)
          .flatMap((change) => [
            ...renderWarnings([`${printable(change.path)}: what somebody had edited by hand there is gone`], colours),
            ...renderLoss(change, colours),
          ]),
        ...(gone.length > 0 ? [`  gone here as well: docker context ${listWords(gone, 12)}, which led there`] : []),
      ].join('\n'),
    };
  } finally {
    await opened.session.close();
  }
}

/** Errors of a host that may be gone, or whose address another one has by now. */
const GONE = [
  'E_SSH_TIMEOUT',
  'E_SSH_UNREACHABLE',
  'E_SSH_REFUSED',
  'E_SSH_NAME',
  'E_SSH_LOST',
  'E_SSH_HOST_KEY_UNKNOWN',
  'E_SSH_HOST_KEY_CHANGED',
];

function offeringForget(error: unknown, host: string): unknown {
  if (!(error instanceof DockerTlsError) || !GONE.includes(error.code)) return error;
  return error.hinting([...error.hints, `if the host is gone for good: docker-tls forget ${host}`]);
}
