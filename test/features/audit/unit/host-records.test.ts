/** Fixes in a host's record, while other runs harden the host. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { completeHost, type HostSpec } from '../../../../src/core/domain/settings.ts';
import type { Wanted } from '../../../../src/core/domain/trust/changes.ts';
import type { Base, PlannedHost, Run } from '../../../../src/core/engine/intent.ts';
import { withCredentials } from '../../../../src/core/engine/steps/issue-credentials.ts';
import { planOpened } from '../../../../src/core/engine/steps/plan-opened.ts';
import { droppedNotes, hardeningOf, recordHost } from '../../../../src/core/engine/steps/record.ts';
import type { HostSession, Runtime } from '../../../../src/core/runtime.ts';
import { FACTS_TIME_MS, factsOf } from '../../../support/host-facts.ts';
import { issueStore, NO_PASSPHRASE } from '../../../support/issued-store.ts';

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

function plan(spec: HostSpec, run: Began, dialled = spec.ssh.destination, facts = factsOf()) {
  const session = { dialled, login: { destination: dialled }, close: async () => {} } as unknown as HostSession;
  return planOpened({ session, facts, skewMs: 0, proposed: () => [] }, { spec }, run, run, quiet);
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

/** Why the host gets a certificate. */

const b2 = (destination: string, more: Partial<HostSpec> = {}) =>
  completeHost({ name: 'b2', ssh: { destination, user: 'root' }, ...more });

describe('others write to the store while a run goes on', () => {
  test('fixes that another harden made meanwhile stay in the record; a fleet file says all of them', async () => {
    const store = await newStore();
    await setUp(b2('10.0.0.12'), store);
    const prepared = await plan(b2('10.0.0.12'), await runOn(store));
    const saved = async (harden: readonly string[], more: Partial<Target>) => {
      await save({ ...prepared, spec: { ...prepared.spec, harden } }, await runOn(store, more));
      return (await store.read()).hosts.get('b2')?.record.harden;
    };
    expect(await saved(['log-limits'], { addHardening: true })).toEqual(['log-limits']);
    expect(await saved(['sshd'], { addHardening: true })).toEqual(['sshd', 'log-limits']);
    expect(await saved(['sshd'], {})).toEqual(['sshd']);
    const record = (await store.read()).hosts.get('b2')?.record;
    expect(hardeningOf({ harden: ['icc'] }, record, { addHardening: true })).toEqual(['icc', 'sshd']);
    expect(hardeningOf({}, record, {})).toEqual(['sshd']);
    expect(hardeningOf({ harden: [] }, record, {})).toEqual([]);
    expect(droppedNotes(record, ['sshd', 'icc'])).toEqual([]);
    expect(droppedNotes(record, ['icc'])).toEqual([expect.toSay('sshd-no-longer-listed')]);
  });
});
