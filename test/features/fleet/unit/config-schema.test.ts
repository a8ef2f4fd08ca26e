import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nearestNames } from '../../../../src/core/domain/nearest.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';
import { resolveFleetPaths } from '../../../../src/features/fleet/domain/fleet-paths.ts';
import { fleetJsonSchema, keyTables } from '../../../../src/features/fleet/domain/json-schema.ts';
import { knownKeys } from '../../../../src/features/fleet/domain/schema.ts';
import { checkSecretReference } from '../../../../src/formats/secret-reference.ts';

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

test('the committed JSON Schema is that of the code; if not: node scripts/generate-schema.mjs', () => {
  expect(JSON.parse(read('schema/fleet.schema.json'))).toEqual(JSON.parse(JSON.stringify(fleetJsonSchema())));
});

test('every key has words for editors', () => {
  const text = JSON.stringify(fleetJsonSchema());
  const undescribed: string[] = [];
  const visit = (at: string, schema: Record<string, unknown>) => {
    for (const [key, value] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
      if (typeof value.description !== 'string') undescribed.push(`${at}.${key}`);
      visit(`${at}.${key}`, value);
    }
    for (const branch of (schema.anyOf ?? []) as Record<string, unknown>[]) visit(at, branch);
    if (typeof schema.additionalProperties === 'object')
      visit(`${at}.*`, schema.additionalProperties as Record<string, unknown>);
  };
  visit('', JSON.parse(text));
  expect(undescribed).toEqual([]);
});

test('the tables of keys in docs/lists/fleet-keys.md are those of the code; if not: node scripts/generate-schema.mjs', () => {
  const page = read('docs/lists/fleet-keys.md');
  for (const [name, table] of Object.entries(keyTables())) expect(page).toContain(`<!-- keys: ${name} -->\n${table}\n`);
  for (const key of knownKeys([])) expect(page).toContain(`| \`${key}\` |`);
});

test('the fleet files in the docs are fleet files', () => {
  const pages = readdirSync(new URL('../../../../docs', import.meta.url))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  const blocks = pages.flatMap((page) =>
    [...read(page).matchAll(/```yaml\n([^`]*?^version: 1[^`]*?)```/gm)].map(([, block = '']) => ({ page, block })),
  );
  expect(new Set(blocks.map(({ page }) => page))).toContain('docs/fleet.md');
  for (const { page, block } of blocks) expect(parseFleet(block, page).hosts.length).toBeGreaterThan(0);
});

test('file names are relative to the fleet file, or to the home', () => {
  const text = `version: 1
ca: { passphrase: "file:ca.pass" }
defaults: { sudo-password: "file:~/sudo" }
hosts:
  a: { ssh: { identities: [keys/a, ~/.ssh/b, /c, ../ssh] } }
  b: { sudo-password: env:SUDO }
`;
  const fleet = resolveFleetPaths(parseFleet(text, '/srv/fleet/fleet.yaml'), '/home/ada');
  expect(fleet.hosts[0]?.ssh).toEqual({
    destination: 'a',
    identities: ['/srv/fleet/keys/a', '/home/ada/.ssh/b', '/c', '/srv/ssh'],
  });
  expect(fleet.hosts[1]?.ssh).toEqual({ destination: 'b' });
  expect(fleet.secrets).toEqual({
    caPassphrase: 'file:/srv/fleet/ca.pass',
    sudoDefault: 'file:/home/ada/sudo',
    sudoPassword: { a: 'file:/home/ada/sudo', b: 'env:SUDO' },
  });
});

test.each(['env:SUDO_PASSWORD', 'file:/run/secrets/sudo', 'file:a b', 'prompt'])('%s names a secret', (text) => {
  expect(() => checkSecretReference(text)).not.toThrow();
});

test.each([
  '',
  'hunter2',
  'env:',
  'env:1A',
  'env:A-B',
  'env:A B',
  'file:',
  'file:a\nb',
  'Prompt',
  ' prompt',
  'pass:hunter2',
])('%j names none, and is not repeated', (text) => {
  let thrown: unknown;
  try {
    checkSecretReference(text);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DockerTlsError);
  const error = thrown as DockerTlsError;
  expect(error.code).toBe('E_SECRET_REFERENCE');
  expect(error.exit).toBe(2);
  expect([error.message, ...error.hints, ...error.details].join('\n')).not.toContain('hunter2');
});

test('the nearest word is the one that was meant', () => {
  expect(nearestNames('hsots', ['hosts', 'clients'])).toEqual(['hosts']);
  expect(nearestNames('transprot', ['transport', 'port'])).toEqual(['transport']);
  expect(nearestNames('con', ['confirm-within', 'containers', 'keep'])).toEqual(['confirm-within', 'containers']);
  expect(nearestNames('zzz', ['hosts'])).toEqual([]);
});
