/** Golden verdicts: facts recorded on real hosts, and every check's verdict, as a table for review. */

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { CHECKS, type CheckResult, evaluate } from '../../../../src/features/audit/domain/evaluate.ts';
import { altered, RECORDED, recordedBytes } from '../support/audit-facts.ts';
import { CASES, verdictOfCase } from './audit/cases.ts';

const TABLE = new URL('./audit/verdicts.txt', import.meta.url);

/** `ok`, `-` not applicable, `?` needs a person, or the severity of the finding. */
function word({ state, severity, question }: CheckResult): string {
  if (state === 'pass') return 'ok';
  if (state === 'finding') return severity;
  return question === undefined ? '-' : '?';
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
    // Past runs are only in the audit log: if no docker exec --privileged is running, a person must check.
    expect(missing).toEqual(['5.23: pass']);
  });

  test('a check that needs a person never says finding, and always says what to ask', () => {
    for (const name of RECORDED) {
      for (const result of evaluate(parseAuditFacts(recordedBytes(name))).filter(({ manual }) => manual)) {
        expect(result.state, result.id).not.toBe('finding');
        if (result.state === 'not-applicable')
          expect(result.reason, result.id).toMatch(
            /^needs a person: .*\?|off$|^no |^there are no |worker|does not say$/,
          );
      }
    }
  });
});

describe('verdicts on what the lab cannot show', () => {
  // The journal may have it: systemd-journald-audit.socket.
  test('a log that was not looked for is not said to be missing', () => {
    const one = CASES.find(({ name }) => name === 'auditd does not run');
    expect(one && verdictOfCase(one).evidence[0]?.text).toSay('auditd-does-not-run');
  });

  test.each(CASES.map((one) => [one.check, one.name, one] as const))('%s: %s', (_id, _name, one) => {
    const { state, severity, evidence, reason } = verdictOfCase(one);
    expect({ state, text: `${reason ?? ''}${evidence.map(({ text }) => text).join('; ')}` }).toEqual({
      state: one.state,
      text: one.says === undefined ? expect.anything() : expect.stringContaining(one.says),
    });
    if (one.severity !== undefined) expect(severity).toBe(one.severity);
  });
});

describe('what harden leaves, and why', () => {
  const result = (sections: Record<string, string>, id: string) =>
    evaluate(altered('fresh-trixie', { sections })).find((one) => one.id === id);

  test("root's login, while the audit itself logs in as root", () => {
    const byKey = { 'sshd 0': 'permitrootlogin without-password' };
    const asRoot = result({ ...byKey, operator: 'root' }, 'ssh.2');
    expect([asRoot?.state, asRoot?.fixable]).toEqual(['finding', undefined]);
    expect(asRoot?.fix).toSay('harden-leaves-not-login', 'docker-tls setup USER@HOST');
    expect(result({ ...byKey, operator: 'ops' }, 'ssh.2')?.fixable).toBe('sshd-root');
    expect(result({ 'sshd 0': 'permitrootlogin yes', operator: 'root' }, 'ssh.2')?.fixable).toBe('sshd-root');
  });

  test('what is in a Match block', () => {
    const sections = {
      'sshd 0': 'passwordauthentication no',
      'sshd-match': 'Match User *\nPasswordAuthentication yes',
    };
    expect(result(sections, 'ssh.6')?.fixable).toBeUndefined();
    expect(result(sections, 'ssh.6')?.fix).toSay('match-block');
  });

  test('a default bridge that stays open until it is made anew', () => {
    const icc = (config: string) => evaluate(altered('fresh-trixie', { config })).find(({ id }) => id === '2.2');
    expect(icc('{}')?.fixable).toBe('icc');
    expect(icc('{"icc": false}')?.fixable).toBeUndefined();
    expect(icc('{"icc": false}')?.fix).toSay('icc-false-already-first');
  });
});
