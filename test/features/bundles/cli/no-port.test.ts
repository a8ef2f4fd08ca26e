/** A host that no client can connect to is in no bundle. */

import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { documentPlace } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';
import { listenerFacts } from '../../haproxy/support/listener-facts.ts';

afterAll(removeHomes);

test('an address that nothing answers at is not given out', async () => {
  const place = await documentPlace();
  const store = openStore(place.home);
  const h1 = (await store.read()).hosts.get('h1');
  if (h1 === undefined) throw new Error('no h1');
  const record = { ...h1.record, listener: 'haproxy', sockets: ['ci read'], listen: ['none'] } as const;
  await store.withLock('test', () => store.write({ hosts: { h1: { ...h1, record } } }));
  const outputs = { 'listener facts': listenerFacts() };
  const exported = ['client', 'export', 'laptop', '--out', 'laptop.tar.gz'];
  const named = await place.run([...exported, '--hosts', 'h1'], {}, { outputs });
  expect(named.json.error?.code).toBe('E_NO_PORT');
  expect((await place.run(exported)).json.result.hosts).toEqual([]);
});
