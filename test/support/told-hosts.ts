/** What hosts accept according to a store, where no host answers. */

import type { StoreChange, StoreState } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { isFrom } from '../../src/core/domain/pki/inspect.ts';
import { trustFor } from '../../src/core/domain/trust/trust.ts';
import { bundleOf, viewOf } from '../../src/core/domain/trust/view.ts';

export async function write(
  home: string,
  change: (state: StoreState) => StoreChange | Promise<StoreChange>,
): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', async () => {
    await store.write(await change(await store.read()));
  });
}

/** Gives the hosts their desired trust files, as an apply would. */
export async function tell(home: string, ...names: string[]): Promise<void> {
  await write(home, async (state) => {
    const hosts: Record<string, NonNullable<ReturnType<StoreState['hosts']['get']>>> = {};
    for (const name of names) {
      const host = state.hosts.get(name);
      if (host) hosts[name] = { ...host, ca: bundleOf(trustFor(host.record, viewOf(state, new Date())), state) };
    }
    return { hosts };
  });
}

/** Hosts that accept the client, by their trust files. */
export async function trustingHosts(home: string, name: string): Promise<string[]> {
  const { clients, hosts } = await openStore(home).read();
  const cert = clients.get(name)?.cert ?? '';
  return [...hosts].filter(([, host]) => isFrom(cert, host.ca, 'client', new Date())).map(([host]) => host);
}
