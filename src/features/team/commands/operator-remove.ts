/** `operator remove NAME`: re-encrypts a shared store for the remaining operators. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { agree } from '../../../core/actions/prompts.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { listOperators, removeOperator } from '../store/admin.ts';
import type { Operator } from '../store/operators.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'Everything is encrypted again under new keys. What the operator has copied stays readable to them, so the output names the keys to rotate.',
  examples: ['docker-tls operator remove bob'],
  args: { name: { summary: 'the operator', required: true } },
  options: {},
  run: async (context) => renderRemoved(await takeAccess(context, context.args.name), context.global.dryRun),
});

type Removed = {
  readonly removed: Operator;
  readonly left: readonly Operator[];
  /** A CA exists whose key the operator may have copied. */
  readonly hasCa: boolean;
};

/** Asks for confirmation first. */
async function takeAccess(context: ActionContext, name: string): Promise<Removed> {
  const session = sharedStoreOf(context);
  const { operators } = await listOperators(session);
  const found = operators.find((one) => one.name === name);
  if (found !== undefined && context.global.dryRun)
    return { removed: found, left: operators.filter((one) => one !== found), hasCa: true };
  if (found !== undefined)
    await agree(context.prompts, `Remove the operator ${name}, and encrypt everything again for the others?`);
  const { state, ...done } = await removeOperator(session, name);
  return { ...done, hasCa: state.ca !== undefined };
}

function renderRemoved({ removed, left, hasCa }: Removed, dryRun: boolean): CommandResult {
  const { name, ca, client } = removed;
  const next = [
    ...(ca && hasCa ? ['a new CA, and new certificates for every host and client: docker-tls rotate ca'] : []),
    ...(client === undefined ? [] : [`docker-tls client revoke ${client}`]),
    'and take away the right to read and write the repository',
  ];
  const kept = ca
    ? 'the key of the CA, those of its clients, and the records'
    : `the records${client === undefined ? '' : `, and the key of client ${client}`}`;
  return {
    exit: 0,
    result: {
      removed: name,
      left: left.map((one) => one.name),
      rotate: ca && hasCa ? ['ca'] : [],
      dryRun: dryRun || undefined,
    },
    text: [
      `operator ${name}: ${dryRun ? 'would be removed' : `removed, and everything is encrypted again under new keys for ${left.map((one) => one.name).join(', ')}`}`,
      `What ${name} has copied stays readable to ${name}: ${kept}. The history of the repository counts as copied.`,
    ].join('\n'),
    next,
  };
}
