// Writes schema/: the JSON Schema of fleet.yaml for editors (fleet.schema.json), and one for the --json document of each command; also the
// tables of keys in docs/lists/fleet-keys.md.
// Usage: node scripts/generate-schema.mjs [--check]: with --check it writes nothing and ends with 1 when a file is not current.
import { fileURLToPath } from 'node:url';
import { loadSource } from './bundle.mjs';
import { outdatedSchemas, schemaSources, write } from './schema-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const [file, text] of outdatedSchemas(root, await loadSource(root, ...schemaSources(root)))) {
  if (process.argv.includes('--check')) {
    console.error(`${file} is not current: node scripts/generate-schema.mjs`);
    process.exitCode = 1;
  } else write(file, text);
}
