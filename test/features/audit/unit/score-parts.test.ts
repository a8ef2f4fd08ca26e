/** The two parts of a score: what can be fixed now, and what waits for a package. */

import { expect, test } from 'vitest';
import { scoresOf, scoreTable } from '../../../../src/features/audit/commands/harden-report.ts';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { evaluate } from '../../../../src/features/audit/domain/evaluate.ts';
import { renderHtml } from '../../../../src/features/audit/domain/report/html.ts';
import { auditHost, reportHead } from '../../../../src/features/audit/domain/report/report.ts';
import { renderAuditTable } from '../../../../src/features/audit/domain/report/report-table.ts';
import { score } from '../../../../src/features/audit/domain/score.ts';
import { sectionsOf } from '../../../support/sections.ts';
import { altered, type RecordedName, recordedBytes } from '../support/audit-facts.ts';

const DAY_S = 86_400;

/** A recorded host whose apt fetched its index this many days before. */
function indexed(name: RecordedName, days: number, sections: Record<string, string> = {}) {
  // The lab's apt knows no source of its packages: here each is the newest of its source.
  const installed = sectionsOf('audit', recordedBytes(name)).find((section) => section.name === 'packages-deb');
  const known = { 'packages-candidates': `${installed?.content}\n`, ...sections };
  const clock = parseAuditFacts(recordedBytes(name)).clock.getTime() / 1000;
  return altered(name, { sections: { 'packages-index': `${clock - days * DAY_S}\n`, ...known } });
}

const scoreOf = (name: RecordedName, days = 1, sections: Record<string, string> = {}) =>
  score(evaluate(indexed(name, days, sections)));

test.each([
  ['bookworm', 96, 54, 8],
  ['trixie', 96, 54, 8],
  ['sid', 96, 54, 8],
] as const)('a hardened, a fresh and a hostile host of %s: %i, %i and %i', (suite, ...figures) => {
  const values = (['harden', 'fresh', 'bad'] as const).map((state) => scoreOf(`${state}-${suite}`).value ?? 0);
  expect(values).toEqual(figures);
  const [hardened = 0, fresh = 0, hostile = 0] = values;
  expect(Math.min(hardened - fresh, fresh - hostile)).toBeGreaterThanOrEqual(30);
});

test('vulnerabilities without a newer package are counted apart, and hold nothing down', () => {
  expect(scoreOf('harden-trixie')).toMatchObject({
    findings: { high: 2, medium: 7 },
    fixableNow: { high: 0, medium: 5 },
    waiting: { critical: 0, high: 2, medium: 2 },
    awaited: ['docker.io', 'containerd', 'runc'],
  });
});

/** The installed packages of harden-trixie as candidates, with what apt says of each. */
const candidates = (word: string) => ({
  'packages-candidates': `containerd 1.7.24~ds1-6+deb13u1${word}\ndocker.io 26.1.5+dfsg1-9+deb13u1+b1${word}\nrunc 1.1.15+ds1-2+b4${word}\n`,
});

test.each([
  ['the host has no package index', undefined, {}],
  ['no source has the packages', 1, candidates(' gone')],
  ['a pin keeps newer packages back', 1, candidates(' newer')],
  ['the clock of the host was ahead when its index was fetched', -3, {}],
  ['the index is older than two weeks', 15, {}],
  ['the index has a newer version', 1, { 'packages-candidates': 'docker.io 29.3.1-1\nrunc 1.4.3-1\n' }],
] as const)('they can be fixed now if %s', (_name, days, sections) => {
  const found =
    days === undefined
      ? score(evaluate(parseAuditFacts(recordedBytes('harden-trixie'))))
      : scoreOf('harden-trixie', days, sections);
  expect(found.value).toBeLessThan(60);
  expect(found).toMatchObject({ fixableNow: { high: 2 }, waiting: { high: 0 }, awaited: [] });
});

test('they wait if a source has no newer package, by the clock of this computer', () => {
  expect(scoreOf('harden-trixie', 1, candidates('')).awaited).toEqual(['docker.io', 'containerd', 'runc']);
  const facts = indexed('harden-trixie', 1);
  const later = new Date(facts.clock.getTime() + 20 * DAY_S * 1000);
  const behind = evaluate(facts, { now: later }).filter(({ waits }) => waits !== undefined);
  expect(behind).toEqual([]);
});

test('and if the newer version is installed, and the older one still runs', () => {
  const version = '9:29.9.9-1';
  const facts = indexed('harden-trixie', 1, {
    'packages-deb': `docker.io ${version}\n`,
    'packages-candidates': `docker.io ${version}\n`,
  });
  const engine = evaluate(facts).find(({ id }) => id === 'vuln.engine');
  expect([engine?.state, engine?.waits]).toEqual(['finding', undefined]);
});

test('terminal and page show both parts; harden shows them before and after', () => {
  const [before, after] = [indexed('setup-trixie', 1), indexed('harden-trixie', 1)].map((facts) =>
    auditHost('web', facts),
  );
  if (before === undefined || after === undefined) throw new Error('two hosts');
  const report = { ...reportHead(new Date('2026-11-30T10:00:00Z'), '0', '1.8'), subjects: [after] };
  const text = renderAuditTable(report, { columns: 160 });
  expect(text).toSay('fixable-now-medium-low', '5');
  expect(text).toSay('package-index-no-newer', '2');
  expect(renderHtml(report)).toSay('waits-package-high-medium', '2');
  const table = scoreTable(scoresOf([before], [after]), 160);
  expect(table).toMatch(/^SCORE +BEFORE +AFTER$/m);
  expect(table).toMatch(/^web +54 of 100 \(D\) +96 of 100 \(A\)$/m);
  expect(table).toMatch(/^ {2}fixable now +1 high, .* {2,}5 medium/m);
  expect(table).toSay('waits-package-high-medium-high', '2');
  const lost = { kind: 'unreachable' as const, name: 'web', error: 'no answer' };
  expect(scoreTable(scoresOf([before], [lost]), 160)).toSay('not-audited', 'web', '54', '100');
});
