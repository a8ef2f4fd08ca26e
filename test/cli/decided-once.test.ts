/** Number of trust decisions and store reads of one change. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { isFrom } from '../../src/core/domain/pki/inspect.ts';
import { revoked } from '../../src/core/domain/trust/clients.ts';
import { answeringHosts } from '../support/answering-hosts.ts';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

const counts = vi.hoisted(() => ({ reads: 0, decisions: 0 }));

vi.mock('../../src/core/adapters/store/read.ts', async (original) => {
  const real = await original<typeof import('../../src/core/adapters/store/read.ts')>();
  const readState: typeof real.readState = (...scope) => {
    if (asHost.getStore() === undefined) counts.reads += 1;
    return real.readState(...scope);
  };
  return { ...real, readState };
});
vi.mock('../../src/core/domain/trust/trust.ts', async (original) => {
  const real = await original<typeof import('../../src/core/domain/trust/trust.ts')>();
  const trustFor: typeof real.trustFor = (...decided) => {
    counts.decisions += 1;
    return real.trustFor(...decided);
  };
  return { ...real, trustFor };
});

const now = new Date();
let home: string;

afterAll(removeHomes);
beforeEach(async () => {
  home = newHome();
  const clients = { ann: undefined, bob: undefined, eve: undefined };
  await issueStore(home, { now, hosts: { h1: {} }, clients });
});

/** The fake host reads the store too; those reads do not count. */
const asHost = new AsyncLocalStorage<true>();

function stored() {
  return asHost.run(true, () => openStore(home).read());
}

/** What happens between the plan and the change: during the host's last probe of the plan, or before its script. */
type Between = { probe?: (() => Promise<void>) | undefined; readonly apply?: () => Promise<void> };

async function counted(argv: readonly string[], { ...between }: Between = {}) {
  const chain = (await stored()).hosts.get('h1')?.serverCert ?? '';
  const connect = answeringHosts({ home, now });
  counts.reads = 0;
  counts.decisions = 0;
  const { exit, json } = await runCli([...argv, ...(argv[0] === 'plan' ? [] : ['--yes']), '--json', '--home', home], {
    cwd: dirname(home),
    env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker') },
    now: () => now,
    probe: async ({ credentials, maxVersion }) => {
      const once = between.probe;
      between.probe = undefined;
      await once?.();
      // The host rejects eve, who is revoked in every test that verifies it.
      const clients = [...(await stored()).clients.values()].filter(({ record }) => record.name !== 'eve');
      return clients.some(({ cert }) => cert === credentials?.cert) && maxVersion === undefined
        ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
        : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
    },
    connect: async (options) => {
      const session = await connect(options);
      const run: typeof session.run = async (request) => {
        if (request.phase === 'apply') await between.apply?.();
        return asHost.run(true, () => session.run(request));
      };
      return { ...session, run };
    },
  });
  return { exit, json, ...counts };
}

test('client revoke decides once on what it shows and once under the lock, from three reads of the store', async () => {
  const { exit, reads, decisions } = await counted(['client', 'revoke', 'eve']);
  expect([exit, reads, decisions]).toEqual([0, 3, 2]);
  expect(await acceptedOnH1()).toEqual(['ann', 'bob']);
});

/** Clients with a certificate of the CAs in the trust file of h1. */
async function acceptedOnH1(): Promise<string[]> {
  const { hosts, clients } = await stored();
  const ca = hosts.get('h1')?.ca ?? '';
  return [...clients].flatMap(([name, { cert }]) => (isFrom(cert, ca, 'client', now) ? [name] : []));
}

test('so does a change that makes the CA of a client: the host gets the one that was made', async () => {
  await counted(['client', 'revoke', 'eve']);
  const { exit, reads, decisions } = await counted(['client', 'add', 'new']);
  expect([exit, reads, decisions]).toEqual([0, 3, 2]);
  expect(await acceptedOnH1()).toEqual(['ann', 'bob', 'new']);
});

test.each([
  ['plan, without new credentials: once', ['plan', 'h1'], 1, 1],
  ['rollback: what the generation had', ['rollback', 'h1'], 1, 0],
])('%s; from one read of the store', async (_, argv, reads, decisions) => {
  expect(await counted(argv)).toMatchObject({ reads, decisions });
});

test('a plan is made again if another run has written since, and only then', async () => {
  // The fake host keeps its certificate, so its verification fails.
  expect(await counted(['rotate', 'server', 'h1'])).toMatchObject({ exit: 7, decisions: 1 });
  expect(await counted(['rotate', 'server', 'h1'], { probe: revokeBob })).toMatchObject({ exit: 7, decisions: 2 });
});

/** Another run revokes bob. */
async function revokeBob(): Promise<void> {
  const store = openStore(home);
  await asHost.run(true, () =>
    store.withLock('other', async () => {
      const state = await store.read();
      const { directory: _, ...bob } = state.clients.get('bob') as NonNullable<ReturnType<typeof state.clients.get>>;
      await store.write({ clients: { bob: { ...bob, record: revoked(state, 'bob', now).record } } });
    }),
  );
}

test('another run that writes after the plan is noticed: the store is read and the trust decided again', async () => {
  const { exit, reads, decisions, json } = await counted(['client', 'revoke', 'eve'], { apply: revokeBob });
  expect([exit, json.error?.code, reads, decisions]).toEqual([5, 'E_STORE_CHANGED', 4, 3]);
});
