/** A new docker context, and the commands to use it. */

import type { CommandContext, CommandResult } from '../../cli/command.ts';
import type { ContextOutcome } from '../actions/give-context.ts';
import type { Runtime } from '../runtime.ts';

type Context = CommandContext<unknown, { readonly use: boolean }>;

export function renderContext(outcome: ContextOutcome, { global, options, runtime }: Context): CommandResult {
  const { context, endpoint, client } = outcome;
  if (global.dryRun) {
    const result = { context, endpoint, client, dryRun: true };
    return { exit: 0, result, text: `would write the context ${context}: ${endpoint} as ${client}` };
  }
  return { exit: 0, result: outcome, text: renderOutcome(outcome, options.use, runtime) };
}

function renderOutcome(
  outcome: ContextOutcome,
  used: boolean,
  { docker, env }: Pick<Runtime, 'docker' | 'env'>,
): string {
  const state = outcome.created ? 'created' : outcome.changed ? 'updated' : 'is up to date';
  const lines = [`context ${outcome.context} ${state}: ${outcome.endpoint} as ${outcome.client}`];
  if (outcome.directory !== undefined) lines.push(`ca.pem, cert.pem and key.pem are in ${outcome.directory} as well`);
  for (const file of outcome.kept) lines.push(`kept a copy: ${file}`);
  lines.push('', `  ${docker}${used ? '' : ` --context ${outcome.context}`} version`);
  const stronger = ['DOCKER_HOST', 'DOCKER_CONTEXT'].filter((name) => env[name]);
  if (used && stronger.length > 0) {
    lines.push('', `${stronger.join(' and ')} of this shell beats the current context; take it away with:`);
    lines.push('', `  unset ${stronger.join(' ')}`);
  }
  return lines.join('\n');
}
