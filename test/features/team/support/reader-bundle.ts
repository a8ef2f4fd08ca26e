/** The code of shared stores as one file, for child processes. */

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { CHILD_BUNDLE } from '../../../support/child-bundle.ts';

/** Exports openTeamSession, teamStore and the samples of test/support/store.ts. The caller deletes it. */
export function bundleTeamStore(name: string): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  const directory = join(root, 'node_modules/.cache/store-test');
  mkdirSync(directory, { recursive: true });
  const outfile = join(directory, `${name}-${process.pid}.mjs`);
  buildSync({
    stdin: {
      contents: `export * from './src/features/team/store/open-team-store.ts'; export * from './src/features/team/store/team-store.ts'; export * from './test/support/store.ts';`,
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    ...CHILD_BUNDLE,
  });
  return outfile;
}
