// Writes schema/: the JSON Schema of fleet.yaml for editors (fleet.schema.json), and one for the --json document of each command; also the
// tables of keys in docs/lists/fleet-keys.md.
// Usage: node scripts/generate-schema.mjs [--check]: with --check it writes nothing and ends with 1 when a file is not current.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { commandSchemas } from './command-schemas.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Of a feature. */
const FLEET = 'src/features/fleet/domain/json-schema.ts';
const directory = new URL('../schema/', import.meta.url);
const bundle = await build({
  absWorkingDir: root,
  stdin: {
    contents: [
      "import './src/features.ts'; export { COMMANDS } from './src/cli/commands.ts';",
      ...(existsSync(new URL(`../${FLEET}`, import.meta.url)) ? [`export * from './${FLEET}';`] : []),
    ].join('\n'),
    resolveDir: root,
  },
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
const { fleetJsonSchema, keyTables, COMMANDS } = await import(`data:text/javascript;base64,${source}`);
const docs = new URL('../docs/lists/fleet-keys.md', import.meta.url);
const withTables = (page, tables) =>
  page.replace(/(<!-- keys: (\w+) -->\n)(?:\|.*\n)*/g, (_, mark, name) => `${mark}${tables[name]}\n`);
const render = (schema) => `${JSON.stringify(schema, null, 2)}\n`;
const schemas = new Map([
  ...(fleetJsonSchema === undefined ? [] : [['fleet.schema.json', render(fleetJsonSchema())]]),
  ...[...commandSchemas(COMMANDS.map(({ name }) => name))].map(([name, schema]) => [name, render(schema)]),
]);
const texts = [
  ...[...schemas].map(([name, text]) => [new URL(name, directory), text]),
  // Of commands that are gone.
  ...readdirSync(directory).flatMap((name) => (schemas.has(name) ? [] : [[new URL(name, directory)]])),
  ...(keyTables === undefined ? [] : [[docs, withTables(readFileSync(docs, 'utf8'), keyTables())]]),
];
for (const [file, text] of texts) {
  const current = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (current === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${fileURLToPath(file)} is not current: node scripts/generate-schema.mjs`);
    process.exitCode = 1;
  } else if (text === undefined) rmSync(file);
  else writeFileSync(file, text);
}
