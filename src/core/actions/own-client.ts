/** This machine's default client, set by setup or `client use` for commands that name no client. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DockerTlsError } from '../../errors/errors.ts';
import type { StoredClient } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import { ownClientName } from '../user.ts';

/** Makes a client this machine's default. Writes nothing if it is already. */
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

/**
 * The directory where a program reads a client's files. Fails with E_CLIENT_NO_KEY (exit 2) if a shared store has them and this machine
 * does not.
 */
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

/** Whether a client is probably the user's own: it has the name of the login, or a shared store has put its files here. */
export function likelyOwn(
  store: Pick<Store, 'shared'>,
): (client: StoredClient & { readonly directory: string }) => boolean {
  const login = ownClientName();
  return ({ directory, record }) => record.name === login || (store.shared && existsSync(join(directory, 'cert.pem')));
}
