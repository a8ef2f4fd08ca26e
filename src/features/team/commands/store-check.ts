/** `store check`: checks that a shared store is complete, genuine and up to date. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { agree } from '../../../core/actions/ask.ts';
import { plural } from '../../../core/domain/words.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { checkTeamStore } from '../store/restore-store.ts';

export type StoreCheckDocument = {
  readonly store: string;
  /** The number of the commit. */
  readonly sequence: number;
  /** Fingerprint of the operators whose signatures count. */
  readonly signers: string;
  /** How many there are. */
  readonly files: number;
  readonly operators: number;
};

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'Every file is compared with the signed list, opened and read, as far as your key opens it.\n--accept: the state that is there now counts as the newest, though this computer has seen a newer one.',
  examples: ['docker-tls store check', 'docker-tls store check --accept'],
  args: {},
  options: { accept: { kind: 'flag', summary: 'continue with an older state, such as one from a backup' } },
  async run(context): Promise<CommandResult<StoreCheckDocument>> {
    const { accept } = context.options;
    const session = sharedStoreOf(context);
    const store = session.url;
    if (accept)
      await agree(context.prompts, `Accept what is in ${store} now, though this computer has seen a newer state?`);
    const found = await checkTeamStore(session, accept && !context.global.dryRun);
    const { sequence, signers, files, operators } = found;
    const about = `${plural(files, 'file')}, ${plural(operators, 'operator')}, commit ${sequence}, signers ${signers}`;
    return {
      exit: 0,
      result: { store, sequence, signers, files, operators },
      text: `${store} is whole: ${about}`,
      attention: '',
    };
  },
});
