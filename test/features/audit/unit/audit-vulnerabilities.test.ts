/** Known vulnerabilities: the table, and the verdict on installed versions. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { applyBaseline } from '../../../../src/features/audit/domain/baseline.ts';
import { SEVERITIES } from '../../../../src/features/audit/domain/check.ts';
import { evaluate } from '../../../../src/features/audit/domain/evaluate.ts';
import { fails } from '../../../../src/features/audit/domain/score.ts';
import { compareVersions, parseVersion } from '../../../../src/features/audit/domain/software.ts';
import { assess } from '../../../../src/features/audit/domain/vulnerabilities.ts';
import {
  BUILT_IN,
  COMPONENTS,
  type Component,
  parseVulnerabilities,
} from '../../../../src/features/audit/domain/vulnerability-table.ts';
import { type Alteration, altered, merge, type RecordedName, recordedBytes } from '../support/audit-facts.ts';

describe('the table', () => {
  test('has the day of its sources', () => {
    expect(BUILT_IN.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(Date.parse(BUILT_IN.date)).toBeLessThan(Date.now());
  });

  test('has every entry once, rated, with ranges that hold something and a source', () => {
    expect(new Set(BUILT_IN.entries.map(({ id }) => id)).size).toBe(BUILT_IN.entries.length);
    for (const { id, component, affected, engine, severity, summary, source } of BUILT_IN.entries) {
      expect(id).toMatch(/^(CVE-\d{4}-\d{4,}|GHSA(-[0-9a-z]{4}){3})$/);
      expect(COMPONENTS, id).toContain(component);
      expect(SEVERITIES, `${id}: rate it`).toContain(severity);
      expect(summary.length, id).toBeGreaterThan(10);
      expect(source, id).toMatch(/^(GO-\d{4}-\d+|https:\/\/\S+)$/);
      expect(engine !== undefined, `${id}: versions of the engine`).toBe(component === 'buildkit');
      for (const [from, to] of [...(engine ?? affected)])
        expect(
          compareVersions(parseVersion(from) ?? [], parseVersion(to) ?? []),
          `${id}: ${from} to ${to}`,
        ).toBeLessThan(0);
    }
  });
});

test.each([
  ['5:29.0.1-1~debian.12~bookworm', '29.0.1'],
  ['20.10.24+dfsg1-1+deb12u1+b6', '20.10.24'],
  ['1.7.24~ds1-6+deb13u1', '1.7.24'],
  ['v1.7.27', '1.7.27'],
  ['1.0.0~rc93+ds1-5', '1.0.0-rc93'],
  ['1.4.0-rc.1', '1.4.0-rc1'],
])('%s is %s', (text, upstream) => {
  expect(parseVersion(text)).toEqual(parseVersion(upstream));
});

test('a candidate comes before its release, and rc9 before rc10', () => {
  const order = ['1.0.0-beta.2', '1.0.0-rc9', '1.0.0-rc10', '1.0.0', '1.0.1'];
  expect([...order].reverse().sort((a, b) => compareVersions(parseVersion(a) ?? [], parseVersion(b) ?? []))).toEqual(
    order,
  );
});

/** Open IDs by component. */
function openIn(name: RecordedName, alteration: Alteration = {}): Partial<Record<Component, readonly string[]>> {
  const facts = altered(name, alteration);
  return Object.fromEntries(
    COMPONENTS.flatMap((component) => {
      const found = assess(facts, component);
      return found === undefined ? [] : [[component, found.open.map(({ vulnerability: { id } }) => id).sort()]];
    }),
  );
}

