/** The audit of a host without a port in the network. */

import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import type { Probe } from '../../../../src/core/runtime.ts';
import { documentPlace } from '../../../support/golden-documents.ts';
import { printSections, sectionsOf } from '../../../support/sections.ts';
import { removeHomes } from '../../../support/store.ts';
import { recordedBytes } from '../support/audit-facts.ts';

afterAll(removeHomes);

const audit = printSections('audit', [
  { name: 'listener-file clients.map', content: Buffer.from('') },
  ...sectionsOf('audit', recordedBytes('setup-trixie')),
]);

test.each([
  ['of a host with a port, it is asked', {}, true],
  ['of a host without one, only the ports that anybody would try are', { listen: ['none'] }, false],
])('%s', async (_, settings, asked) => {
  const place = await documentPlace();
  const store = openStore(place.home);
  const h1 = (await store.read()).hosts.get('h1');
  if (h1 === undefined) throw new Error('not in the store');
  const record = { ...h1.record, port: 2399, ...settings };
  await store.withLock('test', () => store.write({ hosts: { h1: { ...h1, record } } }));
  const tried: { readonly port: number; readonly own: boolean }[] = [];
  const probe: Probe = async ({ port, credentials, ca }) => {
    tried.push({ port, own: credentials !== undefined && ca !== '' });
    return { kind: 'refused', cause: 'connection-refused', reason: 'no answer', chain: '', elapsedMs: 1 };
  };
  await place.run(['audit', 'h1'], { probe }, { outputs: { audit } });
  expect(tried.some(({ own }) => own)).toBe(asked);
  expect(tried.some(({ port, own }) => port === 2399 && !own)).toBe(asked);
  expect(tried.map(({ port }) => port)).toEqual(expect.arrayContaining([2375, 2376]));
});
