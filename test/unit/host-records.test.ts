/** What a run takes from the store at a host's turn and writes to it, while others write to the same store. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/adapters/store/store.ts';
import { inspectCertificate } from '../../src/domain/pki/inspect.ts';
import { parseSan } from '../../src/domain/pki/names.ts';
import { completeHost, type HostSpec } from '../../src/domain/settings.ts';
import { isFrom } from '../../src/domain/trust/trust.ts';
import { revoked } from '../../src/engine/access.ts';
import { hostKeyCredentials } from '../../src/engine/host-key.ts';
import { droppedNotes, hardeningOf, requireLatest, saveHost } from '../../src/engine/host-records.ts';
import { checksOf, planOpened, type RunContext } from '../../src/engine/host-run.ts';
import { openKeyring } from '../../src/engine/keyring.ts';
import type { HostSession, Runtime } from '../../src/runtime.ts';
import { FACTS_TIME_MS, factsOf } from '../support/host-facts.ts';
import { issueStore } from '../support/issued-store.ts';

const now = new Date(FACTS_TIME_MS);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-records-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let stores = 0;
async function newStore(clients: Readonly<Record<string, readonly string[] | undefined>> = { ann: undefined }) {
  stores += 1;
  const home = join(directory, String(stores));
  await issueStore(home, { now, clients, hosts: {} });
  return openStore(home, { now: () => now });
}

const nobody = { forNewCa: async () => undefined, forExistingCa: () => Promise.reject(new Error('not encrypted')) };

/** A run as `apply` begins it: one look at the store, then many hosts. */
async function runOn(store: ReturnType<typeof openStore>, more: Partial<RunContext> = {}): Promise<RunContext> {
  const state = await store.read();
  return {
    runtime: {
      now: () => now,
      signal: new AbortController().signal,
      probe: async () => ({ kind: 'accepted' }),
    } as unknown as Runtime,
    store,
    state,
    keyring: openKeyring({ state, ca: { name: 'test', keyType: 'p256', days: 3650 }, passphrase: nobody, now }),
    known: new Map(),
    verifiers: [...state.clients.values()],
    reason: 'apply',
    saveBase: async () => {},
    ...more,
  };
}

const quiet = { phase() {}, done() {}, failed() {} };

function plan(spec: HostSpec, context: RunContext, dialled = spec.ssh.destination) {
  const session = { dialled, close: async () => {} } as HostSession;
  const facts = factsOf();
  return planOpened({ session, facts, skewMs: 0, proposed: () => [] }, spec, context, quiet);
}

/** Plans and writes it down, as though the host had been changed. */
async function setUp(spec: HostSpec, store: ReturnType<typeof openStore>, dialled?: string) {
  const context = await runOn(store);
  await saveHost(await plan(spec, context, dialled), context);
  const found = (await store.read()).hosts.get(spec.name);
  if (found === undefined) throw new Error('it was not stored');
  return found;
}

const b2 = (destination: string, more: Partial<HostSpec> = {}) =>
  completeHost({ name: 'b2', ssh: { destination, user: 'root' }, ...more });

describe('the address that clients dial', () => {
  test('without one of its own it is what ssh dials now, wherever the host was before', async () => {
    const store = await newStore();
    expect((await setUp(b2('10.0.0.12'), store)).record.address).toBe('10.0.0.12');
    const moved = await plan(b2('10.0.0.99'), await runOn(store));
    expect(moved.address).toBe('10.0.0.99');
    expect(moved.sans.map(({ value }) => value)).toContain('10.0.0.99');
  });

  test('one that was asked for and is not any more goes', async () => {
    const store = await newStore();
    await setUp(b2('10.0.0.12', { address: 'edge.example.org' }), store);
    expect((await plan(b2('10.0.0.12'), await runOn(store))).address).toBe('10.0.0.12');
  });
});

