/** The threat model in docs/team.md and the attacks that are played: each row names its own, and no attack is missing. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ATTACKERS } from '../support/attacks/attack.ts';
import { ATTACKS } from '../support/attacks/run.ts';

const docs = readFileSync(new URL('../../../../docs/team.md', import.meta.url), 'utf8');
const section = docs.split('\n## ').find((text) => text.startsWith('Threat model\n')) ?? '';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()));
const namedIn = (row: readonly string[]) => [...(row.at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name);

test('each row names attacks that are played', () => {
  const known = ATTACKS.map(({ name }) => name);
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) {
    expect(namedIn(row), row.join(' | ')).not.toEqual([]);
    expect(known, row.join(' | ')).toEqual(expect.arrayContaining(namedIn(row)));
  }
});

test('each attack has its row, and its name once', () => {
  expect(rows.flatMap(namedIn).sort()).toEqual(ATTACKS.map(({ name }) => name).sort());
});

test('each attacker attacks, and there are at least 40 attacks', () => {
  expect([...new Set(ATTACKS.map(({ who }) => who))].sort()).toEqual([...ATTACKERS].sort());
  expect(ATTACKS.length).toBeGreaterThan(40);
});
