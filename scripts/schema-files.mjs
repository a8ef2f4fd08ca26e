/** The files that are made from types and settings: schema/ and docs/lists/fleet-keys.md. */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandSchemas } from './command-schemas.mjs';

/** The fleet file's schema is of a feature. */
const FLEET = 'src/features/fleet/domain/json-schema.ts';

/** What they are made from in the repository in `root`, besides the types. */
export const schemaSources = (root) => [
  'src/features.ts',
  'src/cli/commands.ts',
  ...(existsSync(join(root, FLEET)) ? [FLEET] : []),
];

const render = (schema) => `${JSON.stringify(schema, null, 2)}\n`;

/** Those of the repository in `root` that are not current, by path, with their text; undefined for one that has to go. */
export function outdatedSchemas(root, { fleetJsonSchema, keyTables, COMMANDS }) {
  const directory = join(root, 'schema');
  const docs = join(root, 'docs/lists/fleet-keys.md');
  const withTables = (page, tables) =>
    page.replace(/(<!-- keys: (\w+) -->\n)(?:\|.*\n)*/g, (_, mark, name) => `${mark}${tables[name]}\n`);
  const schemas = new Map([
    ...(fleetJsonSchema === undefined ? [] : [['fleet.schema.json', render(fleetJsonSchema())]]),
    ...[...commandSchemas(root, COMMANDS)].map(([name, schema]) => [name, render(schema)]),
  ]);
  const texts = [
    ...[...schemas].map(([name, text]) => [join(directory, name), text]),
    // Of commands that are gone.
    ...readdirSync(directory).flatMap((name) => (schemas.has(name) ? [] : [[join(directory, name)]])),
    ...(keyTables === undefined ? [] : [[docs, withTables(readFileSync(docs, 'utf8'), keyTables())]]),
  ];
  return texts.filter(([file, text]) => text !== (existsSync(file) ? readFileSync(file, 'utf8') : undefined));
}

export function write(file, text) {
  if (text === undefined) rmSync(file);
  else writeFileSync(file, text);
}