describe('exactly what is open in the packages of', () => {
  test('bookworm: docker.io 20.10.24, containerd 1.6.20, runc 1.1.5', () => {
    expect(openIn('fresh-bookworm')).toEqual({
      engine: [
        'CVE-2024-24557',
        'CVE-2024-29018',
        'CVE-2024-36621',
        'CVE-2024-36623',
        'CVE-2026-33997',
        'CVE-2026-41567',
        'CVE-2026-41568',
        'CVE-2026-42306',
      ],
      buildkit: [
        'CVE-2024-23650',
        'CVE-2024-23651',
        'CVE-2024-23652',
        'CVE-2024-23653',
        'CVE-2026-33747',
        'CVE-2026-33748',
      ],
      containerd: ['CVE-2026-53493', 'CVE-2026-53495'],
      runc: ['CVE-2024-45310', 'CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881', 'CVE-2026-41579'],
      cli: [],
    });
  });

  test('trixie: docker.io 26.1.5, containerd 1.7.24, runc 1.1.15', () => {
    expect(openIn('fresh-trixie')).toEqual({
      engine: ['CVE-2026-41567'],
      buildkit: [],
      containerd: ['CVE-2026-47262', 'CVE-2026-53488', 'CVE-2026-53493', 'CVE-2026-53495'],
      runc: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881', 'CVE-2026-41579'],
      cli: [],
    });
  });

  test('sid: docker.io 28.5.2, containerd 2.1.9, runc 1.3.6', () => {
    expect(openIn('fresh-sid')).toEqual({
      engine: [],
      buildkit: [],
      containerd: ['CVE-2026-46680'],
      runc: [],
      cli: [],
    });
  });
});

const runc = (name: RecordedName, alteration: Alteration) =>
  evaluate(altered(name, alteration)).find(({ id }) => id === 'vuln.runc');

describe('who is believed', () => {
  test("the package's changelog: what it names is fixed, whatever the version", () => {
    const named = 'CVE-2025-31133\nCVE-2025-52565\nCVE-2025-52881\nCVE-2026-41579\n';
    expect(runc('fresh-trixie', { sections: { 'changelog runc': named } })?.state).toBe('pass');
  });

  test("none, where a distribution's package has none: cannot tell, and no finding", () => {
    const verdict = runc('fresh-trixie', { sections: { 'changelog runc': undefined } });
    expect([verdict?.state, verdict?.unseen]).toEqual(['not-applicable', undefined]);
    expect(verdict?.reason).toSay('cannot-tell-runc-range', '1.1.15+ds1', '4');
    expect(verdict?.evidence.map(({ place }) => place)).toContain('CVE-2025-31133');
  });

  test('not a changelog of which the years in question were removed', () => {
    const verdict = runc('fresh-trixie', { sections: { 'changelog runc': 'CVE-2026-41579\nsince 2026\n' } });
    expect([verdict?.state, verdict?.evidence.length]).toEqual(['not-applicable', 3]);
    // Removed entries may be from the year of the oldest remaining one.
    const same = runc('fresh-trixie', { sections: { 'changelog runc': 'since 2025\n' } });
    expect(same?.evidence.map(({ place }) => place)).toEqual(['CVE-2026-41579']);
  });

  test("the package's version, where the daemon calls itself dev; nothing, where there is neither", () => {
    const dev = (packages: string) =>
      altered('fresh-trixie', {
        sections: { 'packages-deb': packages },
        api: { '/version': merge({ Version: 'dev' }), '/info': merge({ ServerVersion: 'dev' }) },
      });
    expect(assess(dev('docker-ce 5:26.1.5-1\n'), 'engine')?.open.length).toBeGreaterThan(0);
    const verdict = evaluate(dev('')).find(({ id }) => id === 'vuln.engine');
    expect([verdict?.state, verdict?.reason]).toEqual(['not-applicable', expect.toSay('tell-does-not-say')]);
  });

  test('the version, of a package made upstream, and of a program that no package brought', () => {
    const packages = (text: string) => ({ sections: { 'packages-deb': text, 'changelog containerd': undefined } });
    const upstream = openIn('fresh-trixie', packages('containerd.io 1.7.24-1\ndocker-ce 5:26.1.5-1\n'));
    expect(upstream.runc).toContain('CVE-2025-31133');
    expect(upstream.containerd).toContain('CVE-2025-64329');
    expect(upstream.engine).toContain('CVE-2026-42306');
    expect(openIn('fresh-trixie', packages('')).engine).toContain('CVE-2026-42306');
  });

  test('not even the version, where there is neither dpkg nor rpm', () => {
    const without = { sections: { 'packages-deb': undefined } };
    expect(openIn('fresh-trixie', without)).toEqual({ engine: [], buildkit: [], containerd: [], runc: [] });
    expect(runc('fresh-trixie', without)?.reason).toSay('tell-runc-no-package', '1.1.15');
  });

  test('rpm: packages of Docker by version, those of Fedora by changelog', () => {
    const rpm = (text: string, more: Record<string, string> = {}) =>
      openIn('fresh-trixie', { sections: { 'packages-deb': undefined, 'packages-rpm': text, ...more } });
    expect(rpm('docker-ce 26.1.5-1.fc40\n').engine).toContain('CVE-2026-42306');
    expect(rpm('moby-engine 26.1.5-1.fc40\n', { 'changelog moby-engine': 'CVE-2026-42306\n' }).engine).not.toContain(
      'CVE-2026-42306',
    );
  });
});

