/** One golden --json document of each command for bundles and requests. UPDATE_GOLDEN=1 writes them. */

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { CliRun } from '../../../support/cli.ts';
import { type DocumentPlace, documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

const RUNS: Readonly<Record<string, (place: DocumentPlace) => Promise<CliRun>>> = {
  'client export': (place) => place.run(['client', 'export', 'laptop', '--out', 'laptop.tar']),
  'client import': async (place) => {
    const other = await documentPlace();
    const file = join(place.directory, 'laptop.tar');
    await place.run(['client', 'export', 'laptop', '--out', file]);
    return other.run(['client', 'import', file, '--name', 'other'], { cwd: place.directory });
  },
  'client request': (place) => place.run(['client', 'request', 'ann', '--out', 'ann.csr']),
  'client sign': async (place) => {
    await place.run(['client', 'request', 'ann', '--out', 'ann.csr']);
    return place.run(['client', 'sign', 'ann.csr', '--out', 'ann.tar']);
  },
};

test.each(Object.entries(RUNS))('%s', async (name, run) => {
  const made = await run(await documentPlace());
  expect(made.json.command).toBe(name);
  expectGolden(new URL('json/', import.meta.url), made, {});
});
