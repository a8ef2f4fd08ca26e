/** `client list`: every client with the hosts that accept it, and copies of old certificates. Contacts no host. */

import type { StoreState } from '../adapters/store/records.ts';
import type { OtherCa } from '../domain/other-ca.ts';
import { type ClientAccess, clientAccess } from '../domain/trust/client-hosts.ts';
import { type OutdatedCopy, outdatedCopies } from '../domain/trust/handed-out.ts';
import { otherCas, ourFingerprints } from '../domain/trust/other-cas.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './store.ts';

export type ListedClient = ClientAccess & { readonly outdated: readonly OutdatedCopy[] };

/** A CA outside this store with the hosts that accept each of its clients. */
export type ListedCa = OtherCa & { readonly hosts: readonly string[] };

export type ListedClients = { readonly clients: readonly ListedClient[]; readonly otherCas: readonly ListedCa[] };

export async function listClients(context: ActionContext): Promise<ListedClients> {
  const state = await storeOf(context).read();
  const now = context.runtime.now();
  const clients = clientAccess(state, now).map((client) => {
    const stored = client.state === 'revoked' ? undefined : state.clients.get(client.name);
    return { ...client, outdated: stored === undefined ? [] : outdatedCopies(stored) };
  });
  return { clients, otherCas: casByHost(state, now) };
}

function casByHost(state: StoreState, now: Date): ListedCa[] {
  const listed = new Map<string, ListedCa>();
  const ours = ourFingerprints(state);
  for (const [name, { ca }] of state.hosts)
    for (const one of otherCas(ca, ours, now))
      listed.set(one.fingerprint, { ...one, hosts: [...(listed.get(one.fingerprint)?.hosts ?? []), name] });
  return [...listed.values()];
}
