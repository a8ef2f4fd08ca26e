/** Copies of a client's credentials in docker's directories on this computer, according to the records. Pure. */

import type { ClientCopies, StoredClient, StoreState } from '../../../core/adapters/store/records.ts';

/** Change to the copies in one config directory, applied to the new owner (`owner`) and to every other client. */
type CopyChange = (copies: ClientCopies, owner: boolean) => ClientCopies;

/** Clients whose records change; each copy belongs to exactly one client. `client`: the owner; undefined: the copy was removed. */
export function changedCopies(
  { clients }: Pick<StoreState, 'clients'>,
  { client, dockerConfig, now }: { readonly client: string | undefined; readonly dockerConfig: string; now(): Date },
  change: CopyChange,
): Readonly<Record<string, StoredClient>> {
  const changed: Record<string, StoredClient> = {};
  for (const [name, stored] of clients) {
    const before = stored.record.copies ?? [];
    const here = before.find((one) => one.dockerConfig === dockerConfig) ?? empty(dockerConfig);
    const after = change(here, name === client);
    if (after === here) continue;
    const others = before.filter((one) => one !== here);
    const copies = after.contexts.length > 0 || after.directory ? [...others, after] : others;
    changed[name] = { ...stored, record: { ...stored.record, copies, updatedAt: now().toISOString() } };
  }
  return changed;
}

function empty(dockerConfig: string): ClientCopies {
  return { dockerConfig, contexts: [], directory: false };
}

export function withContext(context: string): CopyChange {
  return (copies, owner) => {
    const { contexts } = copies;
    if (contexts.includes(context) === owner) return copies;
    return { ...copies, contexts: owner ? [...contexts, context] : contexts.filter((one) => one !== context) };
  };
}

export function withConfigDirectory(copies: ClientCopies, owner: boolean): ClientCopies {
  return copies.directory === owner ? copies : { ...copies, directory: owner };
}
