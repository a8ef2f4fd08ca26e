/** schema/ and the commands: each has a schema that is made from its types, and every field of a document is listed in it. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { asksForDocument, requireDocument } from '../../support/json-documents.ts';

const root = new URL('../../../', import.meta.url);
const schemas = readdirSync(new URL('schema', root)).filter((name) => name !== 'fleet.schema.json');

test('schema/ is that of the code; if not: node scripts/generate-schema.mjs', () => {
  const check = process.env.UPDATE_DOCS === undefined ? ['--check'] : [];
  execFileSync(process.execPath, ['scripts/generate-schema.mjs', ...check], { cwd: root, stdio: 'pipe' });
});

test('every command has a schema, and no other has', () => {
  const names = COMMANDS.map(({ name }) => `${name.replaceAll(' ', '-')}.json`);
  expect(schemas.toSorted()).toEqual([...names, 'help.json'].toSorted());
});

test.each(schemas)('%s lists every field', (name) => {
  const open: string[] = [];
  const visit = (place: string, value: unknown) => {
    if (value === null || typeof value !== 'object') return;
    const { type, properties, additionalProperties } = value as Readonly<Record<string, unknown>>;
    if (type === 'object' && (properties === undefined || additionalProperties !== false)) open.push(place);
    for (const [key, part] of Object.entries(value)) visit(`${place}/${key}`, part);
  };
  visit('', JSON.parse(readFileSync(new URL(`schema/${name}`, root), 'utf8')));
  expect(open).toEqual([]);
});

test('a document with another field, without a field, or of another type, is refused', () => {
  const result = { host: 'a', name: 'b' };
  const document = { schema: 1, command: 'rename', ok: true, result };
  const check = (one: object) => requireDocument(JSON.stringify(one));
  check(document);
  for (const other of [
    { ...document, schema: 2 },
    { ...document, more: 1 },
    { ...document, result: { ...result, managed: [] } },
    { ...document, result: { host: 'a' } },
    { ...document, result: { ...result, dryRun: false } },
    { schema: 1, ok: true, result },
    { schema: 1, command: 'rename', ok: true },
  ])
    expect(() => check(other)).toThrow(expect.toSay('not-document-schema'));
  check({ schema: 1, command: 'help', ok: true, result: { text: '' } });
});

test('after -- the words are those of another program', () => {
  expect(asksForDocument(['status', '--json'])).toBe(true);
  expect(asksForDocument(['ssh', 'a', '--', 'x', '--json'])).toBe(false);
});
