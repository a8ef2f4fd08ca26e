/** Store reads and writes at a host's turn, while other runs write to the same store. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredClient } from '../../../src/core/adapters/store/records.ts';
import { openStore, type Store } from '../../../src/core/adapters/store/store.ts';
import { inspectCertificate, isFrom } from '../../../src/core/domain/pki/inspect.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { completeHost, type HostSpec } from '../../../src/core/domain/settings.ts';
import { withTrust } from '../../../src/core/domain/trust/access.ts';
import { certificateIds } from '../../../src/core/domain/trust/ca-id.ts';
import { type CredentialChange, preview, type Wanted } from '../../../src/core/domain/trust/changes.ts';
import { admit, revoked } from '../../../src/core/domain/trust/clients.ts';
import { desiredServer } from '../../../src/core/domain/trust/server.ts';
import { viewOf } from '../../../src/core/domain/trust/view.ts';
import type { Base, PlannedHost, Run } from '../../../src/core/engine/intent.ts';
import { openIssuer } from '../../../src/core/engine/issue.ts';
import { withCredentials } from '../../../src/core/engine/steps/issue-credentials.ts';
import { planOpened } from '../../../src/core/engine/steps/plan-opened.ts';
import { recordHost } from '../../../src/core/engine/steps/record.ts';
import { verify } from '../../../src/core/engine/steps/verify-change.ts';
import type { HostKey, HostSession, Runtime } from '../../../src/core/runtime.ts';
import { HOST_CSR } from '../../../src/core/seams/host-csr.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import { FACTS_TIME_MS, factsOf, UNIT } from '../../support/host-facts.ts';
import { issueStore, NO_PASSPHRASE, SIGNERS } from '../../support/issued-store.ts';

type Target = Extract<Wanted['target'], { kind: 'desired' }>;

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

/** A run at the start of `apply`: one read of the store, then many hosts. */
type Began = Base & Pick<Run, 'store' | 'runtime' | 'passphrase' | 'asks' | 'dryRun'>;

async function runOn(store: ReturnType<typeof openStore>, target: Partial<Target> = {}): Promise<Began> {
  const wanted = { hosts: [], credentials: [], target: { kind: 'desired', ...target } as Target };
  return {
    runtime: {
      now: () => now,
      signal: new AbortController().signal,
      probe: async () => ({ kind: 'accepted' }),
    } as unknown as Runtime,
    passphrase: NO_PASSPHRASE,
    asks: false,
    dryRun: false,
    store,
    state: await store.read(),
    now,
    issued: true,
    known: new Map(),
    intent: { reason: 'apply', want: () => wanted },
    wanted,
  };
}

const quiet = { phase() {}, done() {}, failed() {}, pause() {} };

function plan(spec: HostSpec, run: Began, dialled = spec.ssh.destination, facts = factsOf(), hostKey?: HostKey) {
  const session = {
    dialled,
    hostKey,
    login: { destination: dialled },
    close: async () => {},
  } as unknown as HostSession;
  const view = preview(viewOf(run.state, now), run.wanted.credentials);
  const [host = { spec }] = withTrust([spec], run.state, view);
  return planOpened({ session, facts, skewMs: 0, proposed: () => [] }, host, run, run, quiet);
}

/** Records the plan, as though the host had been changed. */
async function save(planned: PlannedHost, run: Began) {
  const full = run as unknown as Run;
  await withCredentials(planned, 'a1', run, full, quiet, (sent) => recordHost(planned, sent, run, full));
}

async function setUp(spec: HostSpec, store: ReturnType<typeof openStore>, dialled?: string) {
  const run = await runOn(store);
  await save(await plan(spec, run, dialled), run);
  const found = (await store.read()).hosts.get(spec.name);
  if (found === undefined) throw new Error('it was not stored');
  return found;
}

/** Issues credentials and writes them. */
async function carryOut(changes: readonly CredentialChange[], store: ReturnType<typeof openStore>): Promise<void> {
  const issuer = openIssuer(await store.read(), {
    passphrase: NO_PASSPHRASE,
    runtime: SIGNERS,
    approve: async () => {},
    now,
  });
  await store.withLock('test', async () => store.write(await issuer.carryOut(changes)));
}

