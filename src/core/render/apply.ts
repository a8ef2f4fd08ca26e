/** The result of `apply` and `plan`: the change, and the next commands. */

import type { CommandContext, CommandResult } from '../../cli/command.ts';
import { gravestExit } from '../../errors/errors.ts';
import type { Applied } from '../actions/apply.ts';
import type { Changed } from '../actions/results.ts';
import { renderChange } from './change.ts';
import { applyCommand, useCommands } from './next.ts';
import { isChanging } from './plan.ts';

type Context = CommandContext<{ readonly hosts: readonly string[] }, Readonly<Record<string, unknown>>>;

export function renderApplied({ changed, hosts, contexts, first }: Applied, context: Context): CommandResult {
  const { exit, text, errors = [], ...rest } = renderChange(changed, context);
  return {
    ...rest,
    exit: gravestExit([exit, ...contexts.map((error) => error.exit)]),
    text: hosts.length === 0 ? 'no hosts: nothing to do' : text,
    next: nextCommands({ changed, first }, context),
    errors: [...contexts, ...errors],
  };
}

/** `check`: exit status 3 if changes are pending. */
export function renderPlan(
  changed: Changed,
  context: Context & { readonly options: { readonly check: boolean } },
): CommandResult {
  const { exit, ...rest } = renderChange(changed, context);
  const next = nextCommands({ changed }, context);
  return { ...rest, next, exit: exit === 0 && context.options.check && next.length > 0 ? 3 : exit };
}

/** A retry for failed hosts; otherwise docker's commands for the first changed host. */
function nextCommands(
  { changed: { planned, results }, first }: Pick<Applied, 'changed' | 'first'>,
  { args, options, global, runtime }: Context,
): string[] {
  if (planned !== undefined)
    return planned.hosts.some(isChanging) ? [applyCommand(args.hosts, global.file, options)] : [];
  const left = results.flatMap(({ kind, host }) => (kind === 'done' ? [] : [host]));
  if (left.length > 0) return [`when that is fixed:  ${applyCommand(left, global.file, options)}`];
  return first === undefined ? [] : useCommands(first.spec, first.context, runtime);
}
