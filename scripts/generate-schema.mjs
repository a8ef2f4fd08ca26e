// Writes schema/fleet.schema.json, the JSON Schema of fleet.yaml for editors, and the tables of keys in docs/fleet.md, from scripts/fleet-schema.ts.
// Usage: node scripts/generate-schema.mjs [--check]: with --check it writes nothing and ends with 1 when the file is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = new URL('../schema/fleet.schema.json', import.meta.url);
const bundle = await build({
  absWorkingDir: root,
  entryPoints: ['scripts/fleet-schema.ts'],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  mainFields: ['module', 'main'],
  target: 'node20',
  loader: { '.sh': 'text', '.html': 'text' },
  external: ['cpu-features', '*.node'],
  banner: {
    js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(${JSON.stringify(import.meta.url)});`,
  },
  logLevel: 'warning',
});
const source = Buffer.from(bundle.outputFiles[0].contents).toString('base64');
const { fleetJsonSchema, keyTables } = await import(`data:text/javascript;base64,${source}`);
const docs = new URL('../docs/fleet.md', import.meta.url);
const page = readFileSync(docs, 'utf8');
const tables = keyTables();
const texts = [
  [target, `${JSON.stringify(fleetJsonSchema(), null, 2)}\n`],
  [docs, page.replace(/(<!-- keys: (\w+) -->\n)(?:\|.*\n)*/g, (_, mark, name) => `${mark}${tables[name]}\n`)],
];
for (const [file, text] of texts) {
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${fileURLToPath(file)} is not current: node scripts/generate-schema.mjs`);
    process.exitCode = 1;
  }
}
