/** Owns how a command opens the store. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type OpenOptions, openAnyStore, openTeamSession, storeUrl } from '../adapters/store/open.ts';
import type { Store } from '../adapters/store/store.ts';
import type { Session } from '../adapters/store/team/session.ts';
import { reachableHosts } from '../domain/trust/reachable-hosts.ts';
import { keepFromChildren } from '../environment.ts';
import type { Runtime } from '../runtime.ts';
import type { ActionContext, GlobalOptions } from './action-context.ts';

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
  hideSecrets(global.file === undefined || global.file === '-' ? undefined : resolve(cwd, global.file));
  hideReferences(storeUrl({ home: global.home, url: global.store, env }) ?? '');
  const ask = prompts.ssh?.passphrase;
  return { home: global.home, url: global.store, env, cwd, who: operator, signal, now, note: progress.note, ask };
}

/** git is the first child process: what the fleet file names as secret is taken out of the environment before it. */
function hideSecrets(file: string | undefined): void {
  if (file === undefined) return;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return; // whoever reads the fleet file says what is wrong with it
  }
  hideReferences(text);
}

function hideReferences(text: string): void {
  for (const [, name = ''] of text.matchAll(/\benv:([A-Za-z_]\w*)/g)) keepFromChildren(name);
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
