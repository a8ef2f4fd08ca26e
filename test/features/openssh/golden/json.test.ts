/** The golden --json document of ssh. UPDATE_GOLDEN=1 writes it. */

import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('ssh', async () => {
  const place = await documentPlace();
  const made = await place.run(['ssh', 'h1'], {});
  expect(made.json.command).toBe('ssh');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
