/** Owns how a command opens the store. */

import { resolve } from 'node:path';
import { type OpenOptions, openAnyStore, openTeamSession } from '../adapters/store/open.ts';
import type { Store } from '../adapters/store/store.ts';
import type { Session } from '../adapters/store/team/session.ts';
import { reachableHosts } from '../domain/trust/reachable-hosts.ts';
import type { Runtime } from '../runtime.ts';
import type { ActionContext, GlobalOptions } from './action-context.ts';
import { hideSecrets, readInput, shownPath } from './selection.ts';

type Around = {
  readonly global: Pick<GlobalOptions, 'home' | 'store'> & { readonly file?: string | undefined };
  readonly runtime: Pick<Runtime, 'now' | 'env' | 'cwd' | 'operator' | 'signal'>;
};
type Attended = Around & Pick<ActionContext, 'progress' | 'prompts'>;

/** The store of a run: the directory of --home, or one that a team shares. Opens nothing yet. Fails with E_STORE_URL (exit 2). */
export function storeOf(context: Attended): Store {
  return openAnyStore(optionsOf(context));
}

/** The session of a shared store, for commands about the store itself; undefined where the store is the directory. */
export function teamOf(context: Attended): Session | undefined {
  return openTeamSession(optionsOf(context));
}

export function optionsOf({ global, runtime, progress, prompts }: Attended): OpenOptions {
  const { now, env, cwd, operator, signal } = runtime;
  const ask = prompts.ssh?.passphrase;
  const { home, store: url } = global;
  const about = { env, cwd, who: operator, signal, now, note: progress.note, ask };
  return { home, url, ...about, hideSecrets: () => hideFleetSecrets({ global, runtime }) };
}

/** What the fleet file names as secret is taken out of the environment. Fails as the reading of the file does, but for one that is not there. */
async function hideFleetSecrets({ global: { file }, runtime: { cwd } }: Around): Promise<void> {
  if (file === undefined) return;
  const text = await readInput(file, cwd).catch(() => undefined);
  if (text === undefined) return;
  const { parseFleet } = await import('../domain/fleet/fleet.ts');
  const shown = file === '-' ? 'stdin' : shownPath(resolve(cwd, file), cwd);
  hideSecrets(parseFleet(text, shown).secrets);
}

/** Names that the shell offers: of clients, or of hosts that can be reached from here. */
export async function storedNames(kind: 'host' | 'client', around: Around): Promise<string[]> {
  const { now, env, cwd, operator, signal } = around.runtime;
  const { home, store: url } = around.global;
  const state = await openAnyStore({
    home,
    url,
    env,
    cwd,
    who: operator,
    signal,
    now,
    note: () => {},
    cached: true,
  }).read();
  return [...(kind === 'client' ? state.clients : reachableHosts(state)).keys()];
}
