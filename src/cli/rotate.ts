/** Owns what the rotations and changes of access have in common: the question, the change of several hosts, the result. */

import type { HostSpec } from '../domain/settings.ts';
import { plural } from '../domain/words.ts';
import { accessOf } from '../engine/access.ts';
import { applyHosts, planHosts } from '../engine/fleet-apply.ts';
import type { RunContext } from '../engine/host-run.ts';
import { errorsOf, exitOfResults } from '../engine/pool.ts';
import { gravestExit } from '../errors/errors.ts';
import type { CommandContext, CommandResult, OptionSpecs } from './command.ts';
import type { StoredRun } from './fleet-session.ts';
import { PASSPHRASE_OPTIONS, REJECT_OPTION, SAFETY_OPTIONS, SSH_OPTIONS } from './host-options.ts';
import { agree } from './prompts.ts';
import { coloursOf } from './render/colours.ts';
import { outcomeJson, renderResults } from './render/outcome.ts';
import { plansJson, renderPlans } from './render/plan.ts';
import { tableWidth } from './render/table.ts';

/** What every command takes that changes hosts which are in the store already. */
export const ROTATE_OPTIONS = {
  ...SSH_OPTIONS,
  caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
  ...SAFETY_OPTIONS,
  ...REJECT_OPTION,
  canary: { kind: 'number', min: 0, value: 'N', summary: 'this many hosts first; the others only if all went well' },
  maxFailures: { kind: 'number', min: 1, value: 'N', summary: 'begin no further host after this many failures' },
} as const satisfies OptionSpecs;

export type HostsChange = {
  readonly specs: readonly HostSpec[];
  readonly run: RunContext;
  /** The question, for instance `Renew the certificates of 3 hosts?`. */
  readonly question: string;
  readonly canary?: number;
  readonly maxFailures?: number;
};

type Around = Pick<CommandContext<unknown, unknown>, 'global' | 'runtime' | 'prompts' | 'progress'>;

/**
 * Asks once (unless --yes), then writes what the run's keyring holds and changes the hosts; with --dry-run it shows the plans. Without
 * hosts there is nothing to ask.
 */
export async function changeHosts(
  { global, runtime, prompts, progress }: Around,
  change: HostsChange,
): Promise<CommandResult> {
  const colours = coloursOf(runtime.io);
  const fleet = { parallel: global.parallel, signal: runtime.signal };
  if (change.specs.length > 0 && (global.dryRun || !global.yes)) {
    const planned = await planHosts(change.specs, change.run, fleet, progress);
    const text = renderPlans(planned, colours, global.verbose, tableWidth(runtime.io));
    if (global.dryRun) {
      return {
        exit: exitOfResults(planned, runtime.signal),
        result: plansJson(planned),
        text,
        errors: errorsOf(planned),
      };
    }
    runtime.io.err(`\n${text}\n\n`);
    await agree(prompts, change.question);
  }
  await change.run.saveBase();
  const results = await applyHosts(
    change.specs,
    change.run,
    { ...fleet, canary: change.canary, maxFailures: change.maxFailures },
    progress,
  );
  return {
    exit: exitOfResults(results, runtime.signal),
    result: { hosts: results.map(outcomeJson) },
    text: results.length === 0 ? '' : renderResults(results, colours, tableWidth(runtime.io)),
    errors: errorsOf(results),
  };
}

export type AccessChanged = CommandResult & {
  /** Hosts that were to be changed. */
  readonly hosts: readonly string[];
};

/**
 * Writes the access that the run's keyring holds, and tells the hosts that have to hear of it: nothing is written unless it is possible and
 * agreed to. Hosts that nobody is left for stand in the errors. Fails as accessOf does.
 */
export async function changeAccess(
  context: Around,
  {
    run,
    more,
    question,
    ...options
  }: Pick<HostsChange, 'canary' | 'maxFailures'> & {
    readonly run: StoredRun;
    readonly more?: Partial<RunContext>;
    readonly question: (hosts: string) => string;
  },
): Promise<AccessChanged> {
  const { outdated, withoutClients } = await accessOf(run.session);
  const specs = run.specs(outdated);
  const changed = await changeHosts(context, {
    specs,
    run: await run.open(more),
    question: question(nameHosts(specs)),
    ...options,
  });
  return {
    ...changed,
    exit: gravestExit([changed.exit, ...withoutClients.map((error) => error.exit)]),
    errors: [...withoutClients, ...(changed.errors ?? [])],
    hosts: outdated,
  };
}

/** `3 hosts: a, b, c`. */
export function nameHosts(specs: readonly HostSpec[]): string {
  return `${plural(specs.length, 'host')}: ${specs.map((spec) => spec.name).join(', ')}`;
}
