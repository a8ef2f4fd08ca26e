/** Owns `client list`: every client with the hosts that accept it, and copies of old certificates. Asks no host. */

import { type ClientAccess, clientAccess } from '../domain/trust/client-hosts.ts';
import { type OutdatedCopy, outdatedCopies } from '../domain/trust/handed-out.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './store.ts';

export type ListedClient = ClientAccess & { readonly outdated: readonly OutdatedCopy[] };

export async function listClients(context: ActionContext): Promise<readonly ListedClient[]> {
  const state = await storeOf(context).read();
  return clientAccess(state, context.runtime.now()).map((client) => {
    const stored = client.state === 'revoked' ? undefined : state.clients.get(client.name);
    return { ...client, outdated: stored === undefined ? [] : outdatedCopies(stored) };
  });
}
