/** `store refresh`: begins the time anew for which a shared store's newest state is current. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { agree } from '../../../core/actions/ask.ts';
import { plural } from '../../../core/domain/words.ts';
import { usage } from '../../../errors/errors.ts';
import { askWitnesses } from '../actions/ask-witnesses.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { MOST_DAYS } from '../store/freshness.ts';
import { refreshStore } from '../store/refresh.ts';
import { commitWords } from '../store/store-refusals.ts';

export type StoreRefreshDocument = {
  readonly store: string;
  /** The commit that did it; absent if more than half of the time is left, and in a dry run. */
  readonly sequence?: number;
  /** When its newest state expires; absent: never. */
  readonly expires?: Date;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'hosts', 'store'],
  about:
    'A server could hide the newest commits. So each commit says for how many days it is current (90 by default), and docker-tls refuses an older state (E_STORE_EXPIRED). Every change of the store begins that time anew; this command does so without a change, once less than half of the time is left. The jobs of "docker-tls schedule" run it. It first asks the hosts that answer, and refuses if one of them has seen a newer state.\nFor a state that has expired it asks: is that commit the last one that your team knows of?',
  examples: ['docker-tls store refresh', 'docker-tls store refresh --valid-for 30'],
  args: {},
  options: {
    validFor: {
      kind: 'text',
      value: 'DAYS',
      summary: 'how long a state is current from now on; none: until the next change',
    },
  },
  async run(context): Promise<CommandResult<StoreRefreshDocument>> {
    const validDays = daysOf(context.options.validFor);
    const session = sharedStoreOf(context);
    const store = session.url;
    const { dryRun } = context.global;
    const done = await refreshStore(session, {
      validDays,
      dryRun,
      compare: async () => {
        const { errors } = await askWitnesses(context, session, ['hosts']);
        const refused = errors.find(({ code }) => code === 'E_STORE_OLDER');
        if (refused !== undefined) throw refused;
      },
      agree: (last) =>
        agree(context.prompts, `It has expired. Is ${commitWords(last)} the last commit that your team knows of?`),
    });
    const { sequence, expiry } = done;
    const result = { store, sequence, expires: expiry, dryRun: dryRun || undefined };
    const until = expiry === undefined ? 'does not expire' : `is current until ${expiry.toISOString()}`;
    return { exit: 0, result, text: `${store} ${until}`, attention: '', next: [] };
  },
});

function daysOf(text: string | undefined): number | 'none' | undefined {
  if (text === undefined || text === 'none') return text;
  const days = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : MOST_DAYS + 1;
  if (days <= MOST_DAYS) return days;
  throw usage(`--valid-for ${text} is not a number of days up to ${plural(MOST_DAYS, 'day')}, nor none`, [
    'docker-tls store refresh --valid-for 90',
  ]);
}
