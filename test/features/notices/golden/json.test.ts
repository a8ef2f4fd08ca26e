/** The golden --json document of notices. UPDATE_GOLDEN=1 writes it. */

import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('notices', async () => {
  const place = await documentPlace();
  const made = await place.run(['notices', 'on'], {});
  expect(made.json.command).toBe('notices');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
