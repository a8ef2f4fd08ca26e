/** A store on disk with the client eve of another store, and the hosts of its bundle: h0, h1, …, each at a port here. */

import { openStore } from '../../src/core/adapters/store/store.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import type { Issued } from './certificate-factory.ts';

export async function importedStore(
  home: string,
  { ca, eve }: { readonly ca: Issued; readonly eve: Issued },
  ports: readonly number[],
): Promise<void> {
  const time = new Date().toISOString();
  const reaches = ports.map((port, index) => ({ name: `h${index}`, address: '127.0.0.1', port }));
  const about = { createdAt: time, updatedAt: time, days: 30, keyType: 'p256' } as const;
  const client = { record: { name: 'eve', ...about, reaches }, ca: ca.cert, cert: eve.cert, key: new Secret(eve.key) };
  const store = openStore(home);
  await store.withLock('test', () => store.write({ clients: { eve: client } }));
}
