import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/errors/catalogue.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import {
  CODES,
  OF_SAFETY,
  oddCodes,
  raisedCodes,
  unassertedCodes,
  WITH_REAL_SHELL,
} from '../../support/error-codes.ts';
import { renderErrorsDoc } from '../../support/errors-doc.ts';

const root = new URL('../../../', import.meta.url).pathname;
const DOC = `${root}docs/lists/errors.md`;

test('docs/lists/errors.md is what the catalogue says (UPDATE_DOCS=1 writes it anew)', () => {
  if (process.env.UPDATE_DOCS !== undefined) writeFileSync(DOC, renderErrorsDoc());
  expect(readFileSync(DOC, 'utf8')).toBe(renderErrorsDoc());
});

test('no code is there twice, and each has one sentence and one thing to do', () => {
  expect(oddCodes()).toEqual([]);
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

// test/support/exit-status.ts checks in every run inside a test that it exits with the status of its code.
test('every code is asserted in some test', () => {
  expect(unassertedCodes(root, CODES, /./)).toEqual([]);
});

test('those of safety are asserted where a real shell carries the change out, or on a host', () => {
  expect(unassertedCodes(root, OF_SAFETY, WITH_REAL_SHELL)).toEqual([]);
});

test('every code is raised by the source, and no other (types see to those in src/)', () => {
  expect(raisedCodes(root)).toEqual([...CODES].sort());
});
