/** The golden --json document of a CA rotation. UPDATE_GOLDEN=1 writes it. */

import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('rotate ca', async () => {
  const place = await documentPlace();
  const made = await place.run(['rotate', 'ca', '--no-ca-passphrase', '--dry-run'], {});
  expect(made.json.command).toBe('rotate ca');
  expectGolden(new URL('json/', import.meta.url), made, {});
});
