/** Owns a store with real credentials for tests: a CA, hosts that were never really set up, and clients, issued by our own keyring. */

import type { HostRecord, StoredHost } from '../../src/adapters/store/records.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import { parseSan } from '../../src/domain/pki/names.ts';
import { completeHost } from '../../src/domain/settings.ts';
import { openKeyring } from '../../src/engine/keyring.ts';

export type IssuedHost = {
  readonly address?: string;
  readonly port?: number;
  readonly sans?: readonly string[];
  /** Its own list of those who are accepted. */
  readonly clients?: readonly string[];
};

export type IssuedOptions = {
  readonly hosts?: Readonly<Record<string, IssuedHost>>;
  /** By name, with the hosts that accept it; undefined: all. */
  readonly clients?: Readonly<Record<string, readonly string[] | undefined>>;
  readonly now?: Date;
  readonly days?: number;
};

const NOBODY = {
  forNewCa: async () => undefined,
  forExistingCa: async () => {
    throw new Error('nothing is encrypted');
  },
};

/** Makes the CA (if there is none), the hosts and the clients; hosts get the trust files that an apply would give them. */
export async function issueStore(home: string, options: IssuedOptions): Promise<void> {
  const now = options.now ?? new Date();
  const store = openStore(home);
  await store.withLock('test', async () => {
    const state = await store.read();
    const keyring = openKeyring({ state, ca: { name: 'test', keyType: 'p256', days: 3650 }, passphrase: NOBODY, now });
    for (const [name, hosts] of Object.entries(options.clients ?? {}))
      await keyring.client({ name, keyType: 'p256', days: options.days ?? 397, ...(hosts ? { hosts } : {}) });
    const hosts: Record<string, StoredHost> = {};
    for (const [name, host] of Object.entries(options.hosts ?? {})) {
      const address = host.address ?? '127.0.0.1';
      const { clients, port, sans = [address] } = host;
      const spec = completeHost({ name, ssh: { destination: address }, port, clients, days: options.days ?? 397 });
      const credentials = await keyring.server(spec, sans.map(parseSan));
      const record: HostRecord = { ...spec, address, createdAt: now.toISOString(), updatedAt: now.toISOString() };
      hosts[name] = {
        record,
        ca: await keyring.trustFor({ name, clients: host.clients }),
        serverCert: credentials.cert,
        ...(credentials.key ? { serverKey: credentials.key } : {}),
      };
    }
    await store.write({ ...keyring.change(), hosts });
  });
}
