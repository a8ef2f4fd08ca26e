/** One golden --json document of each command of roles. UPDATE_GOLDEN=1 writes them. */

import { afterAll, expect, test } from 'vitest';
import type { StoredHost } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';
import { listenerFacts } from '../support/listener-facts.ts';

afterAll(removeHomes);

const directory = new URL('json/', import.meta.url);

test.each([
  ['role list', ['role', 'list'], 0],
  ['role show', ['role', 'show', 'monitor'], 0],
  ['role test', ['role', 'test', 'read', 'GET /v1.45/containers/web/json'], 0],
] as const)('%s', async (name, argv, exit) => {
  const place = await documentPlace();
  const made = await place.run(argv);
  expect(made.json.command).toBe(name);
  expect(made.exit).toBe(exit);
  expectGolden(directory, made, {});
});

test('socket list', async () => {
  const place = await documentPlace();
  const store = openStore(place.home);
  const h1 = (await store.read()).hosts.get('h1') as StoredHost;
  const record = { ...h1.record, listener: 'haproxy', sockets: ['dozzle read', 'traefik monitor'] } as const;
  await store.withLock('test', () => store.write({ hosts: { h1: { ...h1, record } } }));
  expectGolden(directory, await place.run(['socket', 'list']), {});
  const outputs = { 'listener facts': listenerFacts() };
  for (const [name, argv] of [
    ['socket add', ['ci', 'root@h9']],
    ['socket remove', ['dozzle', 'h1']],
  ] as const) {
    const made = await place.run([...name.split(' '), ...argv, '--dry-run'], {}, { outputs });
    expect([made.json.command, made.exit], made.out).toEqual([name, 0]);
    expectGolden(directory, made, {});
  }
});

const line = (fields: Readonly<Record<string, string>>) =>
  JSON.stringify({
    ...{ 'docker-tls': 'request', kind: 'client', client: 'laptop', role: 'read', address: '192.0.2.7', method: 'GET' },
    ...{ path: '/v1.45/containers/web/json', status: '200', ms: '1500', end: '--' },
    ...fields,
  });
const journal = [
  line({}),
  line({ client: 'eve', role: 'full', method: '-', path: '-', status: '-' }),
  // A request that was refused is not one that its role needs.
  line({ method: 'POST', path: '/v1.45/containers/create', status: '403' }),
  'not a request',
  line({ client: '../../x' }),
]
  .map((MESSAGE) => JSON.stringify({ MESSAGE, __REALTIME_TIMESTAMP: '1780315200000000' }))
  .join('\n');

test.each([
  ['client log', ['client', 'log', 'h1']],
  ['role suggest', ['role', 'suggest', 'laptop']],
] as const)('%s', async (name, argv) => {
  const place = await documentPlace();
  const made = await place.run(argv, {}, { outputs: { journal: Buffer.from(`${journal}\n`) } });
  expect(made.json.command).toBe(name);
  expectGolden(directory, made, {});
});
