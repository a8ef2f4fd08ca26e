/** One golden --json document of each command of roles. UPDATE_GOLDEN=1 writes them. */

import { afterAll, expect, test } from 'vitest';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

const directory = new URL('json/', import.meta.url);

test.each([
  ['role list', ['role', 'list'], 0],
  ['role show', ['role', 'show', 'monitor'], 0],
  ['role test', ['role', 'test', 'read', 'GET /v1.45/containers/web/json'], 0],
] as const)('%s', async (name, argv, exit) => {
  const place = await documentPlace();
  const made = await place.run(argv);
  expect(made.json.command).toBe(name);
  expect(made.exit).toBe(exit);
  expectGolden(directory, made, {});
});
