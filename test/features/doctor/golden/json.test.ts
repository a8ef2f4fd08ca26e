/** The golden --json document of doctor. UPDATE_GOLDEN=1 writes it. */

import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('doctor', async () => {
  const place = await documentPlace();
  const chain = (await openStore(place.home).read()).hosts.get('h1')?.serverCert ?? '';
  const made = await place.run(['doctor', 'h1', '--client', 'eve', '--no-ssh'], {
    probe: async () => ({ kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 }),
  });
  expect(made.json.command).toBe('doctor');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
