/** Everything due in the store, for users who type `renew`. */

import { openAnyStore } from '../adapters/store/open.ts';
import type { StatusRow } from '../domain/status-row.ts';
import { statusRows } from '../domain/trust/status-rows.ts';
import { listWords } from '../domain/words.ts';
import type { Runtime } from '../runtime.ts';
import type { GlobalOptions } from './action-context.ts';

/** In words, with the commands that renew it. Contacts no host. Fails as reading the store does. */
export async function dueNames(
  { home, store: url }: Pick<GlobalOptions, 'home' | 'store'>,
  runtime: Pick<Runtime, 'now' | 'env' | 'cwd' | 'operator' | 'signal'>,
): Promise<{ readonly words: string; readonly hints: readonly string[] }> {
  const { operator: who, ...about } = runtime;
  const state = await openAnyStore({ ...about, home, url, who, note: () => {}, cached: true }).read();
  const due = statusRows(state, new Map(), { now: runtime.now(), withinDays: undefined }).filter(
    (row) => row.state === 'due' || row.state === 'expired',
  );
  const has = (kind: StatusRow['kind']) => due.some((row) => row.kind === kind);
  const names = due.map(({ kind, name, daysLeft }) => `${kind} ${name} (${daysLeft} days left)`);
  return {
    words: due.length === 0 ? 'nothing is due' : `due: ${listWords(names, 12)}`,
    hints: [
      ...(has('ca') ? ['docker-tls rotate ca'] : []),
      ...(has('host') ? ['docker-tls rotate server --due'] : []),
      ...(has('client') ? ['docker-tls rotate client --due'] : []),
      ...(due.length === 0 ? ['docker-tls rotate server --all', 'docker-tls rotate client --all'] : []),
      'docker-tls schedule',
    ],
  };
}
