/**
 * Misconfigured hosts and containers beside clean twins, recorded on a lab host (test/features/audit/golden/corpus): what is found, missed
 * and falsely reported.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Section } from '../../../../src/core/domain/dockerd/sections.ts';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { evaluate } from '../../../../src/features/audit/domain/evaluate.ts';
import { printSections, sectionsOf } from '../../../support/sections.ts';
import { CONTAINERS } from '../golden/corpus/containers.ts';
import { HOSTS } from '../golden/corpus/hosts.ts';
import { madeContainers, madeHosts } from '../golden/corpus/made.ts';

const directory = new URL('../golden/corpus/', import.meta.url);
const BASE = sectionsOf('audit', readFileSync(new URL('base.facts', directory)));
const read = (name: string) => JSON.parse(readFileSync(new URL(name, directory), 'utf8'));

/** Findings of a host, each piece of evidence by itself. */
function findings(sections: readonly Section[]): ReadonlySet<string> {
  const results = evaluate(parseAuditFacts(printSections('audit', sections)));
  return new Set(
    results.flatMap(({ id, state, evidence }) =>
      state === 'finding' ? evidence.map(({ place, text }) => `${id} ${place}: ${text}`) : [],
    ),
  );
}

function changed(changes: Readonly<Record<string, string | null>>): readonly Section[] {
  const kept = BASE.filter(({ name }) => !(name in changes));
  const added = Object.entries(changes).flatMap(([name, content]): readonly Section[] =>
    content === null ? [] : [{ name, content: Buffer.from(content) }],
  );
  // In front: the last section ends the answer.
  return [...added, ...kept];
}

type Recorded = {
  readonly check: string;
  /** Hash of the commands that made it. */
  readonly made: string;
  readonly bad: Readonly<Record<string, string | null>>;
  readonly clean: Readonly<Record<string, string | null>>;
};

describe('hosts', () => {
  const recorded: readonly Recorded[] = read('hosts.json');
  const base = findings(BASE);
  const rows = HOSTS.map(([check, bad], index) => [check, bad, recorded[index] as Recorded] as const);

  test('60 misconfigurations, each of them recorded', () => {
    expect(HOSTS.length).toBeGreaterThanOrEqual(60);
    expect(recorded.map(({ check }) => check)).toEqual(HOSTS.map(([check]) => check));
    // Changed commands need a new recording: node test/features/audit/golden/corpus/record.mjs hosts
    expect(recorded.map(({ made }) => made)).toEqual(madeHosts());
  });

  test.each(rows)('%s: %s is found', (check, _bad, { bad, clean }) => {
    const of = (changes: Recorded['bad']) =>
      [...findings(changed(changes))].filter((one) => one.startsWith(`${check} `));
    expect(of(bad)).not.toEqual([]);
    expect(of(bad)).not.toEqual(of(clean));
  });

  test.each(rows)('%s: nothing is wrong with the twin of: %s', (check, _bad, { clean }) => {
    const found = findings(changed(clean));
    // The users of the lab have sudo without a password.
    const there = (one: string) => base.has(one) && (one.startsWith('host.13 ') || !one.startsWith(`${check} `));
    expect([...found].filter((one) => !there(one))).toEqual([]);
  });
});

describe('containers', () => {
  const { made, ...answers }: Readonly<Record<string, unknown>> = read('containers.json');
  const sections = [
    ...Object.entries(answers).map(([path, value]) => ({
      ...{ name: `api 200 ${path}`, content: Buffer.from(JSON.stringify(value)) },
    })),
    ...BASE.filter(({ name }) => !(name.replace(/^api 200 (http:\/\/docker)?/, '') in answers)),
  ];
  const found = [...findings(sections)];
  const of = (index: number, twin: 'bad' | 'clean') =>
    found.filter((one) => one.includes(` container c${index}-${twin}: `));

  test('40 misconfigurations, each of them recorded', () => {
    expect(CONTAINERS.length).toBeGreaterThanOrEqual(40);
    expect(Object.keys(answers).filter((path) => path.startsWith('/containers/')).length).toBe(
      2 * CONTAINERS.length + 1,
    );
    expect(made).toEqual(madeContainers());
  });

  const rows = CONTAINERS.map(([check, bad, clean], index) => [check, bad, clean, index] as const);
  test.each(rows)('%s: %s is found, and nothing is wrong with %s', (check, _bad, _clean, index) => {
    expect(of(index, 'bad').filter((one) => one.startsWith(`${check} `))).not.toEqual([]);
    // The lab's kernel has no limits.
    expect(of(index, 'clean').filter((one) => !/^(5\.11|5\.12|5\.29) /.test(one))).toEqual([]);
  });
});
