/** Writes of another run between a plan and its issuing, perhaps by a slow external CA: they are not overwritten. */

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type {
  ClientRecord,
  StoreChange,
  StoredCa,
  StoredClient,
  StoreState,
} from '../../src/core/adapters/store/records.ts';
import { openStore, type Store } from '../../src/core/adapters/store/store.ts';
import { issueCa } from '../../src/core/domain/pki/certificate.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import type { Wanted } from '../../src/core/domain/trust/changes.ts';
import type { ChangeContext, Run } from '../../src/core/engine/intent.ts';
import { issueCredentials, unlockCa } from '../../src/core/engine/steps/issue-credentials.ts';
import { retractUnused } from '../../src/core/engine/steps/retract.ts';

import { issueStore, NO_PASSPHRASE } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

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

describe('what is wanted has changed by the time the store is locked', () => {
  const renamed = (hosts: readonly string[]): Wanted => ({
    hosts: [],
    credentials: [{ kind: 'record', record: { ...eve.record, hosts } }],
    target: { kind: 'desired' },
  });
  let eve: StoredClient;

  const issue = async (asks: boolean) => {
    eve = (await state()).clients.get('eve') as StoredClient;
    await write(({ ca }) => ({
      ca: { ...ca, keyPem: authority.key, record: { ...ca?.record, external: undefined } } as never,
    }));
    const wanted = renamed(['agreed']);
    const run = { store: openStore(home), asks, passphrase: NO_PASSPHRASE, runtime: {} } as unknown as Run;
    const base = { run, wanted, state: await state(), now, issued: false, hosts: [] } as unknown as ChangeContext;
    await issueCredentials({ ...base, intent: { reason: 'test', want: () => renamed(['later']) } });
  };

  test('nothing is done where a person agreed to something else', async () => {
    await expect(issue(true)).rejects.toMatchObject({ code: 'E_STORE_CHANGED', exit: 4 });
    expect((await state()).clients.get('eve')?.record.hosts).toBeUndefined();
  });

  test('nor where an external CA has signed for something else', async () => {
    eve = (await state()).clients.get('eve') as StoredClient;
    const wanted = renamed(['first']);
    let calls = 0;
    const want = () => renamed([calls++ === 0 ? 'first' : 'second']);
    const run = { store: openStore(home), asks: false, passphrase: NO_PASSPHRASE, runtime: {} } as unknown as Run;
    const base = { run, wanted, state: await state(), now, issued: false, hosts: [] } as unknown as ChangeContext;
    await expect(issueCredentials({ ...base, intent: { reason: 'test', want } })).rejects.toMatchObject({
      code: 'E_STORE_CHANGED',
    });
    expect((await state()).clients.get('eve')?.record.hosts).toBeUndefined();
  });

  test('an external CA is asked for what the store lacks now, and not for what it lacked a moment ago', async () => {
    eve = (await state()).clients.get('eve') as StoredClient;
    const store = openStore(home);
    const scopes: unknown[] = [];
    const read: Store['read'] = async (scope) => {
      scopes.push(scope);
      return store.read();
    };
    const wanted = renamed(['agreed']);
    const run = { store: { ...store, read }, passphrase: NO_PASSPHRASE, runtime: {} } as unknown as Run;
    const base = { run, wanted, state: await state(), now, issued: false, hosts: [] } as unknown as ChangeContext;
    await issueCredentials({ ...base, intent: { reason: 'test', want: () => wanted } });
    expect(scopes[0]).toEqual({ fresh: true });
  });

  test('with --yes that is done', async () => {
    await issue(false);
    expect((await state()).clients.get('eve')?.record.hosts).toEqual(['later']);
  });
});

test('a client that is revoked between the read and the lock of the drop of an old CA stays revoked', async () => {
  const other = await issueCa({ name: 'other', days: 9, now });
  await write(({ ca }) => ({ retireCa: true, ca: { cert: other.leaf, record: ca?.record as StoredCa['record'] } }));
  const store = openStore(home);
  const wanted = { hosts: [], credentials: [{ kind: 'drop-old-cas' }], target: { kind: 'desired' } } as const;
  const withLock: Store['withLock'] = async (command, work) => {
    await write(({ clients }) => amended(clients, { revokedAt: now.toISOString() }));
    return store.withLock(command, work);
  };
  const runtime = { sign: async () => '', signByToken: async () => Buffer.alloc(0) };
  const run = { store: { ...store, withLock }, runtime, passphrase: NO_PASSPHRASE } as unknown as Run;
  const base = { run, wanted, state: await state(), now, issued: false, hosts: [] } as unknown as ChangeContext;
  const dropped = issueCredentials({ ...base, intent: { reason: 'test', want: () => wanted } });
  await expect(dropped).rejects.toMatchObject({ code: 'E_STORE_CHANGED' });
  const { clients, oldCas } = await state();
  expect([clients.get('eve')?.record.revokedAt, oldCas.length]).toEqual([now.toISOString(), 1]);
});

test.each([
  ['asked for before the store is locked, where something is signed', 'issuing-ca', 1],
  ['not asked for where nothing is', 'drop-old-cas', 0],
] as const)('the passphrase is %s', async (_, kind, times) => {
  home = newHome();
  await issueStore(home, { now, clients: { eve: undefined }, passphrase: 'correct horse' });
  let asked = 0;
  const forExistingCa = async () => {
    asked += 1;
    return new Secret('correct horse');
  };
  const wanted = { hosts: [], credentials: [{ kind, client: 'eve', keyType: 'p256' }], target: { kind: 'desired' } };
  const run = { passphrase: { ...NO_PASSPHRASE, forExistingCa }, runtime: {} } as unknown as Run;
  await unlockCa({ run, wanted, state: await state(), now, hosts: [] } as unknown as ChangeContext);
  expect(asked).toBe(times);
});

test.each([
  ['is taken out again where no host came to use it', false],
  ['stays where another run has set up a host by it meanwhile', true],
])('a CA that a first setup made and did not need %s', async (_, used) => {
  home = newHome();
  const wanted: Wanted = {
    hosts: [],
    credentials: [{ kind: 'create-ca', ca: { name: 'first', keyType: 'p256', days: 100 } }],
    target: { kind: 'desired' },
    temporary: true,
  };
  const run = { store: openStore(home), passphrase: NO_PASSPHRASE, runtime: {} } as unknown as Run;
  const base = { run, wanted, state: await state(), now, issued: false, hosts: [] } as unknown as ChangeContext;
  const context = { ...base, intent: { reason: 'setup', want: () => wanted } };
  await issueCredentials(context);
  if (used) await issueStore(home, { now, hosts: { h1: {} } });
  const results = [{ host: 'h2', kind: 'skipped', reason: 'test' }] as const;
  await retractUnused({ ...context, results });
  const { ca, oldCas, hosts } = await state();
  expect([ca !== undefined, oldCas.length, hosts.size]).toEqual([used, 0, used ? 1 : 0]);
});
