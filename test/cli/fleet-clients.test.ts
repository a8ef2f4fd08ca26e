/** Clients of a fleet file that the store has otherwise: `status -f` and `plan -f` say the same. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { answeringHosts } from '../support/answering-hosts.ts';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

const now = new Date();
let home: string;

beforeEach(async () => {
  home = newHome();
  await issueStore(home, { now, hosts: { h1: {} }, clients: { ann: undefined, eve: undefined } });
});
afterAll(removeHomes);

async function checked(clients: string) {
  writeFileSync(join(dirname(home), 'fleet.yaml'), `version: 1\nhosts:\n  h1: root@127.0.0.1\nclients: ${clients}\n`);
  const run = (...argv: string[]) =>
    runCli([...argv, '-f', 'fleet.yaml', '--check', '--home', home, '--json'], {
      cwd: dirname(home),
      env: { HOME: dirname(home) },
      now: () => now,
      connect: answeringHosts({ home, now, nameOf: () => 'h1' }),
    });
  const [status, plan] = [await run('status', '--offline'), await run('plan')];
  const rows: { kind: string; name: string; drift?: string[]; renew?: string[] }[] = status.json.result.rows;
  const differing = rows.flatMap(({ kind, name, drift = [] }) =>
    kind === 'client' && drift[0] ? [[name, drift[0]]] : [],
  );
  return { status, plan, differing, missing: status.json.result.missingClients };
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