async function revoke(name: string, store: ReturnType<typeof openStore>) {
  await carryOut([revoked(await store.read(), name, now)], store);
  return (await store.read()).clients.get(name) as StoredClient;
}

function trustOf({ credentials }: PlannedHost) {
  return credentials !== undefined && 'trust' in credentials ? credentials.trust : [];
}

/** Why the host gets a certificate. */
function whyOf({ credentials }: PlannedHost): string {
  const certificate = credentials !== undefined && 'certificate' in credentials ? credentials.certificate : undefined;
  return certificate !== undefined && 'issue' in certificate ? certificate.issue.reason : '';
}

const b2 = (destination: string, more: Partial<HostSpec> = {}) =>
  completeHost({ name: 'b2', ssh: { destination, user: 'root' }, ...more });

test('the record keeps the key that the host showed, and --host-key strict leaves it there', async () => {
  const store = await newStore();
  const key = { type: 'ssh-ed25519', base64: 'A'.repeat(68), fingerprint: 'SHA256:a' };
  const record = async (hostKey: string | undefined) => {
    const run = await runOn(store);
    const spec = b2('10.0.0.12');
    const ssh = { ...spec.ssh, hostKey, acceptNewJumps: true as const };
    await save(await plan({ ...spec, ssh }, run, undefined, undefined, key), run);
    const stored = (await store.read()).hosts.get('b2')?.record.ssh;
    expect(stored).not.toHaveProperty('acceptNewJumps');
    return stored?.hostKey;
  };
  expect(await record('accept-new')).toBe(`ssh-ed25519 ${key.base64}`);
  expect(await record('strict')).toBe(`ssh-ed25519 ${key.base64}`);
});

test('--install where dockerd listens is said to install nothing', async () => {
  const { plan: changed } = await plan(b2('10.0.0.12', { install: true }), await runOn(await newStore()));
  expect(changed.warnings.filter((warning) => warning.includes('--install'))).toHaveLength(1);
});

