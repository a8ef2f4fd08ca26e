/** The source as a module of Node, for scripts. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { readJsonSync } from 'fs-extra/esm';

/** What `files` of the repository in `root` export. */
export async function loadSource(root, ...files) {
  // In a file, because some packages of the bundle look at where they are.
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-source-'));
  const outfile = join(directory, 'source.mjs');
  try {
    await build({
      absWorkingDir: root,
      stdin: { contents: files.map((file) => `export * from './${file}';`).join('\n'), resolveDir: root },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      mainFields: ['module', 'main'],
      target: 'node20',
      loader: { '.sh': 'text', '.html': 'text' },
      define: { DOCKER_TLS_VERSION: JSON.stringify(readJsonSync(join(root, 'package.json')).version) },
      external: ['cpu-features', '*.node'],
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;",
      },
      logLevel: 'silent',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
