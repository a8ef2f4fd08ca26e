/** Clients of a fleet file that the store has otherwise: `status -f` and `plan -f` say the same. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const now = new Date();
let home: string;

beforeEach(async () => {
  home = newHome();
  await issueStore(home, { now, hosts: { h1: {} }, clients: { ann: undefined, eve: undefined } });
});
afterAll(removeHomes);

async function checked(clients: string) {
  writeFileSync(join(dirname(home), 'fleet.yaml'), `version: 1\nhosts:\n  h1: root@127.0.0.1\nclients: ${clients}\n`);
  const show = (...argv: string[]) =>
    runCli([...argv, '-f', 'fleet.yaml', '--check', '--home', home], {
      cwd: dirname(home),
      env: { HOME: dirname(home) },
      now: () => now,
      connect: answeringHosts({ home, now, nameOf: () => 'h1' }),
    });
  const run = (...argv: string[]) => show(...argv, '--json');
  const [status, plan] = [await run('status', '--offline'), await run('plan')];
  const rows: { kind: string; name: string; drift?: string[]; renew?: string[] }[] = status.json.result.rows;
  const differing = rows.flatMap(({ kind, name, drift = [] }) =>
    kind === 'client' && drift[0] ? [[name, drift[0]]] : [],
  );
  const { out } = await show('status', '--offline');
  const next = out
    .match(/(?<=^ {2}docker-tls .*)(rotate|client use|plan) .*/gm)
    ?.map((line) => line.replace(/\/.*\//, ''));
  return { status, plan, differing, missing: status.json.result.missingClients, next };
}

async function revoke(name: string): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', async () => {
    const client = (await store.read()).clients.get(name);
    if (client === undefined) throw new Error(name);
    await store.write({
      clients: { [name]: { ...client, record: { ...client.record, revokedAt: now.toISOString() } } },
    });
  });
}

test('nothing to say where both agree', async () => {
  const days = 397;
  const { status, plan, differing, missing } = await checked(`{ ann: { days: ${days} }, eve: { days: ${days} } }`);
  expect([status.exit, plan.json.result.credentials, differing, missing]).toEqual([0, [], [], undefined]);
});

test('revoked, and the file does not mark it: plan refuses, and status has it', async () => {
  await revoke('eve');
  const { status, plan, differing } = await checked('{ ann: { days: 397 }, eve: { days: 397 } }');
  expect([status.exit, plan.json.error?.code]).toEqual([3, 'E_CLIENT_REVOKED']);
  expect(differing).toEqual([['eve', expect.toSay('fleet-file-not-mark')]]);
  expect((await checked('{ ann: { days: 397 }, eve: { revoked: true } }')).differing).toEqual([]);
});

test.each([
  ['a revocation', '{ ann: { days: 397 }, eve: { revoked: true } }', 'eve'],
  ['other hosts', '{ ann: { days: 397 }, eve: { days: 397, hosts: [h1] } }', 'eve'],
  ['another lifetime', '{ ann: { days: 90 }, eve: { days: 397 } }', 'ann'],
])('what the file changes is not applied yet: %s', async (_, clients, name) => {
  const { status, plan, differing } = await checked(clients);
  expect([status.exit, plan.exit, differing.map(([client]) => client)]).toEqual([3, 3, [name]]);
  expect(plan.json.result.credentials).toEqual([expect.objectContaining({ client: name })]);
});

test('a client that is due and differs keeps its renewal, beside the plan', async () => {
  home = newHome();
  await issueStore(home, { now: new Date(now.getTime() - 300 * 86_400_000), clients: { ann: undefined } });
  const { status, differing, next } = await checked('{ ann: { days: 90 } }');
  const row = status.json.result.rows.find(({ name }: { name: string }) => name === 'ann');
  expect(row).toMatchObject({ state: 'due', differs: true, renew: ['docker-tls rotate client ann'] });
  expect(differing.map(([name]) => name)).toEqual(['ann']);
  expect(next).toEqual(['rotate client ann', 'plan -f fleet.yaml']);
});

