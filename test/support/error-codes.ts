/** Error codes in the sources and tests of the repository in `root`, compared with the catalogue. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_GROUPS, type ErrorCode } from '../../src/errors/catalogue.ts';

export const CODES = ERROR_GROUPS.flatMap(([, codes]) => Object.keys(codes)) as ErrorCode[];

/** Codes that are there twice, have more or less than one sentence, or nothing to do. */
export function oddCodes(): string[] {
  const twice = CODES.filter((code, index) => CODES.indexOf(code) !== index);
  const odd = ERROR_GROUPS.flatMap(([, codes]) => Object.entries(codes)).filter(
    ([, [, meaning, fix]]) => !/^[^.]+(\.json[^.]*)?(\.[a-z]+ [^.]*)?\.$/.test(meaning) || fix === '',
  );
  return [...twice, ...odd.map(([code]) => code)];
}

function textsBelow(root: string, directory: string, wanted: (name: string) => boolean): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter(wanted)
    .map((name) => readFileSync(join(root, directory, name), 'utf8'));
}

/** Codes that a test asserts: in an expecting statement, or in a table of it. */
function assertedIn(text: string): string[] {
  return text
    .split(/;\n/)
    .filter((statement) => {
      const tables = [...statement.matchAll(/^ *(?:export )?const (\w+)\b/gm)].map(([, name]) => name);
      const used = tables.some((name) => new RegExp(`(?:\\.each|for) ?\\([^;]*\\b${name}\\b`).test(text));
      return used || /\bexpect\(|\.each\b/.test(statement);
    })
    .flatMap((statement) => statement.match(/\bE_[A-Z0-9_]+\b/g) ?? []);
}

/** Those of `codes` that no test below `directories` asserts. */
export function unassertedCodes(root: string, codes: readonly ErrorCode[], directories: RegExp): ErrorCode[] {
  const isTest = (name: string) =>
    name.endsWith('.test.ts') && directories.test(name) && !/error-catalogue|unit\/pool/.test(name);
  const asserted = new Set(textsBelow(root, 'test', isTest).flatMap(assertedIn));
  return codes.filter((code) => !asserted.has(code));
}

/** Those that the sources raise. */
export function raisedCodes(root: string): string[] {
  const sources = textsBelow(root, 'src', (name) => name.endsWith('.ts') && !name.startsWith('errors/codes'));
  const bin = readFileSync(join(root, 'bin/docker-tls.js'), 'utf8');
  const raised = new Set(sources.flatMap((text) => text.match(/(?<=')E_[A-Z0-9_]+(?=')/g) ?? []));
  for (const [, code = ''] of bin.matchAll(/error\[(E_\w+)\]/g)) raised.add(code);
  // Only in JSON: several failures at once.
  raised.delete('E_SEVERAL');
  return [...raised].sort();
}

/** Those of safety: a real shell carries the change out, or a host. */
export const OF_SAFETY: readonly ErrorCode[] = ['E_HOST_CHANGED', 'E_ROLLBACK', 'E_STALE_CHANGE', 'E_NOT_CONFIRMED'];
export const WITH_REAL_SHELL = /(?:^|\/)(?:e2e|property)\//;
