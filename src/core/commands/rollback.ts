/** `rollback HOST…`: restores the previous generation, verified. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { RESTORE_OPTIONS } from '../../cli/host-options.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { openRestore, restore } from '../actions/return-hosts.ts';
import type { RunOptions } from '../actions/run.ts';
import type { Changed } from '../engine/intent.ts';
import type { ChangeDocument } from '../render/change-document.ts';
import { renderChange } from '../render/change-result.ts';

export type RollbackDocument = ChangeDocument;

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'The host keeps its last generations (--keep). A rollback is a new generation, so it can be rolled back as well.\nWhat was requested when the generation was made (port, addresses, clients, hardening) comes back with it, so that the next run does not undo it. One from before a client was revoked, or a CA dropped, is refused.',
  examples: ['docker-tls rollback build-1', 'docker-tls rollback build-1 --to 3'],
  args: { hosts: { summary: 'hosts', required: true, many: true, completes: 'host' } },
  options: {
    ...RESTORE_OPTIONS,
    to: { kind: 'number', min: 1, value: 'N', summary: 'this generation instead of the one before' },
    allowRevoked: { kind: 'flag', summary: 'also where a revoked client, or a dropped CA, is accepted again' },
  },
  run: async (context): Promise<CommandResult<RollbackDocument>> => {
    const changed = await rollBack(context, context.args.hosts, context.options);
    return renderChange(changed, context);
  },
});

export async function rollBack(
  context: ActionContext,
  names: readonly string[],
  options: RunOptions & { readonly to?: number | undefined; readonly allowRevoked: boolean },
): Promise<Changed> {
  const { run, hosts } = await openRestore(context, names, options);
  const { to = 'previous', allowRevoked } = options;
  return restore(hosts, { to, allowRevoked, allowPlainTcp: false }, run);
}
