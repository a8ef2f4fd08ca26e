import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_GROUPS, type ErrorCode } from '../../../src/errors/catalogue.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import { renderErrorsDoc } from '../../support/errors-doc.ts';

const DOC = new URL('../../../docs/lists/errors.md', import.meta.url);
const CODES = ERROR_GROUPS.flatMap(([, codes]) => Object.keys(codes)) as ErrorCode[];

test('docs/lists/errors.md is what the catalogue says (UPDATE_DOCS=1 writes it anew)', () => {
  if (process.env.UPDATE_DOCS !== undefined) writeFileSync(DOC, renderErrorsDoc());
  expect(readFileSync(DOC, 'utf8')).toBe(renderErrorsDoc());
});

test('no code is there twice, and each has one sentence and one thing to do', () => {
  expect(new Set(CODES).size).toBe(CODES.length);
  for (const [code, [, meaning, fix]] of ERROR_GROUPS.flatMap(([, codes]) => Object.entries(codes))) {
    expect(meaning, code).toMatch(/^[^.]+(\.json[^.]*)?(\.[a-z]+ [^.]*)?\.$/);
    expect(fix, code).not.toBe('');
  }
});

test.each<[ErrorCode, number, number]>([
  ['E_SSH_LOST', 4, 5],
  ['E_STORE_CHANGED', 4, 5],
  ['E_NO_ISSUER', 2, 5],
  ['E_VERIFY', 7, 7],
  ['E_ROLLBACK', 6, 6],
  ['E_STORE_HALF', 6, 6],
])('%s ends with %i, and with %i after a rollback', (code, before, after) => {
  const error = new DockerTlsError(code, 'no');
  expect([error.exit, error.afterRollback().exit, error.exit]).toEqual([before, after, before]);
  expect(error.afterRollback().at('build-1').hinting([]).exit).toBe(after);
});

/** Codes that tests below `directories` assert: in an expecting statement, or in a test's table. */
function assertedCodes(directories: RegExp): ReadonlySet<string> {
  const root = new URL('../../../test/', import.meta.url);
  const texts = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && directories.test(name) && !/error-catalogue|unit\/pool/.test(name))
    .map((name) => readFileSync(new URL(name, root), 'utf8'));
  const asserted = (text: string): string[] =>
    text
      .split(/;\n/)
      .filter((statement) => {
        const tables = [...statement.matchAll(/^ *(?:export )?const (\w+)\b/gm)].map(([, name]) => name);
        const used = tables.some((name) => new RegExp(`(?:\\.each|for) ?\\([^;]*\\b${name}\\b`).test(text));
        return used || /\bexpect\(|\.each\b/.test(statement);
      })
      .flatMap((statement) => statement.match(/\bE_[A-Z0-9_]+\b/g) ?? []);
  return new Set(texts.flatMap(asserted));
}

// test/support/exit-status.ts checks in every run inside a test that it exits with the status of its code.
test('every code is asserted in some test', () => {
  const asserted = assertedCodes(/./);
  expect(CODES.filter((code) => !asserted.has(code))).toEqual([]);
});

test('those of safety are asserted where a real shell carries the change out, or on a host', () => {
  const safety: readonly ErrorCode[] = ['E_HOST_CHANGED', 'E_ROLLBACK', 'E_STALE_CHANGE', 'E_NOT_CONFIRMED'];
  const asserted = assertedCodes(/(?:^|\/)(?:e2e|property)\//);
  expect(safety.filter((code) => !asserted.has(code))).toEqual([]);
});

test('every code is raised by the source, and no other (types see to those in src/)', () => {
  const root = new URL('../../../', import.meta.url);
  const sources = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('errors/codes'))
    .map((name) => readFileSync(new URL(`src/${name}`, root), 'utf8'));
  const bin = readFileSync(new URL('bin/docker-tls.js', root), 'utf8');
  const raised = new Set(sources.flatMap((text) => text.match(/(?<=')E_[A-Z0-9_]+(?=')/g) ?? []));
  for (const [, code = ''] of bin.matchAll(/error\[(E_\w+)\]/g)) raised.add(code);
  // Only in JSON: several failures at once.
  raised.delete('E_SEVERAL');
  expect([...raised].sort()).toEqual([...CODES].sort());
});
