/** Owns which client is this computer's own: the one that setup gave it, and that is meant where nobody says which. */

import type { StoredClient } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';

/** Makes a client this computer's own, in place of any other. Nothing is written when it is already. */
export async function makeOwn(store: Store, name: string): Promise<void> {
  await store.withLock('docker-tls setup', async () => {
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
