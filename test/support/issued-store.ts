/** A store with real credentials for tests: a CA, hosts without a real setup, and clients, issued by our own issuer. */

import { createRuntime } from '../../src/core/adapters/create-runtime.ts';
import type { ClientRecord, HostRecord, StoredHost } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { parseSan } from '../../src/core/domain/pki/san.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { completeHost } from '../../src/core/domain/settings.ts';
import { firstCa } from '../../src/core/domain/trust/changes.ts';
import { admit } from '../../src/core/domain/trust/clients.ts';
import { trustFor } from '../../src/core/domain/trust/trust.ts';
import { bundleOf, viewOf } from '../../src/core/domain/trust/view.ts';
import { openIssuer } from '../../src/core/engine/issue.ts';

export type IssuedHost = {
  readonly address?: string;
  readonly port?: number;
  readonly sans?: readonly string[];
  /** The host's own list of accepted clients. */
  readonly clients?: readonly string[];
};

export type IssuedOptions = {
  readonly hosts?: Readonly<Record<string, IssuedHost>>;
  /** By name, with the hosts that accept it; undefined: all. */
  readonly clients?: Readonly<Record<string, readonly string[] | undefined>>;
  readonly now?: Date;
  readonly days?: number;
  /** Passphrase of the CA key; absent: none. */
  readonly passphrase?: string;
};

/** Of the runtime: external CAs are asked where there is a feature that does. */
const { sign, signByToken } = createRuntime({ colour: false, signal: new AbortController().signal });
export const SIGNERS = { sign, signByToken };

const noPin = async () => {
  throw new Error('no key is in a token');
};
export const NO_PASSPHRASE = {
  pin: noPin,
  forNewCa: async () => undefined,
  forExistingCa: async () => {
    throw new Error('nothing is encrypted');
  },
};

/** Two hosts; one client of both, and one of the second. */
export const TWO_HOSTS: IssuedOptions = {
  hosts: { 'build-1': { address: '10.0.0.1' }, 'build-2': { address: '2001:db8::2', port: 12376 } },
  clients: { laptop: undefined, ci: ['build-2'] },
};

/** Changes only the record of a client, without a host. */
export async function changeClient(home: string, name: string, change: Partial<ClientRecord>): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', async () => {
    const known = (await store.read()).clients.get(name);
    if (known === undefined) throw new Error(`no ${name}`);
    const { directory: _, ...stored } = known;
    await store.write({ clients: { [name]: { ...stored, record: { ...stored.record, ...change } } } });
  });
}

/** Stores a CA that another tool made; without its key nothing can be issued. */
export async function storeCa(
  home: string,
  { cert, key }: { readonly cert: string; readonly key?: string },
): Promise<void> {
  const record = {
    name: 'company',
    createdAt: new Date().toISOString(),
    keyType: 'p256',
    days: 3650,
    imported: true,
  } as const;
  const store = openStore(home);
  await store.withLock('test', () => store.write({ ca: { cert, record, ...(key && { keyPem: new Secret(key) }) } }));
}

/** Creates the CA (if missing), the hosts and the clients; hosts get the trust files that an apply would write. */
export async function issueStore(home: string, options: IssuedOptions): Promise<void> {
  const now = options.now ?? new Date();
  const store = openStore(home);
  await store.withLock('test', async () => {
    const state = await store.read();
    const ca = { name: 'test', keyType: 'p256', days: 3650 } as const;
    const days = options.days ?? 397;
    const clients = Object.entries(options.clients ?? {}).flatMap(
      ([name, hosts]) => admit(state, { name, keyType: 'p256', days, ...(hosts ? { hosts } : {}) }, {}, now).changes,
    );
    const given = options.passphrase === undefined ? undefined : new Secret(options.passphrase);
    const passphrase = given
      ? { forNewCa: async () => given, forExistingCa: async () => given, pin: noPin }
      : NO_PASSPHRASE;
    const issuer = openIssuer(state, { passphrase, runtime: SIGNERS, approve: async () => {}, now });
    const change = await issuer.carryOut([...firstCa(state.ca, ca), ...clients]);
    await store.write(change);
    const issued = await store.read();
    const view = viewOf(issued, now);
    const hosts: Record<string, StoredHost> = {};
    for (const [name, host] of Object.entries(options.hosts ?? {})) {
      const address = host.address ?? '127.0.0.1';
      const { clients: accepted, port, sans = [address] } = host;
      const spec = completeHost({ name, ssh: { destination: address }, port, clients: accepted, days });
      const { keyType } = spec;
      const request = { names: sans.map(parseSan), keyType, days, reason: 'test' };
      const credentials = await issuer.server(name, request);
      const record: HostRecord = { ...spec, address, createdAt: now.toISOString(), updatedAt: now.toISOString() };
      hosts[name] = {
        record,
        ca: bundleOf(trustFor({ name, clients: host.clients }, view), issued),
        serverCert: credentials.cert,
        ...(credentials.key ? { serverKey: credentials.key } : {}),
      };
    }
    await store.write({ hosts });
  });
}
