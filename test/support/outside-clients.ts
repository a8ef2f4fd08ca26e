/** Clients in a store whose key is on another computer, or that another store issued. */

import { openStore } from '../../src/core/adapters/store/store.ts';

/** Leaves the client without its key, like one whose key stayed with its owner. */
export async function keyElsewhere(home: string, name: string): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', async () => {
    const stored = (await store.read()).clients.get(name);
    if (stored === undefined) throw new Error(`no ${name}`);
    const { key: _, directory: __, ...client } = stored;
    await store.write({ clients: { [name]: client } });
  });
}

/** Puts the client of another store into this one, with the hosts that it reaches. */
export async function importFrom(there: string, home: string, name: string): Promise<void> {
  const { clients, hosts } = await openStore(there).read();
  const stored = clients.get(name);
  if (stored === undefined) throw new Error(`no ${name}`);
  const { directory: _, record, ...files } = stored;
  const reaches = [...hosts.values()].map(({ record: { name, address, port } }) => ({ name, address, port }));
  const store = openStore(home);
  await store.withLock('test', () =>
    store.write({ clients: { [name]: { ...files, record: { ...record, hosts: undefined, reaches } } } }),
  );
}
