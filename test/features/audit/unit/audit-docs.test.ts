import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Check, checkGroup } from '../../../../src/features/audit/domain/check.ts';
import { CHECKS, fixWords } from '../../../../src/features/audit/domain/evaluate.ts';
import { COMPOSE_CHECKS } from '../../../../src/features/audit/domain/files/compose.ts';
import { DOCKERFILE_CHECKS } from '../../../../src/features/audit/domain/files/dockerfile.ts';
import { ALL_FIXES } from '../../../../src/features/audit/domain/fixes.ts';
import { renderAuditDoc, renderChecksDoc } from '../support/checks-doc.ts';

const ALL: readonly Omit<Check, 'evaluate'>[] = [...CHECKS, ...COMPOSE_CHECKS, ...DOCKERFILE_CHECKS];

test.each([
  ['docs/lists/checks.md', renderChecksDoc],
  ['docs/audit.md', renderAuditDoc],
])('%s is what the checks say (UPDATE_DOCS=1 writes it anew)', (page, rendered) => {
  const file = new URL(`../../../../${page}`, import.meta.url);
  if (process.env.UPDATE_DOCS !== undefined) writeFileSync(file, rendered());
  expect(readFileSync(file, 'utf8')).toBe(rendered());
});

test('every check has an id of its own, a group, a why and a fix', () => {
  expect(new Set(ALL.map(({ id }) => id)).size).toBe(ALL.length);
  for (const { id, why, title, ...check } of ALL) {
    expect(checkGroup(id), id).not.toBe('Other');
    for (const text of [why, fixWords(check, 'HOST'), title]) expect(text.length, id).toBeGreaterThan(5);
  }
});

/** CIS Docker Benchmark 1.8: count of numbers in each section. */
test.each([
  ['1.1', 18],
  ['1.2', 2],
  ['2', 19],
  ['3', 24],
  ['4', 12],
  ['5', 32],
  ['6', 2],
  ['7', 9],
])('section %s is there as a whole', (section, count) => {
  const wanted = Array.from({ length: count }, (_, index) => `${section}.${index + 1}`);
  const ids = CHECKS.map(({ id }) => id).filter((id) => id.startsWith(`${section}.`));
  expect(new Set(ids)).toEqual(new Set(wanted));
});

test('every fix fixes something, and every fixable check has its fix', () => {
  expect(new Set(ALL.flatMap(({ fixable }) => fixable ?? []))).toEqual(new Set(ALL_FIXES.map(({ name }) => name)));
});
