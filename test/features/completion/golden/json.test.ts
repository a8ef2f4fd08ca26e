/** The golden --json document of completion. UPDATE_GOLDEN=1 writes it. */

import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('completion', async () => {
  const place = await documentPlace();
  const made = await place.run(['completion', 'fish'], {});
  expect(made.json.command).toBe('completion');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
