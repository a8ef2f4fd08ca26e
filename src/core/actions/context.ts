/** `context`: a client's credentials as a docker context on this machine. */

import { dockerHost } from '../domain/destination.ts';
import { checkContextName, contextNameOf } from '../domain/names.ts';
import { clientName, resolveClient, resolveHost } from '../domain/trust/resolve.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { type ContextOutcome, type ContextRequest, checkPlaces, giveContext } from './give-context.ts';
import { storeOf } from './store.ts';
import { noteThroughSsh } from './through-ssh.ts';

export type ContextOptions = Pick<ContextRequest, 'use' | 'replace' | 'configDirectory'> & {
  readonly client: string | undefined;
  readonly context: string | undefined;
};

/** A context for the named host, or the only one. With --dry-run, only obstacles and planned files. */
export async function makeContext(
  around: ActionContext,
  named: string | undefined,
  { use, replace, configDirectory, ...options }: ContextOptions,
): Promise<ContextOutcome> {
  const { global, runtime } = around;
  const store = storeOf(around);
  const state = await store.read();
  const host = resolveHost(state, named, around.again);
  const { name, address, port } = host.record;
  const client = resolveClient(state, host, clientName(options, runtime), around.again);
  const context = options.context ?? contextNameOf(name);
  checkContextName(context);
  noteThroughSsh(around, state, [name]);
  const places = { context, dockerConfig: dockerConfigDirectory(runtime), use, replace, configDirectory };
  const as = client.record.name;
  if (!global.dryRun) return giveContext({ ...places, store, host: name, client: as, now: runtime.now });
  await checkPlaces(state, client, places);
  return { context, endpoint: dockerHost(address, port), client: as, created: false, changed: false, kept: [] };
}
