/** The golden --json document of context. UPDATE_GOLDEN=1 writes it. */

import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('context', async () => {
  const place = await documentPlace();
  const made = await place.run(['context', 'h1', '--client', 'laptop'], {});
  expect(made.json.command).toBe('context');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
