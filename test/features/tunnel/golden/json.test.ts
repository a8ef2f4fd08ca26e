/** The golden --json document of tunnel. UPDATE_GOLDEN=1 writes it. */

import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('tunnel', async () => {
  const place = await documentPlace();
  const made = await place.run(['tunnel', 'h1', '--client', 'laptop'], {});
  expect(made.json.command).toBe('tunnel');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
