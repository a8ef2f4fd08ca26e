/** Golden verdicts: facts recorded on real hosts, and what every check says of them, as a table that people can read and review. */

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CHECKS, type CheckResult, evaluate } from '../../src/audit/evaluate.ts';
import { parseAuditFacts } from '../../src/audit/facts.ts';
import { RECORDED, recordedBytes } from '../support/audit-facts.ts';
import { CASES, verdictOfCase } from './audit/cases.ts';

const TABLE = new URL('./audit/verdicts.txt', import.meta.url);

/** `ok`, `-` not applicable, `?` needs a person, or the severity of the finding. */
function word({ state, manual, severity, reason }: CheckResult): string {
  if (state === 'pass') return 'ok';
  if (state === 'finding') return severity;
  return manual && reason?.startsWith('needs a person') === true ? '?' : '-';
}

function renderVerdicts(): string {
  const columns = RECORDED.map(
    (name) => new Map(evaluate(parseAuditFacts(recordedBytes(name))).map((result) => [result.id, word(result)])),
  );
  const head = ['check'.padEnd(12), ...RECORDED.map((name) => name.padEnd(15))].join(' ').trimEnd();
  const rows = CHECKS.map(({ id }) =>
    [id.padEnd(12), ...columns.map((column) => (column.get(id) ?? '').padEnd(15))].join(' ').trimEnd(),
  );
  return `${[head, ...rows].join('\n')}\n`;
}

describe('verdicts on recorded hosts', () => {
  test('are those of the golden table (UPDATE_GOLDEN=1 writes it anew: review the difference)', () => {
    const verdicts = renderVerdicts();
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(TABLE, verdicts);
    expect(verdicts).toBe(readFileSync(TABLE, 'utf8'));
  });

  test('every check that can pass and fail is seen doing both, on recorded hosts or in the cases', () => {
    const seen = new Map<string, Set<string>>(CHECKS.map(({ id }) => [id, new Set<string>()]));
    for (const name of RECORDED) {
      for (const { id, state } of evaluate(parseAuditFacts(recordedBytes(name)))) seen.get(id)?.add(state);
    }
    for (const one of CASES) seen.get(one.check)?.add(verdictOfCase(one).state);
    const missing = CHECKS.filter(({ manual }) => manual !== true).flatMap(({ id }) =>
      ['pass', 'finding'].filter((state) => seen.get(id)?.has(state) !== true).map((state) => `${id}: ${state}`),
    );
    expect(missing).toEqual([]);
  });

  test('a check that needs a person never says finding, and always says what to ask', () => {
    for (const name of RECORDED) {
      for (const result of evaluate(parseAuditFacts(recordedBytes(name))).filter(({ manual }) => manual)) {
        expect(result.state, result.id).not.toBe('finding');
        if (result.state === 'not-applicable')
          expect(result.reason, result.id).toMatch(/^needs a person: .*\?|off$|^no |^there are no |worker/);
      }
    }
  });
});

describe('verdicts on what the lab cannot show', () => {
  test.each(CASES.map((one) => [one.check, one.name, one] as const))('%s: %s', (_id, _name, one) => {
    const { state, severity, evidence, reason } = verdictOfCase(one);
    expect({ state, text: `${reason ?? ''}${evidence.map(({ text }) => text).join('; ')}` }).toEqual({
      state: one.state,
      text: one.says === undefined ? expect.anything() : expect.stringContaining(one.says),
    });
    if (one.severity !== undefined) expect(severity).toBe(one.severity);
  });
});