describe('others write to the store while a run goes on', () => {
  test('a client that is revoked meanwhile is accepted nowhere from then on', async () => {
    const store = await newStore({ ann: undefined, bob: undefined });
    const context = await runOn(store);
    const before = await plan(b2('10.0.0.12'), context);
    const bob = revoked(await store.read(), 'bob', now);
    await store.withLock('client revoke', () => store.write({ clients: { bob } }));

    const after = await plan(b2('10.0.0.12'), context);
    expect(after.accepts).toEqual(['ann']);
    expect(isFrom(bob.cert, after.desired.credentials.ca, 'client', now)).toBe(false);
    expect(isFrom(bob.cert, before.desired.credentials.ca, 'client', now)).toBe(true);

    await expect(requireLatest(before, context)).rejects.toMatchObject({
      code: 'E_STORE_CHANGED',
      exit: 5,
      where: 'b2',
    });
    await expect(saveHost(before, context)).rejects.toMatchObject({ code: 'E_STORE_CHANGED' });
    expect((await store.read()).hosts.size).toBe(0);
    await saveHost(after, context);
    expect((await store.read()).hosts.get('b2')?.ca).toBe(after.desired.credentials.ca);
  });

  test('clients that the run itself has made count until they are written, then the store does', async () => {
    const store = await newStore();
    const context = await runOn(store);
    const spec = b2('10.0.0.12', { clients: ['new'] });
    const made = await context.keyring.client({ name: 'new', keyType: 'p256', days: 30 });
    expect((await plan(spec, context)).accepts).toEqual(['new']);
    await store.withLock('apply', () => store.write(context.keyring.change()));
    context.keyring.written();
    expect((await plan(spec, context)).accepts).toEqual(['new']);
    const gone = { ...made, record: { ...made.record, revokedAt: now.toISOString() } };
    const { fresh: _, ...client } = gone;
    await store.withLock('client revoke', () => store.write({ clients: { new: client } }));
    await expect(plan(spec, context)).rejects.toMatchObject({ code: 'E_NO_CLIENTS' });
  });

  test('a certificate that was rotated meanwhile is not taken back', async () => {
    const store = await newStore();
    await setUp(b2('10.0.0.12'), store);
    const context = await runOn(store);
    const rotating = await runOn(store, { forceCredentials: 'rotated' });
    await saveHost(await plan(b2('10.0.0.12'), rotating), rotating);
    const now = (await store.read()).hosts.get('b2')?.serverCert;
    expect(now).not.toBe(context.state.hosts.get('b2')?.serverCert);
    expect((await plan(b2('10.0.0.12'), context)).desired.credentials.cert).toBe(now);
  });

  test('fixes that another harden made meanwhile stay in the record; a fleet file says all of them', async () => {
    const store = await newStore();
    await setUp(b2('10.0.0.12'), store);
    const prepared = await plan(b2('10.0.0.12'), await runOn(store));
    const save = async (harden: readonly string[], more: Partial<RunContext>) => {
      const context = await runOn(store, more);
      await saveHost({ ...prepared, spec: { ...prepared.spec, harden } }, context);
      return (await store.read()).hosts.get('b2')?.record.harden;
    };
    expect(await save(['log-limits'], { addHardening: true })).toEqual(['log-limits']);
    expect(await save(['sshd'], { addHardening: true })).toEqual(['sshd', 'log-limits']);
    expect(await save(['sshd'], {})).toEqual(['sshd']);
    const record = (await store.read()).hosts.get('b2')?.record;
    expect(hardeningOf({ harden: ['icc'] }, record, { addHardening: true })).toEqual(['icc', 'sshd']);
    expect(hardeningOf({}, record, {})).toEqual(['sshd']);
    expect(hardeningOf({ harden: [] }, record, {})).toEqual([]);
    expect(droppedNotes(record, ['sshd', 'icc'])).toEqual([]);
    expect(droppedNotes(record, ['icc'])).toEqual([expect.stringMatching(/^sshd: no longer asked for, .* stays/)]);
  });

  test('nothing is made under a CA that was replaced meanwhile', async () => {
    const store = await newStore();
    const context = await runOn(store);
    const rotating = await runOn(store);
    await rotating.keyring.replaceCa();
    await store.withLock('rotate ca', () => store.write(rotating.keyring.change()));
    await expect(plan(b2('10.0.0.12'), context)).rejects.toMatchObject({ code: 'E_STORE_CHANGED', exit: 5 });
  });

  test('a client that was revoked meanwhile verifies nothing', async () => {
    const store = await newStore({ ann: undefined, bob: undefined });
    const ids: string[] = [];
    const context = await runOn(store);
    const state = await store.read();
    await store.withLock('client revoke', () => store.write({ clients: { ann: revoked(state, 'ann', now) } }));
    const probe: Runtime['probe'] = async ({ credentials }) => {
      if (credentials) ids.push(inspectCertificate(credentials.cert).subject);
      return { kind: 'refused', cause: 'other', reason: '', chain: '', elapsedMs: 0 };
    };
    const prepared = await plan(b2('10.0.0.12'), context);
    await checksOf(prepared, { ...context, runtime: { ...context.runtime, probe } });
    expect(ids.join()).toContain('bob');
    expect(ids.join()).not.toContain('ann');
  });

  test('a key that is replaced by one of the host itself is not tried with the new certificate', async () => {
    const store = await newStore();
    const known = await setUp(b2('10.0.0.12'), store);
    const context = await runOn(store);
    const prepared = await plan(b2('10.0.0.12', { keys: 'host' }), context);
    const tried: string[] = [];
    const probe: Runtime['probe'] = async ({ credentials }) => {
      if (credentials) tried.push(credentials.cert);
      return { kind: 'refused', cause: 'other', reason: '', chain: '', elapsedMs: 0 };
    };
    for (const [key, times] of [
      [{ kind: 'host', path: '/run/k/key.pem' }, 0],
      [{ kind: 'keep' }, 1],
    ] as const) {
      tried.length = 0;
      const credentials = { ...prepared.desired.credentials, cert: known.serverCert, key };
      const run = { ...context, runtime: { ...context.runtime, probe } };
      await checksOf({ ...prepared, desired: { ...prepared.desired, credentials } }, run);
      expect(tried.filter((cert) => cert === known.serverCert)).toHaveLength(times);
    }
  });
});

