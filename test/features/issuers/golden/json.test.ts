/** The golden --json document of ca import. UPDATE_GOLDEN=1 writes it. */

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('ca import', async () => {
  const place = await documentPlace();
  await place.run(['ca', 'export', '--out', 'ca.pem']);
  const made = await place.run(['ca', 'import', '--cert', 'ca.pem', '--home', join(place.directory, 'new')]);
  expect(made.json.command).toBe('ca import');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