describe('what it takes besides the version', () => {
  const old: Alteration = { sections: { 'packages-deb': 'docker-ce 5:26.1.5-1\ncontainerd 1.7.24-1\n' } };
  const withInfo = (info: object): Alteration => ({ ...old, api: { '/info': merge(info) } });

  test('an authorization plugin', () => {
    const plugin = withInfo({ Plugins: { Authorization: ['opa'] } });
    expect(openIn('fresh-trixie', old).engine).not.toContain('CVE-2026-34040');
    expect(openIn('fresh-trixie', plugin).engine).toContain('CVE-2026-34040');
    const bypass = evaluate(altered('fresh-trixie', plugin)).find(({ id }) => id === 'vuln.plugin');
    expect(bypass).toMatchObject({ state: 'finding', severity: 'high', evidence: [{ place: 'plugin opa' }] });
  });

  test('firewalld, and a swarm', () => {
    const firewalld = { sections: { ...old.sections, firewalld: 'ActiveState=active\n' } };
    expect(openIn('fresh-trixie', old).engine).not.toContain('CVE-2025-54410');
    expect(openIn('fresh-trixie', firewalld).engine).toContain('CVE-2025-54410');
    const version = { '/version': merge({ Version: '23.0.1' }) };
    const alone = { sections: { 'packages-deb': 'docker-ce 5:23.0.1-1\n' }, api: version };
    expect(openIn('fresh-trixie', alone).engine).not.toContain('CVE-2023-28840');
    expect(openIn('swarm-trixie', alone).engine).toContain('CVE-2023-28840');
  });

  test("containerd's CRI plugin: low without Kubernetes, nothing where it is switched off", () => {
    const label = (sections: Record<string, string>) =>
      assess(altered('fresh-trixie', { sections }), 'containerd')?.open.find(
        ({ vulnerability }) => vulnerability.id === 'CVE-2026-53488',
      )?.severity;
    expect(label({})).toBe('low');
    expect(label({ kubelet: '/proc/7/comm\n' })).toBe('critical');
    expect(label({ 'containerd-disabled': 'disabled_plugins = ["io.containerd.grpc.v1.cri"]' })).toBeUndefined();
    expect(label({ 'containerd-disabled': 'disabled_plugins = [ "cri" ]' })).toBeUndefined();
    expect(label({ 'containerd-disabled': 'disabled_plugins = [""]' })).toBe('low');
  });
});