test('one that only differs needs no renewal', async () => {
  const { next } = await checked('{ ann: { days: 90 }, eve: { days: 397 } }');
  expect(next).toEqual(['plan -f fleet.yaml']);
});

test("this computer's own client, revoked, keeps that and its hint beside the difference", async () => {
  const store = openStore(home);
  await store.withLock('test', async () => {
    const ann = (await store.read()).clients.get('ann');
    if (ann === undefined) throw new Error('ann');
    const record = { ...ann.record, own: true as const, revokedAt: now.toISOString() };
    await store.write({ clients: { ann: { ...ann, record } } });
  });
  const { status, next } = await checked('{ ann: { days: 397 }, eve: { days: 397 } }');
  const row = status.json.result.rows.find(({ name }: { name: string }) => name === 'ann');
  expect(row.drift).toEqual([expect.toSay('own-client-revoked'), expect.toSay('fleet-file-not-mark')]);
  expect(next).toEqual(['client use eve', 'plan -f fleet.yaml']);
});

test('a client that the file adds is missing', async () => {
  const { status, plan, missing } = await checked('{ ann: { days: 397 }, eve: { days: 397 }, ci: }');
  expect([status.exit, plan.exit, missing]).toEqual([3, 3, ['ci']]);
});

test('a client that is issued between others by name does not change the plan that was shown', async () => {
  writeFileSync(
    join(dirname(home), 'fleet.yaml'),
    'version: 1\nhosts:\n  h1: root@127.0.0.1\nclients: { ann: { days: 397 }, eve: { days: 397 }, bea: }\n',
  );
  // With --diff the plan is shown, as to somebody who then says yes.
  const { err, json } = await runCli(['apply', '-f', 'fleet.yaml', '--yes', '--diff', '--home', home, '--json'], {
    cwd: dirname(home),
    env: { HOME: dirname(home) },
    now: () => now,
    connect: answeringHosts({ home, now, nameOf: () => 'h1' }),
    probe: async () => ({ kind: 'refused', cause: 'connection-refused', reason: '', chain: '', elapsedMs: 0 }),
  });
  expect(json.result.hosts, err).toHaveLength(1);
  expect(err).toContain('bea');
  expect(err).not.toContain('its plan');
});

/** `apply` where no host answers. */
async function appliedToNone(clients: string, ...form: string[]) {
  writeFileSync(join(dirname(home), 'fleet.yaml'), `version: 1\nhosts:\n  h1: root@127.0.0.1\nclients: ${clients}\n`);
  const at = {
    cwd: dirname(home),
    env: { HOME: dirname(home) },
    now: () => now,
    connect: answeringHosts({ home, now, nameOf: () => 'h1', answers: { apply: 'refused' } }),
  };
  const argv = ['apply', '-f', 'fleet.yaml', '--yes', '--home', home];
  const run = await runCli([...argv, ...form], at);
  return {
    out: run.out,
    ...(form.length > 0 ? run.json.result : {}),
    stored: [...(await openStore(home).read()).clients.keys()],
  };
}

test('apply names the clients that stay in the store where every host failed', async () => {
  const clients = '{ ann: { days: 397 }, eve: { revoked: true }, bea: }';
  const { hosts, issued, revoked, stored } = await appliedToNone(clients, '--json');
  expect(hosts).toEqual([expect.objectContaining({ result: 'failed' })]);
  expect({ issued, revoked, stored }).toEqual({ issued: ['bea'], revoked: ['eve'], stored: ['ann', 'bea', 'eve'] });
  const { out } = await appliedToNone('{ ann: { revoked: true }, eve: { revoked: true }, cy: }');
  expect(out).toSay('issued-client', 'cy');
  expect(out).toSay('revoked-client', 'ann');
});

test('and none that it has removed again', async () => {
  const { issued, stored } = await appliedToNone('{ ann: { days: 397 }, eve: { days: 397 }, bea: }', '--json');
  expect({ issued, stored }).toEqual({ issued: undefined, stored: ['ann', 'eve'] });
});
