/** `store restore`: restores a shared store from the state that this machine saw last. */

import { defineCommand } from '../../../cli/command.ts';
import { restoreStore } from '../actions/team-store.ts';

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