test('the severity of a finding is that of its gravest entry, also after a baseline, and --fail-on sees it', () => {
  const results = evaluate(parseAuditFacts(recordedBytes('fresh-trixie'))).filter(({ id }) => id === 'vuln.runc');
  expect([fails(results, 'critical'), fails(results, 'high')]).toEqual([false, true]);
  const accept = ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'].map((place) => ({
    check: 'vuln.runc',
    place,
    reason: 'r',
    expires: '2030-01-01',
  }));
  const left = applyBaseline(results, 'web', { accept }, new Date('2026-11-26'));
  expect(left[0]).toMatchObject({ severity: 'low', evidence: [{ place: 'CVE-2026-41579' }] });
  expect(fails(left, 'high')).toBe(false);
});

describe('a table from a file', () => {
  const row = { affected: [['0', '99.0.0']], severity: 'high', summary: 'a new hole', source: 'https://example.com' };
  const NOW = new Date('2027-01-31T12:00:00Z');
  const ALL = Object.fromEntries(COMPONENTS.map((component) => [component, { [`CVE-2027-${component}`]: row }]));
  const tableOf = (vulnerabilities: object, date = '2027-01-31') =>
    JSON.stringify({ date, vulnerabilities: { ...ALL, ...vulnerabilities } });

  test('takes the place of the built-in one in every check that reads it', () => {
    const table = parseVulnerabilities(tableOf({ engine: { 'CVE-2027-1': row } }), 't.json', NOW);
    const facts = parseAuditFacts(recordedBytes('fresh-sid'));
    const found = (id: string) => evaluate(facts, { table }).find((one) => one.id === id);
    expect(table.date).toBe('2027-01-31');
    expect(found('vuln.engine')?.evidence.map(({ place }) => place)).toContain('CVE-2027-1');
    expect(found('vuln.runc')?.evidence.map(({ place }) => place)).toEqual(['CVE-2027-runc']);
    expect(
      evaluate(facts)
        .find(({ id }) => id === 'vuln.engine')
        ?.evidence.map(({ place }) => place),
    ).not.toContain('CVE-2027-1');
  });

  test('is one that the script writes', () => {
    const text = readFileSync('src/features/audit/domain/vulnerabilities.json', 'utf8');
    expect(parseVulnerabilities(text, 't.json', NOW)).toEqual(BUILT_IN);
  });

  test.each([
    ['no JSON', '{', expect.stringMatching(/no date/)],
    ['no day', tableOf({ engine: { a: row } }, 'soon'), expect.stringMatching(/no date/)],
    ['a day to come', tableOf({}, '2027-02-01'), expect.toSay('date-still-come', '2027-02-01')],
    ['a component that is cut off', tableOf({ buildx: undefined }), expect.toSay('entries-buildx')],
    ['nothing for a component', tableOf({ engine: null }), expect.toSay('entries-engine')],
    ['a list', tableOf({ runc: [row] }), expect.toSay('entries-runc')],
    ['text', tableOf({ cli: 'x' }), expect.toSay('entries-cli')],
    ['an unknown component', tableOf({ other: { a: row } }), expect.stringMatching(/unknown component other/)],
    ['no rating', tableOf({ engine: { a: { ...row, severity: '?' } } }), expect.toSay('severity')],
    ['an unknown need', tableOf({ engine: { a: { ...row, needs: 'moon' } } }), expect.stringMatching(/does not know/)],
    [
      'odd versions',
      tableOf({ engine: { a: { ...row, affected: [['x', '1']] } } }),
      expect.toSay('versions-cannot-read'),
    ],
    ['half a range', tableOf({ engine: { a: { ...row, affected: [['1']] } } }), expect.toSay('versions-cannot-read')],
    ['no summary', tableOf({ engine: { a: { ...row, summary: '' } } }), expect.stringMatching(/no summary/)],
  ])('%s is refused', (_name, text, message) => {
    expect(() => parseVulnerabilities(text, 't.json', NOW)).toThrow(
      expect.objectContaining({ code: 'E_AUDIT_FILE', message }),
    );
  });
});