describe('what is asked for differs from the certificate that is there', () => {
  const base: Partial<HostSpec> = { sans: ['old.example.org', 'kept.example.org'].map(parseSan) };
  test.each<[string, Partial<HostSpec>, string]>([
    ['nothing', base, ''],
    ['a name less', { sans: [parseSan('kept.example.org')] }, 'it still has old.example.org'],
    ['a name more', { sans: [...(base.sans ?? []), parseSan('new.example.org')] }, 'it lacks new.example.org'],
    ['days', { ...base, days: 90 }, 'it was made for 397 days, not 90'],
    ['the kind of key', { ...base, keyType: 'p384' }, 'its key is p256, not p384'],
  ])('%s', async (_, wanted, why) => {
    const store = await newStore();
    await setUp(b2('10.0.0.12', base), store);
    const context = await runOn(store);
    const prepared = await plan(b2('10.0.0.12', wanted), context);
    expect(prepared.credentialsWhy).toBe(why);
    if (why !== '') {
      await saveHost(prepared, context);
      const again = await plan(b2('10.0.0.12', wanted), await runOn(store));
      expect(again.credentialsWhy).toBe('');
    }
  });

  test('the kind of a key that the host makes itself', async () => {
    const store = await newStore();
    const known = await setUp(b2('10.0.0.12'), store);
    const { serverKey: _, ...onHost } = known;
    const context = await runOn(store);
    const credentials = (keyType: HostSpec['keyType']) =>
      hostKeyCredentials({
        spec: b2('10.0.0.12', { keys: 'host', keyType }),
        context,
        latest: { ...context.state, hosts: new Map([['b2', onHost]]) },
        sans: inspectCertificate(known.serverCert).sans,
        ca: known.ca,
        onHost: true,
      });
    expect(await credentials('p256')).toMatchObject({ why: '', credentials: { key: { kind: 'keep' } } });
    expect(await credentials('p384')).toMatchObject({
      why: 'its key is p256, not p384',
      credentials: { key: { kind: 'host' } },
    });
  });
});
