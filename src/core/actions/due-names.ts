/** Everything due in the store, for users who type `renew`. */

import type { Hint } from '../../errors/errors.ts';
import { openAnyStore } from '../adapters/store/open.ts';
import type { StatusRow } from '../domain/status-row.ts';
import { statusRows } from '../domain/trust/status-rows.ts';
import { listWords, plural } from '../domain/words.ts';
import type { Runtime } from '../runtime.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import type { GlobalOptions } from './action-context.ts';

/** In words, with the commands that renew it. Contacts no host. Fails as reading the store does. */
export async function dueNames(
  { home, store: url }: Pick<GlobalOptions, 'home' | 'store'>,
  runtime: Pick<Runtime, 'now' | 'env' | 'cwd' | 'operator' | 'signal'>,
): Promise<{ readonly words: string; readonly hints: readonly Hint[] }> {
  const { operator: who, ...about } = runtime;
  const state = await openAnyStore({ ...about, home, url, who, note: () => {}, cached: true }).read();
  const rows = statusRows(state, new Map(), { now: runtime.now(), withinDays: undefined });
  if (rows.length === 0)
    return { words: 'nothing is set up yet, so nothing can be due', hints: ['docker-tls setup root@HOST'] };
  const due = rows.filter((row) => row.state === 'due' || row.state === 'expired');
  const of = (kind: StatusRow['kind']) => due.filter((row) => row.kind === kind);
  const clients = of('client');
  const none = due.length === 0;
  return {
    words: none ? 'nothing is due' : `due: ${listWords(due.map(dueWords), 12)}`,
    hints: [
      ...(of('ca').length > 0 ? offeredCommands('new CA') : []),
      ...(of('old ca').length > 0 ? offeredCommands('new CA', '--drop') : []),
      ...(of('host').length > 0 ? ['docker-tls rotate server --due'] : []),
      ...(clients.some(({ renewable }) => renewable) ? ['docker-tls rotate client --due'] : []),
      // Their keys are on other computers.
      ...clients.flatMap(({ renewable, renew = [] }) => (renewable ? [] : renew)),
      ...(none ? ['docker-tls rotate server --all', 'docker-tls rotate client --all'] : []),
      ...offeredCommands('renewals'),
    ],
  };
}

function dueWords({ kind, name, state, daysLeft }: StatusRow): string {
  const when = state === 'expired' ? `expired ${plural(-daysLeft, 'day')} ago` : `${plural(daysLeft, 'day')} left`;
  return `${kind} ${name} (${when})`;
}
