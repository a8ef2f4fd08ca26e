/** `store refresh`: begins the time anew for which a shared store's newest state is current. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { dateWords, plural } from '../../../core/domain/words.ts';
import { usage } from '../../../errors/errors.ts';
import type { WitnessDocument } from '../actions/ask-witnesses.ts';
import { comparedWords, confirmNewest } from '../actions/confirm-newest.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { MOST_DAYS, NEVER } from '../store/freshness.ts';
import { refreshStore } from '../store/refresh.ts';
import { CONFIRM_OPTIONS } from './witness-options.ts';

export type StoreRefreshDocument = {
  readonly store: string;
  /** The commit that did it; absent if more than half of the time is left, and in a dry run. */
  readonly sequence?: number;
  /** When its newest state expires; absent: never. */
  readonly expires?: Date;
  /** What its hosts have seen of it; absent if more than half of the time is left. */
  readonly witnesses?: readonly WitnessDocument[];
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'hosts', 'fleet', 'store'],
  about:
    'A server could hide the newest commits. So each commit says for how many days it is current (90 by default), and docker-tls refuses an older state (E_STORE_EXPIRED). Every change of the store begins that time anew; this command does so without a change, once less than half of the time is left. Daily jobs run it. It first asks the hosts, and refuses if one of them has seen a newer state. --except HOST does not believe that host.\nOnly people can say whether a state that has expired, or that no host confirms, is the newest. So it asks: is that commit the last one that your team knows of? --yes is not an answer; --last-commit NUMBER is.',
  examples: ['docker-tls store refresh', 'docker-tls store refresh --valid-for 30'],
  args: {},
  options: {
    validFor: {
      kind: 'text',
      value: 'DAYS',
      summary: 'how long a state is current from now on; none: until the next change',
    },
    ...CONFIRM_OPTIONS,
  },
  async run(context): Promise<CommandResult<StoreRefreshDocument>> {
    const validDays = daysOf(context.options.validFor);
    const session = sharedStoreOf(context);
    const store = session.url;
    const { dryRun } = context.global;
    let witnesses: readonly WitnessDocument[] | undefined;
    const { sequence, expiry } = await refreshStore(session, {
      validDays,
      dryRun,
      async confirm(base) {
        const { options } = context;
        witnesses = await confirmNewest(context, session, base, { command: 'store refresh', options });
      },
    });
    if (expiry === undefined && validDays === undefined) context.progress.note(NEVER);
    const result = { store, sequence, expires: expiry, witnesses, dryRun: dryRun || undefined };
    const would = dryRun && witnesses !== undefined;
    const until = expiry === undefined ? '' : ` current until ${dateWords(expiry)}`;
    const is = until === '' ? (would ? 'would not expire' : 'does not expire') : `${would ? 'would be' : 'is'}${until}`;
    return { exit: 0, result, text: `${store} ${is}${comparedWords(witnesses ?? [])}`, attention: '', next: [] };
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
