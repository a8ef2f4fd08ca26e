/** Owns which client is this computer's own: the one that setup or `client use` gave it, and that is meant where a command names none. */

import type { StoredClient } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';

/** Makes a client this computer's own, in place of any other. Nothing is written when it is already. */
export async function makeOwn(store: Store, name: string, who = 'docker-tls setup'): Promise<void> {
  await store.withLock(who, async () => {
    const { clients } = await store.read();
    const changed = [...clients.values()].filter(({ record }) => (record.own ?? false) !== (record.name === name));
    if (changed.length === 0) return;
    const marked = changed.map(({ directory: _, ...stored }): [string, StoredClient] => {
      const { own: __, ...record } = stored.record;
      return [record.name, { ...stored, record: record.name === name ? { ...record, own: true } : record }];
    });
    await store.write({ clients: Object.fromEntries(marked) });
  });
}
