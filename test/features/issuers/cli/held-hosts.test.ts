/** Host lock during requests to an external CA, only for hosts that still match the plan: runs that share hosts never ask twice. */

import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { StoredCa } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { issueServer } from '../../../../src/core/domain/pki/certificate.ts';
import { parseCsr } from '../../../../src/core/domain/pki/csr.ts';
import { openAuthority } from '../../../../src/core/domain/pki/open-authority.ts';
import type { Secret } from '../../../../src/core/domain/secret.ts';
import type { Probe, SignRequest } from '../../../../src/core/runtime.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const now = new Date();
let home: string;
let key: Secret;
let events: string[];

afterAll(removeHomes);
beforeEach(async () => {
  home = newHome();
  events = [];
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
  const { ca } = await openStore(home).read();
  const { cert, keyPem, record } = ca as StoredCa & { keyPem: Secret };
  key = keyPem;
  const external = { kind: 'command', command: 'false' } as const;
  const store = openStore(home);
  await store.withLock('test', () => store.write({ ca: { cert, record: { ...record, external } } }));
});

/** Accepts every client with a certificate. */
const probe: Probe = async ({ credentials, maxVersion }) => {
  const chain = (await openStore(home).read()).hosts.get('h1')?.serverCert ?? '';
  return credentials !== undefined && maxVersion === undefined
    ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
    : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
};

async function sign(_: unknown, { csr, sans = [], days }: SignRequest): Promise<string> {
  events.push('sign');
  const { ca } = await openStore(home).read();
  const authority = await openAuthority({ cert: ca?.cert ?? '', key });
  return (await issueServer({ ca: authority, sans, days, now, publicKey: parseCsr(csr).publicKey })).cert;
}

const rotate = (answers: Record<string, string | string[]>, onChange?: (phase: string) => Promise<void>) =>
  runCli(['rotate', 'server', 'h1', '--yes', '--json', '--home', home], {
    cwd: dirname(home),
    env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker') },
    now: () => now,
    sign,
    probe,
    connect: answeringHosts({
      ...{ home, now, answers: { hold: 'held', ...answers } },
      onChange: async (phase) => {
        events.push(phase);
        await onChange?.(phase);
      },
    }),
  });

const codes = ({ json }: Awaited<ReturnType<typeof rotate>>) =>
  (json.error?.errors ?? [json.error]).map((error: { code: string } | undefined) => error?.code);

test('the lock comes before the CA is asked, and the change after that', async () => {
  await rotate({});
  expect(events.slice(0, 3)).toEqual(['hold', 'sign', 'apply']);
});

test('of a host that another run holds nothing is asked', async () => {
  const lock = Buffer.from('who=bob@ci\nsince=1\nexpires=9\ntransaction=x\n').toString('base64');
  const run = await rotate({ hold: `locked ${lock} ${Buffer.from('1').toString('base64')}` });
  expect([run.exit, codes(run)]).toEqual([4, ['E_HOST_LOCKED']]);
  expect(events).not.toContain('sign');
});

test('a host that another run recorded meanwhile is given back and planned again; who is overtaken twice is told', async () => {
  let times = 0;
  const run = await rotate({}, async (phase) => {
    if (phase !== 'hold') return;
    times += 1;
    const store = openStore(home);
    await store.withLock('bob', async () => {
      const known = (await store.read()).hosts.get('h1');
      if (known === undefined) throw new Error('no h1');
      await store.write({ hosts: { h1: { ...known, record: { ...known.record, updatedAt: `bob ${times}` } } } });
    });
  });
  expect([run.exit, codes(run)]).toEqual([4, ['E_STALE_CHANGE']]);
  expect(events).toEqual(['hold', 'undo', 'hold', 'undo']);
});
