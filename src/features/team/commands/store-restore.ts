/** `store restore`: restores a shared store from the state that this machine saw last. */

import { defineCommand } from '../../../cli/command.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { agree } from '../../../core/actions/prompts.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { commitWords } from '../store/refusals.ts';
import { newestSeen, restoreTeamStore } from '../store/restore.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'For a repository that was restored from an old backup, or that was changed by a user who is not an operator.\nWhere the store holds changes of operators that this computer has not seen, it refuses: they may have revoked a client. --replace-unseen undoes them; they stay in the history.',
  examples: ['docker-tls store restore'],
  args: {},
  options: { replaceUnseen: { kind: 'flag', summary: 'also undo changes that this computer has not seen' } },
  async run(context) {
    const done = await restoreStore(context, context.options.replaceUnseen);
    const text = context.global.dryRun
      ? `would put the newest state that this computer has seen into ${done.store}`
      : done.sequence === undefined
        ? `${done.store} has lost nothing`
        : `${done.store} is at commit ${done.sequence}, as this computer had seen it`;
    return {
      exit: 0,
      result: done,
      text,
      next: done.sequence === undefined ? [] : ['docker-tls status', 'docker-tls log'],
    };
  },
});

/** Number of the new commit; undefined if nothing was lost. `replaceUnseen`: also undo changes that this machine has not seen. */
async function restoreStore(
  context: ActionContext,
  replaceUnseen: boolean,
): Promise<{ readonly store: string; readonly sequence?: number }> {
  const session = sharedStoreOf(context);
  if (context.global.dryRun) {
    await newestSeen(session);
    return { store: session.url };
  }
  const undoing = replaceUnseen ? ', and undo all changes that do not lead to it' : '';
  const sequence = await restoreTeamStore(session, replaceUnseen, (newest) =>
    agree(context.prompts, `Put ${commitWords(newest)} back into ${session.url}${undoing}?`),
  );
  return { store: session.url, sequence };
}
