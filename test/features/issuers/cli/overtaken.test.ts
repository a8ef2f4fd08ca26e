/** Writes of another run while a slow external CA signs: they are not overwritten. */

import { dirname } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClientRecord, StoreChange, StoredCa, StoreState } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { issueCa, issueClient } from '../../../../src/core/domain/pki/certificate.ts';
import { parseCsr } from '../../../../src/core/domain/pki/csr.ts';
import type { Secret } from '../../../../src/core/domain/secret.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const now = new Date();
let home: string;
let authority: { cert: string; key: Secret };

afterAll(removeHomes);
beforeEach(async () => {
  home = newHome();
  await issueStore(home, { now, clients: { laptop: undefined, eve: undefined } });
  const { cert, keyPem, record } = (await state()).ca as StoredCa & { keyPem: Secret };
  authority = { cert, key: keyPem };
  const external = { kind: 'command', command: 'false' } as const;
  await write(() => ({ ca: { cert, record: { ...record, external, leafOnly: true } } }));
});

const state = () => openStore(home).read();

async function write(change: (now: StoreState) => StoreChange): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', async () => {
    await store.write(change(await store.read()));
  });
}

function amended(clients: StoreState['clients'], more: Partial<ClientRecord>): StoreChange {
  const { directory: _, ...eve } = clients.get('eve') as NonNullable<ReturnType<typeof clients.get>>;
  return { clients: { eve: { ...eve, record: { ...eve.record, ...more } } } };
}

/** Renews eve with a CA that signs after `meanwhile` has run. */
function renew(meanwhile: () => Promise<void>) {
  return runCli(['rotate', 'client', 'eve', '--yes', '--json', '--home', home], {
    cwd: dirname(home),
    env: { HOME: dirname(home) },
    now: () => now,
    sign: async (_, { csr, name, days }) => {
      await meanwhile();
      return (await issueClient({ authority, name, days, now, publicKey: parseCsr(csr).publicKey })).cert;
    },
  });
}

test('a client is renewed where nothing else happens', async () => {
  const before = (await state()).clients.get('eve')?.cert;
  const { exit } = await renew(async () => {});
  expect([exit, (await state()).clients.get('eve')?.cert === before]).toEqual([0, false]);
});

describe('while it is asked', () => {
  test('the client is revoked: it stays revoked', async () => {
    const { exit, json } = await renew(() =>
      write(({ clients }) => amended(clients, { revokedAt: now.toISOString() })),
    );
    expect([exit, json.error?.code]).toEqual([2, 'E_CLIENT_REVOKED']);
    expect((await state()).clients.get('eve')?.record.revokedAt).toBe(now.toISOString());
  });

  test('the hosts that accept the client become fewer: they stay so', async () => {
    const { exit, json } = await renew(() => write(({ clients }) => amended(clients, { hosts: ['build-1'] })));
    expect([exit, json.error?.code]).toEqual([4, 'E_STORE_CHANGED']);
    expect((await state()).clients.get('eve')?.record.hosts).toEqual(['build-1']);
  });

  test('the CA is replaced: nothing of the old one is stored', async () => {
    const before = (await state()).clients.get('eve')?.cert;
    const other = await issueCa({ name: 'other', days: 9, now });
    const { exit, json } = await renew(() =>
      write(({ ca }) => ({ retireCa: true, ca: { cert: other.leaf, record: ca?.record as StoredCa['record'] } })),
    );
    expect([exit, json.error?.code]).toEqual([4, 'E_STORE_CHANGED']);
    expect((await state()).clients.get('eve')?.cert).toBe(before);
  });
});
