// Writes the man pages, made from the commands by scripts/reference.ts. Usage: node scripts/generate-man.mjs DIRECTORY
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ensureDirSync, readJsonSync, removeSync } from 'fs-extra/esm';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: node scripts/generate-man.mjs DIRECTORY');
const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = readJsonSync(join(root, 'package.json'));
removeSync(directory);
ensureDirSync(directory);
// In a file, because some packages of the bundle look at where they are.
const bundle = join(directory, 'reference.mjs');
await build({
  absWorkingDir: root,
  entryPoints: ['scripts/reference.ts'],
  outfile: bundle,
  bundle: true,
  format: 'esm',
  platform: 'node',
  mainFields: ['module', 'main'],
  target: 'node20',
  loader: { '.sh': 'text', '.html': 'text' },
  define: { DOCKER_TLS_VERSION: JSON.stringify(version) },
  external: ['cpu-features', '*.node'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;",
  },
  logLevel: 'warning',
});
const { loadReference, renderManPages } = await import(pathToFileURL(bundle).href);
for (const [name, text] of renderManPages(await loadReference(), version)) writeFileSync(join(directory, name), text);
rmSync(bundle);
