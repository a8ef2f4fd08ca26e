/** This computer's own client: the one that setup or `client use` gave it, used where a command names none. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DockerTlsError } from '../../errors/errors.ts';
import type { StoredClient } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import { clientRevoked, externalKey } from '../domain/trust/client-refusals.ts';
import { clientOf } from '../domain/trust/resolve.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './store.ts';

/** Makes a client this computer's own, in place of any other. Nothing is written when it is already. */
export async function makeOwn(store: Store, name: string, who = 'docker-tls setup'): Promise<void> {
  await store.withLock(who, async () => {
    const { clients } = await store.read();
    const changed = [...clients.values()].filter(({ record }) => (record.own ?? false) !== (record.name === name));
    if (changed.length === 0) return;
    const marked = changed.map((stored): [string, StoredClient] => {
      const { own: _, ...record } = stored.record;
      return [record.name, { ...stored, record: record.name === name ? { ...record, own: true } : record }];
    });
    await store.write({ clients: Object.fromEntries(marked) });
  });
}

/** `client use`. With --dry-run only what prevents it: E_CLIENT_UNKNOWN, E_CLIENT_REVOKED, E_CLIENT_NO_KEY (exit 2). */
export async function chooseClient(context: ActionContext, name: string): Promise<void> {
  const store = storeOf(context);
  const { record, key } = clientOf(await store.read(), name);
  if (record.revokedAt !== undefined) throw clientRevoked(name, record.revokedAt, 'docker-tls client list');
  if (key === undefined) throw externalKey(name);
  if (!context.global.dryRun) await makeOwn(store, name, 'docker-tls client use');
}

/** Where a program reads a client's files. Fails with E_CLIENT_NO_KEY (exit 2) where a shared store has them and this computer has not. */
export function filesHere(
  store: Store,
  { directory, record: { name } }: StoredClient & { readonly directory: string },
): string {
  if (!store.shared || existsSync(join(directory, 'cert.pem'))) return directory;
  throw new DockerTlsError(
    'E_CLIENT_NO_KEY',
    'the files of this client are in the shared store, and not on this computer',
    { where: name, hints: [`docker-tls client use ${name}`] },
  );
}
