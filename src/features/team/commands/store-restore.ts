/** `store restore`: restores a shared store from the state that this machine saw last. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { agree } from '../../../core/actions/ask.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { newestSeen, restoreTeamStore } from '../store/restore-store.ts';
import { commitWords } from '../store/store-refusals.ts';

export type StoreRestoreDocument = {
  readonly store: string;
  /** The commit that was put back; absent if the store had lost nothing, and in a dry run. */
  readonly sequence?: number;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'For a repository that was restored from an old backup, or that was changed by a user who is not an operator.\nWhere the store holds changes of operators that this computer has not seen, it refuses: they may have revoked a client. --replace-unseen undoes them; they stay in the history.',
  examples: ['docker-tls store restore'],
  args: {},
  options: { replaceUnseen: { kind: 'flag', summary: 'also undo changes that this computer has not seen' } },
  async run(context): Promise<CommandResult<StoreRestoreDocument>> {
    const { replaceUnseen } = context.options;
    const session = sharedStoreOf(context);
    const store = session.url;
    if (context.global.dryRun) {
      await newestSeen(session);
      const text = `would put the newest state that this computer has seen into ${store}`;
      return { exit: 0, result: { store, dryRun: true }, text, next: [] };
    }
    const undoing = replaceUnseen ? ', and undo all changes that do not lead to it' : '';
    const sequence = await restoreTeamStore(session, replaceUnseen, (newest) =>
      agree(context.prompts, `Put ${commitWords(newest)} back into ${store}${undoing}?`),
    );
    const result = { store, sequence };
    if (sequence === undefined) return { exit: 0, result, text: `${store} has lost nothing`, next: [] };
    const text = `${store} is at commit ${sequence}, as this computer had seen it`;
    return { exit: 0, result, text, next: ['docker-tls status', 'docker-tls log'] };
  },
});
