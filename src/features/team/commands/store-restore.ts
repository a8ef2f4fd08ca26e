/** `store restore`: restores a shared store from the state that this machine saw last. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { confirmNewest } from '../actions/confirm-newest.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { newestSeen, restoreTeamStore } from '../store/restore-store.ts';
import { commitWords } from '../store/store-refusals.ts';
import { CONFIRM_OPTIONS } from './witness-options.ts';

export type StoreRestoreDocument = {
  readonly store: string;
  /** The commit that was put back; absent if the store had lost nothing, and in a dry run. */
  readonly sequence?: number;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'hosts', 'fleet', 'store'],
  about:
    'For a repository that was restored from an old backup, or that was changed by a user who is not an operator.\nWhere the store holds changes of operators that this computer has not seen, it refuses: they may have revoked a client. --replace-unseen undoes them; they stay in the history.\nThe time for which the state is current begins anew, so the hosts are asked as by "docker-tls store refresh", and so is a person for a state that has expired.',
  examples: ['docker-tls store restore'],
  args: {},
  options: {
    replaceUnseen: {
      kind: 'flag',
      summary: 'also undo changes that this computer has not seen, and those that only hosts have',
    },
    ...CONFIRM_OPTIONS,
  },
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
      confirmNewest(context, session, newest, {
        ...{ command: 'store restore', options: context.options, restores: true, undoes: replaceUnseen },
        question: `Put ${commitWords(newest.last ?? newest)} back into ${store}${undoing}?`,
      }),
    );
    const result = { store, sequence };
    if (sequence === undefined) return { exit: 0, result, text: `${store} has lost nothing`, next: [] };
    const text = `${store} is at commit ${sequence}, as this computer had seen it`;
    return { exit: 0, result, text, next: ['docker-tls status', 'docker-tls log'] };
  },
});