describe('a host that has seen another state of the store', () => {
  const generations = [1, 2].map((number) => ({ number, at: '2026-01-01T00:00:00Z', by: 'ada@desk', reason: 'apply' }));
  const seen = { id: 'a', number: 9, hash: 'abcdef12' };
  const kept = { schema: 1, name: 'b2', generation: 2, generations, managed: [], store: seen };
  const facts = factsOf({ 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(kept)}` });

  /** Code of the refusal by a store that does not continue it. */
  async function refusal(problem: 'E_HOST_NEWER' | 'E_HOST_FORKED', target: object = {}): Promise<string | undefined> {
    const requireSeen: Store['requireSeen'] = async (host, state) => {
      expect([host, state?.store]).toEqual(['b2', seen]);
      throw new DockerTlsError(problem, 'seen');
    };
    const run = await runOn({ ...(await newStore()), requireSeen }, target as Partial<Target>);
    return plan(b2('10.0.0.12'), run, undefined, facts).then(
      () => undefined,
      ({ code }) => code,
    );
  }

  test.each(['E_HOST_NEWER', 'E_HOST_FORKED'] as const)(
    '%s: is refused, also for a rollback, unless it is taken over or docker-tls is removed',
    async (code) => {
      expect(await refusal(code)).toBe(code);
      expect(await refusal(code, { kind: 'generation', to: 'previous' })).toBe(code);
      expect(await refusal(code, { takeOver: true })).not.toBe(code);
      expect(await refusal(code, { kind: 'generation', to: 'none' })).not.toBe(code);
    },
  );

  test('is no reason for a directory to stop', async () => {
    const { requireSeen } = await newStore();
    expect(await requireSeen('b2', facts.state)).toBeUndefined();
  });
});

describe('the address that clients dial', () => {
  test('without one of its own it is what ssh dials now, wherever the host was before', async () => {
    const store = await newStore();
    expect((await setUp(b2('10.0.0.12'), store)).record.address).toBe('10.0.0.12');
    const moved = await plan(b2('10.0.0.99'), await runOn(store));
    expect(moved.address).toBe('10.0.0.99');
    expect(moved.plan.credentials?.certificate).toMatchObject({
      issue: { names: expect.arrayContaining([expect.objectContaining({ value: '10.0.0.99' })]) },
    });
  });

  test('one that is no longer requested goes', async () => {
    const store = await newStore();
    await setUp(b2('10.0.0.12', { address: 'edge.example.org' }), store);
    expect((await plan(b2('10.0.0.12'), await runOn(store))).address).toBe('10.0.0.12');
  });
});

test('a CA that only the connected host names is trusted as well', async () => {
  const theirs = (await (await newStore()).read()).ca?.cert ?? '';
  const facts = factsOf({
    [`file:${UNIT}`]:
      'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H tcp://0.0.0.0:2376 --tlsverify --tlscacert=/etc/docker/ca.pem --tlscert=/c --tlskey=/k\n',
    'file:/etc/docker/ca.pem': `file 644 0:0\n${theirs}`,
  });
  const run = await runOn(await newStore());
  const planned = await plan(b2('10.0.0.12', { acceptCa: 'existing' }), run, undefined, facts);
  expect(trustOf(planned)).toEqual([run.state.ca?.cert, theirs].flatMap((cert) => certificateIds(cert ?? '')));
});

describe('others write to the store while a run goes on', () => {
  test('a client that is revoked meanwhile is accepted nowhere from then on', async () => {
    const store = await newStore({ ann: undefined, bob: undefined });
    const context = await runOn(store);
    const before = await plan(b2('10.0.0.12'), context);
    const bob = await revoke('bob', store);

    const after = await plan(b2('10.0.0.12'), context);
    expect(after.accepts).toEqual(['ann']);
    await expect(save(before, context)).rejects.toMatchObject({ code: 'E_STORE_CHANGED', exit: 4, where: 'b2' });
    expect((await store.read()).hosts.size).toBe(0);
    await save(after, context);
    const ca = (await store.read()).hosts.get('b2')?.ca ?? '';
    expect(isFrom(bob.cert, ca, 'client', now)).toBe(false);
    expect(certificateIds(ca)).toEqual(trustOf(after));
    expect(certificateIds(ca)).not.toEqual(trustOf(before));
  });

  test('clients that the run itself has made count until they are written, then the store does', async () => {
    const store = await newStore();
    const run = await runOn(store);
    const credentials = admit(run.state, { name: 'new', keyType: 'p256', days: 30 }, {}, now).changes;
    const context = { ...run, issued: false, wanted: { ...run.wanted, credentials } };
    const spec = b2('10.0.0.12', { clients: ['new'] });
    const planned = await plan(spec, context);
    expect([planned.accepts, trustOf(planned)]).toEqual([['new'], [{ new: 'client new' }]]);
    await carryOut(credentials, store);
    const again = await plan(spec, { ...context, issued: true });
    expect(again.accepts).toEqual(['new']);
    expect(trustOf(again)).toEqual(certificateIds((await store.read()).issuers.get('new')?.cert ?? ''));
    await revoke('new', store);
    await expect(plan(spec, { ...context, issued: true })).rejects.toMatchObject({ code: 'E_NO_CLIENTS' });
  });

  test('a certificate that was rotated meanwhile is not taken back', async () => {
    const store = await newStore();
    await setUp(b2('10.0.0.12'), store);
    const context = await runOn(store);
    const rotating = await runOn(store, { force: 'rotated' });
    await save(await plan(b2('10.0.0.12'), rotating), rotating);
    const now = (await store.read()).hosts.get('b2')?.serverCert ?? '';
    expect(now).not.toBe(context.state.hosts.get('b2')?.serverCert);
    expect((await plan(b2('10.0.0.12'), context)).credentials).toMatchObject({
      certificate: { keep: certificateIds(now) },
    });
  });

  test('nothing is made under a CA that was replaced meanwhile', async () => {
    const store = await newStore();
    const context = await runOn(store);
    const ca = { name: 'test', keyType: 'p256', days: 3650 } as const;
    await carryOut([{ kind: 'replace-ca', ca, lost: false }], store);
    await expect(plan(b2('10.0.0.12'), context)).rejects.toMatchObject({ code: 'E_STORE_CHANGED', exit: 4 });
  });

  test('a client that was revoked meanwhile verifies nothing', async () => {
    const store = await newStore({ ann: undefined, bob: undefined });
    const ids: string[] = [];
    const context = await runOn(store);
    await revoke('ann', store);
    const probe: Runtime['probe'] = async ({ credentials }) => {
      if (credentials) ids.push(inspectCertificate(credentials.cert).subject);
      return { kind: 'refused', cause: 'other', reason: '', chain: '', elapsedMs: 0 };
    };
    const prepared = await plan(b2('10.0.0.12'), context);
    const sent = { ca: '', cert: '', key: { kind: 'keep' } } as const;
    await verify(prepared, sent, context, { runtime: { ...context.runtime, probe } });
    expect(ids.join()).toContain('bob');
    expect(ids.join()).not.toContain('ann');
  });

  test('a key that is replaced by one of the host itself is not tried with the new certificate, nor kept beside it', async () => {
    const store = await newStore();
    const known = await setUp(b2('10.0.0.12'), store);
    const context = await runOn(store);
    const prepared = await plan(b2('10.0.0.12'), context);
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
      const sent = { ca: known.ca, cert: known.serverCert, key };
      await verify(prepared, sent, context, { runtime: { ...context.runtime, probe } });
      expect(tried.filter((cert) => cert === known.serverCert)).toHaveLength(times);
    }
    const kept = { ca: known.ca + known.ca, cert: known.serverCert, key: { kind: 'keep' } } as const;
    await recordHost(prepared, kept, context, context as unknown as Run);
    expect((await store.read()).hosts.get('b2')?.serverKey?.revealText()).toBe(known.serverKey?.revealText());
    const sent = { ca: known.ca, cert: known.serverCert, key: { kind: 'host', path: '/run/k/key.pem' } } as const;
    await recordHost(prepared, sent, context, context as unknown as Run);
    expect((await store.read()).hosts.get('b2')?.serverKey).toBeUndefined();
  });
});

test('a host is tried with the credentials of clients that it has to reject', async () => {
  const store = await newStore({ ann: undefined, eve: undefined });
  const known = await setUp(b2('10.0.0.12'), store);
  const context = await runOn(store);
  const prepared = await plan(b2('10.0.0.12'), context);
  const open: Runtime['probe'] = async () => ({
    ...{ kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain: known.serverCert, elapsedMs: 0 },
  });
  const sent = { ca: known.ca, cert: known.serverCert, key: { kind: 'keep' } } as const;
  const wanted = { ...context.wanted, mustReject: ['eve'] };
  const checks = await verify(prepared, sent, { ...context, wanted }, { runtime: { ...context.runtime, probe: open } });
  expect(checks.find(({ revoked }) => revoked === 'eve')).toMatchObject({ expected: 'refused', ok: false });
});

describe('a host whose key stays there, in a build without code for that', () => {
  const code = HOST_CSR.all as (typeof HOST_CSR.all)[number][];
  const before = [...code];
  beforeAll(() => {
    code.splice(0);
  });
  afterAll(() => {
    code.splice(0, code.length, ...before);
  });
  const refused = { code: 'E_NO_FEATURE', exit: 4, where: 'b2' };

  test('is refused before any change where it would make a key: by its setting, and by its record', async () => {
    const store = await newStore();
    const known = await setUp(b2('10.0.0.12'), store);
    const first = await runOn(store);
    await expect(plan(b2('10.0.0.12', { keys: 'host' }), first)).rejects.toMatchObject(refused);
    const planned = await plan(b2('10.0.0.12'), first);
    const sent = { ca: known.ca, cert: known.serverCert, key: { kind: 'host', path: '/run/k/key.pem' } } as const;
    const spec = b2('10.0.0.12', { keys: 'host' });
    await recordHost({ ...planned, spec }, sent, first, first as unknown as Run);
    const next = await runOn(store);
    const recorded = completeHost((await store.read()).hosts.get('b2')?.record as HostSpec);
    await expect(plan(recorded, next)).rejects.toMatchObject(refused);
    // A key of the store is the user's decision, as with the code.
    expect(await plan(b2('10.0.0.12', { keys: 'store' }), next)).toMatchObject({ credentials: { key: 'send' } });
  });

  test('is removed: no key is made for that', async () => {
    const state = { schema: 1, name: 'b2', generation: 1, managed: [], generations: [] };
    const facts = factsOf({ 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}` });
    const run = await runOn(await newStore());
    const wanted = { ...run.wanted, target: { kind: 'generation', to: 'none' } as Wanted['target'] };
    const gone = await plan(b2('10.0.0.12', { keys: 'host' }), { ...run, wanted }, '10.0.0.12', facts);
    expect(gone.plan.generation).toBe('none');
  });

  test('is not rolled back to a generation whose key was made there', async () => {
    const store = await newStore();
    const known = await setUp(b2('10.0.0.12'), store);
    const settings = { keys: 'host' };
    const generation = { number: 1, at: now.toISOString(), by: 'ann', reason: 'setup', settings };
    const state = { schema: 1, name: 'b2', generation: 2, managed: [], generations: [generation] };
    const facts = factsOf({
      'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}`,
      'file:/var/lib/docker-tls/generations/1/manifest': 'file 600 0:0\n1\tlink\t777\t0:0\t/etc/docker/tls/current\n',
      'file:/var/lib/docker-tls/generations/1/1': 'link 777 0:0\n1',
      'file:/etc/docker/tls/1/ca.pem': `file 444 0:0\n${known.ca}`,
      'file:/etc/docker/tls/1/server-cert.pem': `file 444 0:0\n${known.serverCert}`,
    });
    const run = await runOn(store);
    const wanted = { ...run.wanted, target: { kind: 'generation', to: 1 } as Wanted['target'] };
    const back = plan(b2('10.0.0.12'), { ...run, wanted }, '10.0.0.12', facts);
    await expect(back).rejects.toMatchObject(refused);
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
    expect(whyOf(prepared)).toBe(why);
    if (why !== '') {
      await save(prepared, context);
      const again = await plan(b2('10.0.0.12', wanted), await runOn(store));
      expect(whyOf(again)).toBe('');
    }
  });

  test('the kind of a key that the host makes itself', async () => {
    const store = await newStore();
    const known = await setUp(b2('10.0.0.12'), store);
    const { serverKey: _, ...onHost } = known;
    const context = await runOn(store);
    const credentials = (keyType: HostSpec['keyType']) =>
      desiredServer({
        spec: b2('10.0.0.12', { keys: 'host', keyType }),
        names: inspectCertificate(known.serverCert).sans,
        view: viewOf(context.state, now),
        state: { ...context.state, hosts: new Map([['b2', onHost]]) },
        onHost: true,
        now,
      });
    expect(credentials('p256')).toMatchObject({ key: 'keep' });
    const reason = 'its key is p256, not p384';
    expect(credentials('p384')).toMatchObject({ certificate: { issue: { reason } }, key: 'host' });
  });

  test('where the key is, and where it has to be, decide whether it stays, is sent, or is a new one', async () => {
    const store = await newStore();
    const known = await setUp(b2('10.0.0.12'), store);
    const { serverKey: _, ...keyless } = known;
    const { state } = await runOn(store);
    const decided = (keys: HostSpec['keys'], host: typeof keyless, onHost: boolean) => {
      const spec = b2('10.0.0.12', { keys });
      const names = inspectCertificate(known.serverCert).sans;
      const hosts = new Map([['b2', host]]);
      const { certificate, key } = desiredServer({
        ...{ spec, names, view: viewOf(state, now), state: { ...state, hosts }, onHost, now },
      });
      return [key, 'issue' in certificate ? certificate.issue.reason : 'kept'];
    };
    expect(decided('store', known, true)).toEqual(['keep', 'kept']);
    expect(decided('store', known, false)).toEqual(['send', 'kept']);
    expect(decided('store', keyless, true)).toEqual(['keep', 'kept']);
    expect(decided('store', keyless, false)).toEqual(['send', expect.toSay('key-gone')]);
    expect(decided('host', keyless, true)).toEqual(['keep', 'kept']);
    expect(decided('host', keyless, false)).toEqual(['host', expect.toSay('host-makes-key')]);
    expect(decided('host', known, true)).toEqual(['host', expect.toSay('host-makes-key')]);
  });
});
